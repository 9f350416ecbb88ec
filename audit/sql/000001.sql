-- Guarantee: after this migration the log can only grow. The writer role may insert and
-- read, the reader role may read, and triggers stop even the owner from changing a row by
-- accident. A superuser can still get round them: the tree is what proves that nobody did.

create schema if not exists audit;

-- One row per event. `canonical` is what the tree hashes; every other column is an index of
-- it and is compared with it by `lightferry audit verify`. The batch's checkpoint signs
-- `logged_ms`. Months are partitions so that a closed month can be detached as a whole.
create table audit.event (
  seq bigint not null check (seq >= 0),
  logged_ms bigint not null,
  event_id bytea not null,
  event_ms bigint not null,
  node text collate "C" not null,
  emitter text collate "C" not null,
  emitter_sequence bigint not null,
  type text collate "C" not null,
  outcome text collate "C" not null,
  code text collate "C" not null,
  exchange_id bytea,
  bundle_id bytea,
  lane text collate "C" not null,
  actor text collate "C" not null,
  client_address text collate "C" not null,
  service text collate "C" not null,
  grade text collate "C" not null,
  leaf bytea not null check (octet_length(leaf) = 32),
  canonical bytea not null,
  primary key (seq, logged_ms)
) partition by range (logged_ms);

create index event_emitter on audit.event (node, emitter, emitter_sequence);
create index event_type on audit.event (type, seq);
create index event_actor on audit.event (actor, seq);
create index event_exchange on audit.event (exchange_id, seq) where exchange_id is not null;
-- Bundle-level events name no exchange; a trail finds them through the bundle.
create index event_bundle on audit.event (bundle_id, seq)
  where bundle_id is not null and exchange_id is null;
-- What officers look for first is what did not go well, and it is rare.
create index event_not_ok on audit.event (outcome, type, seq) where outcome <> 'ok';
create index event_code on audit.event (code, seq) where code <> '';

-- The other zone's half of an exchange. Covered by the own event `audit.peer-trails-recorded`
-- with index `cover_seq`, whose digest is the Merkle root over the batch's `canonical` by position.
create table audit.peer_trail (
  cover_seq bigint not null,
  position integer not null,
  logged_ms bigint not null,
  zone text collate "C" not null,
  exchange_id bytea not null,
  bundle_id bytea not null,
  canonical bytea not null,
  primary key (cover_seq, position, logged_ms)
) partition by range (logged_ms);

create index peer_trail_exchange on audit.peer_trail (exchange_id, bundle_id, zone);

-- Completed tiles only (C2SP layout, height 8: 256 hashes of 32 bytes).
create table audit.tile (
  level smallint not null check (level between 0 and 7),
  index bigint not null check (index >= 0),
  hashes bytea not null check (octet_length(hashes) = 8192),
  primary key (level, index)
);

-- One row per batch. `previous_size` is unique: two writers can never both extend one tree.
create table audit.checkpoint (
  size bigint primary key,
  previous_size bigint not null unique,
  logged_ms bigint not null,
  root bytea not null check (octet_length(root) = 32),
  note text not null,
  check (previous_size >= 0 and size > previous_size)
);

create index checkpoint_logged on audit.checkpoint (logged_ms, size);

-- Checkpoints of the other zone. Covered by the own event with index `cover_seq`, whose digest
-- is SM3(note). Proofs are kept so that a bundle that arrives late can still close a gap.
create table audit.witness (
  cover_seq bigint primary key,
  logged_ms bigint not null,
  zone text collate "C" not null,
  size bigint not null check (size > 0),
  root bytea not null check (octet_length(root) = 32),
  old_size bigint not null check (old_size >= 0),
  consistency bytea not null,
  bundle_id bytea,
  note text not null,
  verdict text not null check (verdict in ('linked', 'first', 'unlinked', 'inconsistent')),
  unique (zone, size, root)
);

create index witness_old on audit.witness (zone, old_size);

create function audit.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'audit records are insert-only: % on % refused', tg_op, tg_table_name
    using errcode = 'insufficient_privilege';
end $$;

create function audit.guard(target regclass) returns void language plpgsql as $$
begin
  execute format(
    'create trigger insert_only before update or delete or truncate on %s
       for each statement execute function audit.refuse_change()', target);
  -- ALWAYS: session_replication_role = replica does not switch it off.
  execute format('alter table %s enable always trigger insert_only', target);
end $$;

select audit.guard('audit.event');
select audit.guard('audit.peer_trail');
select audit.guard('audit.tile');
select audit.guard('audit.checkpoint');
select audit.guard('audit.witness');

-- Creates the partitions of one UTC month, [from_ms, to_ms). Safe to repeat.
create function audit.ensure_month(from_ms bigint, to_ms bigint) returns void language plpgsql as $$
declare
  suffix text := to_char(to_timestamp(from_ms / 1000) at time zone 'UTC', 'YYYY_MM');
  parent text;
  child text;
begin
  foreach parent in array array['event', 'peer_trail'] loop
    child := parent || '_' || suffix;
    if to_regclass('audit.' || child) is null then
      execute format('create table audit.%I partition of audit.%I for values from (%s) to (%s)',
        child, parent, from_ms, to_ms);
      perform audit.guard(('audit.' || quote_ident(child))::regclass);
    end if;
  end loop;
end $$;

revoke all on all functions in schema audit from public;

-- Group roles belong to the cluster. An owner without CREATEROLE relies on set-up having made
-- them; a missing role is then simply not granted anything.
do $$
declare
  wanted text;
begin
  foreach wanted in array array['audit_writer', 'audit_reader'] loop
    if not exists (select from pg_roles where rolname = wanted) then
      begin
        execute format('create role %I nologin', wanted);
      exception
        when insufficient_privilege then
          raise notice 'role % is missing and cannot be created by %', wanted, current_user;
        when duplicate_object or unique_violation then
          null; -- made by somebody else meanwhile
      end;
    end if;
  end loop;
  if exists (select from pg_roles where rolname = 'audit_writer') then
    grant usage on schema audit to audit_writer;
    grant select, insert on all tables in schema audit to audit_writer;
  end if;
  if exists (select from pg_roles where rolname = 'audit_reader') then
    grant usage on schema audit to audit_reader;
    grant select on all tables in schema audit to audit_reader;
  end if;
end $$;
