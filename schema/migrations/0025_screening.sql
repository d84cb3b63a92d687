-- Lists of parties as dated data: loaded as rule packs are, switched on by a second person, asked for at each act.

alter table rule_packs add column kind text not null default 'export_rules';
alter table rule_packs alter column kind drop default;
alter table rule_packs add constraint rule_packs_kind check (kind in ('export_rules', 'screening_lists'));
drop index rule_packs_one_waits;
-- One of a kind waits at a time: what it changes is shown against what is in force.
create unique index rule_packs_one_waits on rule_packs (kind) where state = 'loaded';

-- What persons decided on names that were found on a list: whether it is the same party.
alter table organizations add column screening_decisions jsonb not null default '[]';
alter table organizations alter column screening_decisions drop default;

-- A party itself can wait for a person, and then no chips are named.
alter table compliance_items alter column chip_model_id drop not null;
alter table compliance_items alter column quantity drop not null;
alter table compliance_items drop constraint compliance_items_kind;
alter table compliance_items add constraint compliance_items_kind check (
  subject_kind in ('loan', 'loan_request', 'listing', 'organization'));
alter table compliance_items add constraint compliance_items_chips check (
  (subject_kind = 'organization') = (chip_model_id is null) and (chip_model_id is null) = (quantity is null));
