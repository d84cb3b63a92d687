-- What a match round is replayed from, and whose turn it is in a segment of the market. A segment is a chip model, a region,
-- both, or neither for everything; match_rounds.segment and match_rounds.leased_until are no longer used.

alter table match_rounds add column segment_chip_model_id text;
alter table match_rounds add column segment_region text;
-- The result in its canonical bytes, beside the snapshot's; result (jsonb) is what readers are shown of it.
alter table match_rounds add column record bytea;
alter table match_rounds add column parameters jsonb;

-- One row a segment that was ever cleared. Whoever holds it writes under its token; the row of the whole market, '*', is
-- also what claims queue at.
create table match_leases (
  segment text not null,
  chip_model_id text,
  region text,
  round_id uuid,
  token bigint not null,
  leased_until timestamptz,
  constraint match_leases_pkey primary key (segment),
  constraint match_leases_whole check ((round_id is null) = (leased_until is null))
);
comment on table match_leases is 'local';
insert into match_leases (segment, token) values ('*', 0);
grant select, insert, update on match_leases to chipbridge_writer;

-- The newest order is looked up twice a second.
create index listings_arrival on listings (sequence);
create index loan_requests_arrival on loan_requests (sequence);
