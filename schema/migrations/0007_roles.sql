-- Two application roles that own nothing. The writer runs the command pipeline, the reader serves queries under row
-- security. The service connects as the database's owner or as a member of both, and drops to one of them at once.

do $$
begin
  if not exists (select 1 from pg_roles where rolname = 'chipbridge_writer') then
    create role chipbridge_writer nologin nosuperuser nobypassrls;
  end if;
exception when duplicate_object or unique_violation then null; -- another database of this server made it just now
end;
$$;
do $$
begin
  if not exists (select 1 from pg_roles where rolname = 'chipbridge_reader') then
    create role chipbridge_reader nologin nosuperuser nobypassrls;
  end if;
exception when duplicate_object or unique_violation then null;
end;
$$;

-- Whoever migrates may drop to either role, as the service does at once.
grant chipbridge_writer, chipbridge_reader to current_user;

grant usage on schema public to chipbridge_writer, chipbridge_reader;
grant select on all tables in schema public to chipbridge_writer, chipbridge_reader;
revoke select on api_keys from chipbridge_reader;
revoke select on idempotency from chipbridge_reader;

grant insert on all tables in schema public to chipbridge_writer;
grant update on organizations, heads, api_keys, licences, platform_state, accounts, lots, reserve_plans, listings,
  loan_requests, match_rounds, offers, loans, loan_returns, funding_rounds, funding_closings, cash_receipts,
  settlement_runs to chipbridge_writer;
-- Retention is the only deletion an application may do: stored answers after 30 days.
grant delete on idempotency to chipbridge_writer;

-- Who asks, as set for the one transaction of a read. The empty string is what a setting reads after its transaction.
create function app_org() returns uuid language sql stable as $$
  select nullif(current_setting('app.org', true), '')::uuid
$$;
create function app_sees_all() returns boolean language sql stable as $$
  select coalesce(current_setting('app.sees_all', true), '') = 'on'
$$;

do $$
declare
  entry record;
begin
  for entry in
    select * from (values
      ('organizations', 'org_id = app_org()'),
      ('heads', 'org_id = app_org()'),
      ('licences', 'lender_id = app_org()'),
      ('journal_entries', 'org_id = app_org()'),
      ('journal_lines', 'org_id = app_org()'),
      ('accounts', 'org_id = app_org()'),
      ('chain_links', 'org_id = app_org()'),
      ('lots', 'lender_id = app_org()'),
      ('reserve_plans', 'lender_id = app_org()'),
      ('listings', 'lender_id = app_org()'),
      ('loan_requests', 'borrower_id = app_org()'),
      ('match_rounds', 'app_sees_all()'),
      ('offers', 'borrower_id = app_org() or lender_id = app_org()'),
      ('loans', 'borrower_id = app_org() or lender_id = app_org()'),
      ('loan_returns', 'borrower_id = app_org() or lender_id = app_org()'),
      ('verdicts', 'borrower_id = app_org() or lender_id = app_org()'),
      ('funding_rounds', 'borrower_id = app_org()'),
      ('funding_closings', 'borrower_id = app_org()'),
      ('startup_marks', 'borrower_id = app_org()'),
      ('cash_receipts', 'org_id = app_org()'),
      ('allocations', 'borrower_id = app_org() or lender_id = app_org()'),
      ('payouts', 'lender_id = app_org()'),
      ('audit_log', 'org_id = app_org()'),
      ('outbox', 'org_a = app_org() or org_b = app_org()'),
      ('settlement_runs', 'app_sees_all()'),
      ('idempotency', 'false'),
      ('api_keys', 'false')
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
