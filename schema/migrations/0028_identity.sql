-- Duties of staff, keys that take the place of others, and the last day a key was used.

alter table api_keys add column duties text[] not null default '{}';
alter table api_keys add column replaces uuid;
alter table api_keys add column replaced_by uuid;
alter table api_keys add column last_used_on date;

-- Until here the role alone gave staff everything, and scopes were kept and looked at by nobody: every key goes on as it
-- worked.
update api_keys set duties = array['compliance', 'operations', 'risk', 'treasury'] where 'admin' = any (roles);
alter table api_keys alter column duties drop default;
update api_keys set scopes = '{}';

alter table api_keys add constraint api_keys_duties check (
  duties <@ array['compliance', 'operations', 'risk', 'treasury'] and (duties = '{}' or 'admin' = any (roles)));
-- A key is replaced once.
create unique index api_keys_replaces on api_keys (org_id, replaces) where replaces is not null;
create index api_keys_page on api_keys (created_at, id);

-- Readers see the keys of their organisation, and of no key its digest.
grant select (
  org_id, id, roles, duties, scopes, person_id, expires_at, revoked_at, replaces, replaced_by, last_used_on, version,
  created_at) on api_keys to chipbridge_reader;
drop policy reads on api_keys;
create policy reads on api_keys for select to chipbridge_reader using (app_sees_all() or org_id = app_org());

-- What is only proposed of calendars and tax rules is the platform's own matter.
alter table reference_entries enable row level security;
alter table reference_entries force row level security;
create policy reads on reference_entries for select to chipbridge_reader using (app_sees_all() or state = 'adopted');
create policy writes on reference_entries for all to chipbridge_writer using (true) with check (true);
