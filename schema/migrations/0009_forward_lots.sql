-- Chips on order that an offer or an agreed loan already waits for: promised. When they arrive they are reserved.

alter table lots add column promised bigint not null default 0;
alter table lots alter column promised drop default;
alter table lots drop constraint lots_conserved;
alter table lots drop constraint lots_never_negative;
alter table lots add constraint lots_conserved check (
  on_order + promised + available + reserved + in_transit + on_loan + in_return + in_inspection + in_repair + frozen
  + repossessed + lost + sold = quantity);
alter table lots add constraint lots_never_negative check (
  on_order >= 0 and promised >= 0 and available >= 0 and reserved >= 0 and in_transit >= 0 and on_loan >= 0
  and in_return >= 0 and in_inspection >= 0 and in_repair >= 0 and frozen >= 0 and repossessed >= 0 and lost >= 0
  and sold >= 0 and listed >= 0);

alter table accounts drop constraint accounts_never_negative;
alter table accounts add constraint accounts_never_negative check (
  balance >= 0 or account_code not in (
    'custody.on_order', 'custody.promised', 'custody.available', 'custody.reserved', 'custody.in_transit',
    'custody.on_loan', 'custody.returning', 'custody.in_inspection', 'custody.in_repair', 'custody.frozen',
    'custody.repossessed', 'custody.lost', 'custody.sold', 'holdings.on_loan', 'holdings.owned',
    'receivable.principal', 'receivable.fee', 'receivable.charges', 'cash_at_platform', 'bank.client', 'bank.own'));
