-- Cash and what is spent of it, as startups report it: never changed, corrected by a later report.

create table runway_reports (
  borrower_id uuid not null,
  id uuid not null,
  reported_on date not null,
  cash bigint not null,
  currency text not null,
  monthly_burn bigint not null,
  evidence text not null,
  -- The report that this one says otherwise of.
  supersedes uuid,
  reported_by uuid not null,
  recorded_at timestamptz not null,
  constraint runway_reports_pkey primary key (borrower_id, id),
  constraint runway_reports_amounts check (cash >= 0 and monthly_burn >= 0),
  constraint runway_reports_corrects foreign key (borrower_id, supersedes) references runway_reports (borrower_id, id)
);
comment on table runway_reports is 'key borrower_id';
create unique index runway_reports_corrected_once on runway_reports (borrower_id, supersedes)
  where supersedes is not null;
create index runway_reports_page on runway_reports (recorded_at, id);

grant select, insert on runway_reports to chipbridge_writer;
grant select on runway_reports to chipbridge_reader;
alter table runway_reports enable row level security;
alter table runway_reports force row level security;
create policy reads on runway_reports for select to chipbridge_reader
  using (app_sees_all() or borrower_id = app_org());
create policy writes on runway_reports for all to chipbridge_writer using (true) with check (true);
