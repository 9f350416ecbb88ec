/**
 * Guarantee: a batch is one statement: its events, completed tiles, trails,
 * witnessed checkpoints and its signed checkpoint are there together or not at all.
 */
import type pg from "pg";
import { columnText } from "../verify/column-text.ts";
import type { Batch } from "./batch.ts";

// One statement is its own transaction: one round trip and one flush for up to 512 events.
// Arrays through unnest measured 19,500 rows/s with these indexes; single-row inserts 2,600.
const COMMIT_SQL = `
with events as (
  insert into audit.event (seq, logged_ms, node, event_id, event_ms, emitter, emitter_sequence,
    type, outcome, code, exchange_id, bundle_id, lane, actor, client_address, service, grade,
    leaf, canonical)
  select $1::bigint + e.position - 1, $2, $3, e.event_id, e.event_ms, e.emitter,
    e.emitter_sequence, e.type, e.outcome, e.code, e.exchange_id, e.bundle_id, e.lane, e.actor,
    e.client_address, e.service, e.grade, e.leaf, e.canonical
  from unnest($4::bytea[], $5::bigint[], $6::text[], $7::bigint[], $8::text[], $9::text[],
    $10::text[], $11::bytea[], $12::bytea[], $13::text[], $14::text[], $15::text[], $16::text[],
    $17::text[], $18::bytea[], $19::bytea[]) with ordinality
    as e(event_id, event_ms, emitter, emitter_sequence, type, outcome, code, exchange_id,
      bundle_id, lane, actor, client_address, service, grade, leaf, canonical, position)
), tiles as (
  insert into audit.tile (level, index, hashes)
  select * from unnest($20::smallint[], $21::bigint[], $22::bytea[])
), trails as (
  insert into audit.peer_trail (cover_seq, position, logged_ms, zone, exchange_id, bundle_id,
    canonical)
  select $23, t.position - 1, $2, t.zone, t.exchange_id, t.bundle_id, t.canonical
  from unnest($24::text[], $25::bytea[], $26::bytea[], $27::bytea[]) with ordinality
    as t(zone, exchange_id, bundle_id, canonical, position)
), witnesses as (
  insert into audit.witness (cover_seq, logged_ms, zone, size, root, old_size, consistency,
    bundle_id, note, verdict)
  select w.cover_seq, $2, w.zone, w.size, w.root, w.old_size, w.consistency, w.bundle_id, w.note,
    w.verdict
  from unnest($28::bigint[], $29::text[], $30::bigint[], $31::bytea[], $32::bigint[],
    $33::bytea[], $34::bytea[], $35::text[], $36::text[])
    as w(cover_seq, zone, size, root, old_size, consistency, bundle_id, note, verdict)
)
insert into audit.checkpoint (size, previous_size, logged_ms, root, note)
values ($37, $1, $2, $38, $39)`;

export async function insertBatch(client: pg.Client, batch: Batch): Promise<void> {
  const { events, tiles, trails, witnesses } = batch;
  const of = <T>(read: (event: (typeof events)[number]["event"]) => T): T[] =>
    events.map(({ event }) => read(event));
  await client.query({
    name: "append-batch",
    text: COMMIT_SQL,
    values: [
      batch.previousSize,
      batch.loggedMs,
      batch.node,
      of((e) => e.eventId),
      of((e) => e.timeMs),
      of((e) => e.emitter),
      of((e) => e.emitterSequence),
      of((e) => e.type),
      of((e) => e.outcome),
      of((e) => columnText(e.code)),
      of((e) => orNull(e.exchangeId)),
      of((e) => orNull(e.bundleId)),
      of((e) => columnText(e.lane)),
      of((e) => columnText(e.actor)),
      of((e) => columnText(e.clientAddress)),
      of((e) => columnText(e.service)),
      of((e) => columnText(e.grade)),
      events.map((e) => e.leaf),
      events.map((e) => e.bytes),
      tiles.map((t) => t.level),
      tiles.map((t) => t.index),
      tiles.map((t) => t.hashes),
      batch.trailsCoverSeq,
      trails.map((t) => t.zone),
      trails.map((t) => t.exchangeId),
      trails.map((t) => t.bundleId),
      trails.map((t) => t.bytes),
      witnesses.map((w) => w.coverSeq),
      witnesses.map((w) => w.zone),
      witnesses.map((w) => w.size),
      witnesses.map((w) => w.root),
      witnesses.map((w) => w.oldSize),
      witnesses.map((w) => w.consistency),
      witnesses.map((w) => orNull(w.bundleId)),
      witnesses.map((w) => w.note),
      witnesses.map((w) => w.verdict),
      batch.size,
      batch.root,
      batch.note,
    ],
  });
}

function orNull(bytes: Uint8Array): Uint8Array | null {
  return bytes.length === 0 ? null : bytes;
}
