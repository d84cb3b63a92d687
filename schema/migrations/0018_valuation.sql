-- Marks with what stands behind them, and when each was known to be wrong; marks that wait for a second person; disputes;
-- what the press said of rounds; and the files all of it came from.

alter table startup_marks add column evidence text;
alter table startup_marks add column confidence text not null default 'reported';
alter table startup_marks alter column confidence drop default;
alter table startup_marks add column recorded_by uuid;
-- The moment from which a correction says otherwise: all that ever changes of a mark, and once.
alter table startup_marks add column superseded_at timestamptz;
alter table chip_marks add column evidence text;
alter table chip_marks add column confidence text not null default 'reported';
alter table chip_marks alter column confidence drop default;
alter table chip_marks add column recorded_by uuid;
alter table chip_marks add column superseded_at timestamptz;

-- Row security binds the owner too, who here writes rows of all tenants.
alter table startup_marks no force row level security;
-- Of two marks that say the same of the same day the later one always won: from now on it is its correction.
with repeated as (
  select borrower_id, id, lag(id) over (
    partition by borrower_id, basis, method, effective_on, source order by recorded_at, id) as earlier
  from startup_marks where supersedes is null)
update startup_marks m set supersedes = r.earlier from repeated r
where m.borrower_id = r.borrower_id and m.id = r.id and r.earlier is not null
  and not exists (select 1 from startup_marks o where o.borrower_id = m.borrower_id and o.supersedes = r.earlier);
with repeated as (
  select chip_model_id, id, lag(id) over (
    partition by chip_model_id, basis, method, effective_on, source order by recorded_at, id) as earlier
  from chip_marks where supersedes is null)
update chip_marks m set supersedes = r.earlier from repeated r
where m.chip_model_id = r.chip_model_id and m.id = r.id and r.earlier is not null
  and not exists (select 1 from chip_marks o where o.chip_model_id = m.chip_model_id and o.supersedes = r.earlier);
update startup_marks m set superseded_at = s.recorded_at from startup_marks s
where s.borrower_id = m.borrower_id and s.supersedes = m.id;
update chip_marks m set superseded_at = s.recorded_at from chip_marks s
where s.chip_model_id = m.chip_model_id and s.supersedes = m.id;
alter table startup_marks force row level security;

alter table startup_marks add constraint startup_marks_confidence check (
  confidence in ('documented', 'reported', 'recollected', 'estimated'));
alter table chip_marks add constraint chip_marks_confidence check (
  confidence in ('documented', 'reported', 'recollected', 'estimated'));
alter table startup_marks add constraint startup_marks_second_person check (
  approved_by is null or recorded_by is null or approved_by <> recorded_by);
alter table chip_marks add constraint chip_marks_second_person check (
  approved_by is null or recorded_by is null or approved_by <> recorded_by);
alter table startup_marks add constraint startup_marks_known check (superseded_at >= recorded_at);
alter table chip_marks add constraint chip_marks_known check (superseded_at >= recorded_at);
-- A correction is of a mark of the same subject, and of each mark there is one at most.
alter table startup_marks add constraint startup_marks_corrects foreign key (borrower_id, supersedes)
  references startup_marks (borrower_id, id);
alter table chip_marks add constraint chip_marks_corrects foreign key (chip_model_id, supersedes)
  references chip_marks (chip_model_id, id);
create unique index startup_marks_corrected_once on startup_marks (borrower_id, supersedes)
  where supersedes is not null;
create unique index chip_marks_corrected_once on chip_marks (chip_model_id, supersedes) where supersedes is not null;
-- One statement about a day stands at a time.
create unique index startup_marks_one_stands on startup_marks (borrower_id, basis, method, effective_on, source)
  where superseded_at is null;
create unique index chip_marks_one_stands on chip_marks (chip_model_id, basis, method, effective_on, source)
  where superseded_at is null;
-- "As of D as known at T" walks this backward from D, and ends at the first mark that was known at T.
drop index startup_marks_as_of;
drop index chip_marks_as_of;
create index startup_marks_as_of on startup_marks (borrower_id, basis, effective_on, recorded_at, id);
create index chip_marks_as_of on chip_marks (chip_model_id, basis, effective_on, recorded_at, id);
create index startup_marks_id on startup_marks (id);
create index chip_marks_id on chip_marks (id);

grant update (superseded_at) on startup_marks, chip_marks to chipbridge_writer;
-- A lender sees what its debtors are worth.
alter policy reads on startup_marks using (app_sees_all() or borrower_id = app_org() or exists (
  select 1 from loans l where l.borrower_id = startup_marks.borrower_id and l.lender_id = app_org()
    and l.state <> 'closed'));

-- Marks that one person states and another has not approved yet. They are the platform's own until then.
create table mark_proposals (
  org_id uuid not null,
  -- Of the mark that it becomes.
  id uuid not null,
  startup_id uuid,
  chip_model_id text,
  method text not null,
  basis text not null,
  amount bigint not null,
  currency text not null,
  effective_on date not null,
  source text not null,
  evidence text,
  confidence text not null,
  supersedes uuid,
  state text not null,
  proposed_by uuid not null,
  import_id uuid,
  decided_by uuid,
  decided_at timestamptz,
  reason text,
  version bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint mark_proposals_pkey primary key (org_id, id),
  constraint mark_proposals_subject check ((startup_id is null) <> (chip_model_id is null)),
  constraint mark_proposals_amount check (amount > 0),
  constraint mark_proposals_state check (state in ('proposed', 'approved', 'rejected')),
  constraint mark_proposals_decided check (
    (state = 'proposed') = (decided_by is null) and (decided_by is null) = (decided_at is null)
    and (state = 'rejected') = (reason is not null)),
  constraint mark_proposals_second_person check (state <> 'approved' or decided_by <> proposed_by)
);
comment on table mark_proposals is 'key org_id';
create index mark_proposals_created on mark_proposals (org_id, created_at, id);
create index mark_proposals_of_import on mark_proposals (org_id, import_id, id) where import_id is not null;

-- Objections to marks. While one is open nothing is traded on the mark.
create table mark_disputes (
  -- Who objects.
  org_id uuid not null,
  id uuid not null,
  mark_id uuid not null,
  startup_id uuid,
  chip_model_id text,
  reason text not null,
  state text not null,
  raised_by uuid not null,
  closed_by uuid,
  closed_at timestamptz,
  closing_reason text,
  version bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint mark_disputes_pkey primary key (org_id, id),
  constraint mark_disputes_subject check ((startup_id is null) <> (chip_model_id is null)),
  constraint mark_disputes_state check (state in ('open', 'withdrawn', 'dismissed')),
  constraint mark_disputes_closed check (
    (state = 'open') = (closed_by is null) and (closed_by is null) = (closed_at is null)),
  constraint mark_disputes_dismissed check (
    state <> 'dismissed' or (closed_by <> raised_by and closing_reason is not null))
);
comment on table mark_disputes is 'key org_id';
create unique index mark_disputes_one_open on mark_disputes (org_id, mark_id) where state = 'open';
create index mark_disputes_open on mark_disputes (mark_id) where state = 'open';
create index mark_disputes_of_startup on mark_disputes (startup_id) where state = 'open';
create index mark_disputes_of_chip on mark_disputes (chip_model_id) where state = 'open';

-- Files that were imported, and how far each came: a batch of lines and this row are one transaction.
create table valuation_imports (
  org_id uuid not null,
  id uuid not null,
  kind text not null,
  file_digest bytea not null,
  file_name text not null,
  lines bigint not null,
  lines_done bigint not null,
  recorded bigint not null,
  unchanged bigint not null,
  proposed bigint not null,
  refused bigint not null,
  -- One text for each line that was refused or became no mark: line, field, code and reason, by tabs.
  findings text[] not null,
  imported_by uuid not null,
  version bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint valuation_imports_pkey primary key (org_id, id),
  constraint valuation_imports_once unique (org_id, kind, file_digest),
  constraint valuation_imports_kind check (kind in ('rounds', 'chip_prices', 'ocf')),
  constraint valuation_imports_counted check (
    lines_done between 0 and lines and recorded + unchanged + refused = lines_done and proposed <= recorded)
);
comment on table valuation_imports is 'key org_id';

-- What was said of a startup's rounds, as it was said: evidence, never verification, and nothing is due by it.
create table round_reports (
  borrower_id uuid not null,
  id uuid not null,
  company text not null,
  jurisdiction text not null,
  name text not null,
  kind text not null,
  status text not null,
  announced text not null,
  announced_on date not null,
  currency text not null,
  amount bigint,
  pre_money bigint,
  post_money bigint,
  investors text[] not null,
  acquirer text,
  certainty text not null,
  source text not null,
  notes text,
  fingerprint bytea not null,
  -- The report that this one says otherwise of.
  supersedes uuid,
  import_id uuid not null,
  line bigint not null,
  recorded_at timestamptz not null,
  constraint round_reports_pkey primary key (borrower_id, id),
  constraint round_reports_once unique (borrower_id, fingerprint),
  constraint round_reports_corrects foreign key (borrower_id, supersedes) references round_reports (borrower_id, id),
  constraint round_reports_kind check (kind in ('priced', 'safe', 'strategic', 'secondary', 'acquisition', 'ipo')),
  constraint round_reports_status check (status in ('closed', 'reported', 'talks')),
  constraint round_reports_amounts check (amount > 0 and pre_money > 0 and post_money > 0)
);
comment on table round_reports is 'key borrower_id';
create unique index round_reports_corrected_once on round_reports (borrower_id, supersedes)
  where supersedes is not null;

grant select, insert on mark_proposals, mark_disputes, valuation_imports, round_reports to chipbridge_writer;
grant update on mark_proposals, mark_disputes, valuation_imports to chipbridge_writer;
grant select on mark_proposals, mark_disputes, valuation_imports, round_reports to chipbridge_reader;

do $$
declare
  entry record;
begin
  for entry in
    select * from (values
      ('mark_proposals', 'org_id = app_org()'),
      ('mark_disputes', 'org_id = app_org() or startup_id = app_org()'),
      ('valuation_imports', 'org_id = app_org()'),
      ('round_reports', 'borrower_id = app_org()')
    ) as policies (table_name, own_rows)
  loop
    execute format('alter table %I enable row level security', entry.table_name);
    execute format('alter table %I force row level security', entry.table_name);
    execute format(
      'create policy reads on %I for select to chipbridge_reader using (app_sees_all() or (%s))',
      entry.table_name, entry.own_rows);
    execute format(
      'create policy writes on %I for all to chipbridge_writer using (true) with check (true)', entry.table_name);
  end loop;
end;
$$;
create index organizations_named on organizations (legal_name, org_id);
create index api_keys_of_person on api_keys (org_id, person_id);
