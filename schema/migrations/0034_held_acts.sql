-- Acts of staff that a second person has to agree to: kept as they were asked for, done when they are approved.

-- Not divided by an organisation: an act may concern several, or none.
create table held_acts (
  id uuid not null,
  action text not null,
  duty text not null,
  path text not null,
  -- As it was sent: what is approved is what was asked for, byte for byte.
  body text not null,
  if_version bigint,
  state text not null,
  proposed_by uuid not null,
  decided_by uuid,
  decided_at timestamptz,
  reason text,
  version bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint held_acts_pkey primary key (id),
  constraint held_acts_duty check (duty in ('compliance', 'operations', 'risk', 'treasury')),
  constraint held_acts_path check (path like '/v1/%' and length(path) <= 8192),
  constraint held_acts_state check (state in ('proposed', 'approved', 'rejected')),
  constraint held_acts_decided check (
    (state = 'proposed') = (decided_by is null) and (decided_by is null) = (decided_at is null)),
  constraint held_acts_reason check (state = 'rejected' or reason is null),
  constraint held_acts_second_person check (state <> 'approved' or decided_by <> proposed_by)
);
comment on table held_acts is 'local';
create index held_acts_waiting on held_acts (created_at, id) where state = 'proposed';

grant select, insert, update on held_acts to chipbridge_writer;
grant select on held_acts to chipbridge_reader;
alter table held_acts enable row level security;
alter table held_acts force row level security;
create policy reads on held_acts for select to chipbridge_reader using (app_sees_all());
create policy writes on held_acts for all to chipbridge_writer using (true) with check (true);
