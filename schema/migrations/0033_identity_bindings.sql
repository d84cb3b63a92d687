-- Tokens of an outside issuer: who somebody is says the issuer, what that person may do says a binding here.

-- Not divided by its organisation: that a subject of an issuer is bound once is a rule over all of them.
create table identity_bindings (
  org_id uuid not null,
  id uuid not null,
  issuer text not null,
  subject text not null,
  person_id uuid,
  roles text[] not null,
  duties text[] not null,
  scopes text[] not null,
  expires_at timestamptz,
  revoked_at timestamptz,
  created_by_key uuid,
  created_by_binding uuid,
  version bigint not null,
  created_at timestamptz not null,
  constraint identity_bindings_pkey primary key (org_id, id),
  -- Visible ASCII, so that no two names are alike to one comparison and different to another.
  constraint identity_bindings_issuer check (issuer collate "C" ~ '^[!-~]{1,255}$'),
  constraint identity_bindings_subject check (subject collate "C" ~ '^[!-~]{1,255}$'),
  constraint identity_bindings_duties check (
    duties <@ array['compliance', 'operations', 'risk', 'treasury'] and (duties = '{}' or 'admin' = any (roles))),
  constraint identity_bindings_maker check ((created_by_key is null) <> (created_by_binding is null))
);
comment on table identity_bindings is 'local';
create unique index identity_bindings_in_force on identity_bindings (issuer, subject) where revoked_at is null;
create index identity_bindings_id on identity_bindings (id);
create index identity_bindings_page on identity_bindings (created_at, id);
create index identity_bindings_of_person on identity_bindings (org_id, person_id);

grant select, insert, update on identity_bindings to chipbridge_writer;
grant select on identity_bindings to chipbridge_reader;
alter table identity_bindings enable row level security;
alter table identity_bindings force row level security;
create policy reads on identity_bindings for select to chipbridge_reader using (app_sees_all() or org_id = app_org());
create policy writes on identity_bindings for all to chipbridge_writer using (true) with check (true);

-- Who did something was let in by a key or by a binding.
alter table audit_log add column binding_id uuid;
alter table audit_log alter column key_id drop not null;
alter table audit_log add constraint audit_log_credential check ((key_id is null) <> (binding_id is null)) not valid;
alter table audit_log validate constraint audit_log_credential;
