-- Parties, their keys to the interface, and the head row that every command on an organisation locks.
-- Each table's comment names its distribution key: "key <column>", "reference" or "local". A test holds the rules to it.

create table organizations (
  org_id uuid not null,
  legal_name text not null,
  jurisdiction text not null,
  ultimate_parent_jurisdiction text,
  group_id uuid not null,
  roles text[] not null,
  owners jsonb not null,
  sites jsonb not null,
  verification_state text not null,
  verification_evidence text,
  verified_on date,
  verification_expires_on date,
  verified_by uuid,
  verification_reason text,
  credit_grade text,
  version bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint organizations_pkey primary key (org_id),
  constraint organizations_jurisdiction_shape check (jurisdiction ~ '^[A-Z]{2}$'),
  constraint organizations_verification_state check (verification_state in ('unverified', 'verified', 'suspended')),
  constraint organizations_verified_with_evidence check (
    verification_state <> 'verified' or (verified_on is not null and verified_by is not null)),
  constraint organizations_version_positive check (version > 0)
);
comment on table organizations is 'key org_id';
create index organizations_created on organizations (created_at, org_id);

create table heads (
  org_id uuid not null,
  version bigint not null,
  journal_sequence bigint not null,
  chain_number bigint not null,
  chain_hash bytea not null,
  constraint heads_pkey primary key (org_id),
  constraint heads_chain_hash_length check (octet_length(chain_hash) = 32)
);
comment on table heads is 'key org_id';

create table api_keys (
  org_id uuid not null,
  id uuid not null,
  roles text[] not null,
  scopes text[] not null,
  person_id uuid,
  secret_sha256 bytea not null,
  expires_at timestamptz,
  revoked_at timestamptz,
  version bigint not null,
  created_at timestamptz not null,
  constraint api_keys_pkey primary key (org_id, id),
  constraint api_keys_digest_length check (octet_length(secret_sha256) = 32)
);
comment on table api_keys is 'key org_id';
create index api_keys_id on api_keys (id);

create table licences (
  lender_id uuid not null,
  id uuid not null,
  consignee_id uuid,
  chip_model_id text,
  export_class text,
  destination text not null,
  quota bigint not null,
  used bigint not null,
  valid_from date not null,
  valid_to date,
  reference text not null,
  version bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint licences_pkey primary key (lender_id, id),
  constraint licences_quota check (quota > 0 and used >= 0 and used <= quota),
  constraint licences_subject check ((chip_model_id is null) <> (export_class is null)),
  constraint licences_valid check (valid_from < valid_to)
);
comment on table licences is 'key lender_id';
create index licences_id on licences (id);
