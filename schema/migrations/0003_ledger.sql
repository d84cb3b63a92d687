-- The journal: one book for each organisation, money and chips alike. Entries balance within their book and are immutable:
-- by grants, and by the two guards below (the only triggers of the schema).

create table journal_entries (
  org_id uuid not null,
  id uuid not null,
  sequence bigint not null,
  kind text not null,
  business_date date not null,
  subject_id uuid not null,
  recorded_at timestamptz not null,
  constraint journal_entries_pkey primary key (org_id, id),
  constraint journal_entries_sequence unique (org_id, sequence),
  constraint journal_entries_sequence_positive check (sequence > 0)
);
comment on table journal_entries is 'key org_id';
create index journal_entries_subject on journal_entries (org_id, subject_id);
create index journal_entries_date on journal_entries (org_id, business_date);

create table journal_lines (
  org_id uuid not null,
  entry_id uuid not null,
  line_no integer not null,
  account_code text not null,
  subject_id uuid not null,
  asset text not null,
  amount bigint not null,
  constraint journal_lines_pkey primary key (org_id, entry_id, line_no),
  constraint journal_lines_entry foreign key (org_id, entry_id) references journal_entries (org_id, id),
  constraint journal_lines_not_zero check (amount <> 0)
);
comment on table journal_lines is 'key org_id';
create index journal_lines_account on journal_lines (org_id, account_code, subject_id);

create table accounts (
  org_id uuid not null,
  account_code text not null,
  subject_id uuid not null,
  asset text not null,
  balance bigint not null,
  constraint accounts_pkey primary key (org_id, account_code, subject_id, asset),
  constraint accounts_never_negative check (
    balance >= 0 or account_code not in (
      'custody.on_order', 'custody.available', 'custody.reserved', 'custody.in_transit', 'custody.on_loan',
      'custody.returning', 'custody.in_inspection', 'custody.in_repair', 'custody.frozen', 'custody.repossessed',
      'custody.lost', 'custody.sold', 'holdings.on_loan', 'holdings.owned', 'receivable.principal', 'receivable.fee',
      'receivable.charges', 'cash_at_platform', 'bank.client', 'bank.own')),
  constraint accounts_never_positive check (
    balance <= 0 or account_code not in (
      'custody.ordered', 'custody.received', 'holdings.source', 'payable.principal', 'payable.fee', 'payable.charges',
      'client_money', 'suspense'))
);
comment on table accounts is 'key org_id';

create table chain_links (
  org_id uuid not null,
  number bigint not null,
  first_sequence bigint not null,
  last_sequence bigint not null,
  previous_hash bytea not null,
  hash bytea not null,
  constraint chain_links_pkey primary key (org_id, number),
  constraint chain_links_order check (number > 0 and first_sequence > 0 and last_sequence >= first_sequence),
  constraint chain_links_lengths check (octet_length(previous_hash) = 32 and octet_length(hash) = 32)
);
comment on table chain_links is 'key org_id';

create function refuse_change() returns trigger language plpgsql set search_path from current as $$
begin
  raise exception 'rows of % are never changed or removed', tg_table_name using errcode = 'restrict_violation';
end;
$$;

create function check_entry_balance() returns trigger language plpgsql set search_path from current as $$
begin
  if exists (select 1 from added group by org_id, entry_id, asset having sum(amount) <> 0) then
    raise exception 'a journal entry does not sum to zero' using
      errcode = 'check_violation', constraint = 'journal_lines_balance';
  end if;
  return null;
end;
$$;

create trigger journal_lines_balance after insert on journal_lines
  referencing new table as added for each statement execute function check_entry_balance();
create trigger journal_entries_immutable before update or delete on journal_entries
  for each row execute function refuse_change();
create trigger journal_lines_immutable before update or delete on journal_lines
  for each row execute function refuse_change();
create trigger chain_links_immutable before update or delete on chain_links
  for each row execute function refuse_change();
create trigger journal_entries_kept before truncate on journal_entries
  for each statement execute function refuse_change();
create trigger journal_lines_kept before truncate on journal_lines
  for each statement execute function refuse_change();
create trigger chain_links_kept before truncate on chain_links
  for each statement execute function refuse_change();
