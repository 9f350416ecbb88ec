/** Guarantee: reads use the log's indexes only; an answer is bounded by rows and by bytes. */
import { GatewayError } from "@lightferry/proto/errors";
import type pg from "pg";
import type { TileKey, TileReader } from "../tree/proof.ts";
import { databaseError } from "./connect.ts";

/** Half a message; the other half of an answer is the other zone's trails. */
const MAX_ANSWER_BYTES = 3 * 1024 * 1024;
/** An exchange leaves some twenty events; a thousand retries are still shown. */
const MAX_TRAIL_EVENTS = 2_000;
/** One trail per bundle that carried the exchange. */
const MAX_PEER_TRAILS = 100;
/** 8 KiB each; a proof between recent sizes touches about a dozen. */
const CACHED_TILES = 256;

export interface EventFilter {
  /** Strictly older than this index. */
  readonly beforeIndex?: number;
  readonly limit: number;
  readonly typePrefix?: string;
  readonly outcome?: string;
  readonly code?: string;
  readonly actor?: string;
  readonly lane?: string;
  /** Logged at or after, ms. */
  readonly fromMs?: number;
  /** Logged before, ms. */
  readonly toMs?: number;
  readonly exchangeId?: Uint8Array;
}

export interface StoredEvent {
  readonly index: number;
  readonly event: Uint8Array;
  readonly loggedMs: number;
}

interface EventRow {
  seq: number;
  logged_ms: number;
  canonical: Buffer;
}

/** Newest first. */
export async function listEvents(pool: pg.Pool, filter: EventFilter): Promise<StoredEvent[]> {
  const values: unknown[] = [];
  const where: string[] = [];
  const add = (condition: (slot: string) => string, value: unknown): void => {
    if (value === undefined) return;
    values.push(value);
    where.push(condition(`$${values.length}`));
  };
  add((p) => `seq < ${p}`, filter.beforeIndex);
  add((p) => `outcome = ${p}`, filter.outcome);
  add((p) => `code = ${p} and code <> ''`, filter.code);
  add((p) => `actor = ${p}`, filter.actor);
  add((p) => `lane = ${p}`, filter.lane);
  add((p) => `exchange_id = ${p}`, filter.exchangeId);
  add((p) => `type >= ${p}`, filter.typePrefix);
  // Types are lower-case ASCII: every one with the prefix sorts before prefix || DEL.
  add((p) => `type < ${p} || chr(127)`, filter.typePrefix);
  // Logged times ascend with the index, so a time becomes an index through the checkpoints;
  // the plain condition lets whole months be left out.
  add(
    (p) => `logged_ms >= ${p} and seq >= coalesce((select previous_size from audit.checkpoint
      where logged_ms >= ${p} order by logged_ms, size limit 1), 9007199254740991)`,
    filter.fromMs,
  );
  add(
    (p) => `logged_ms < ${p} and seq < coalesce((select size from audit.checkpoint
      where logged_ms < ${p} order by logged_ms desc, size desc limit 1), 0)`,
    filter.toMs,
  );
  values.push(filter.limit);
  const rows = await query<EventRow>(
    pool,
    `select seq, logged_ms, canonical from audit.event
     ${where.length === 0 ? "" : `where ${where.join(" and ")}`}
     order by seq desc limit $${values.length}`,
    values,
  );
  return withinBytes(rows).map(storedEvent);
}

/** An exchange's own events and those of the bundles that carried it, oldest first. */
export async function ownTrail(pool: pg.Pool, exchangeId: Uint8Array): Promise<StoredEvent[]> {
  const rows = await query<EventRow>(
    pool,
    `with own as (
       select seq, logged_ms, canonical, bundle_id from audit.event where exchange_id = $1
       order by seq limit ${MAX_TRAIL_EVENTS}
     )
     select seq, logged_ms, canonical from own
     union all
     select e.seq, e.logged_ms, e.canonical
     from (select distinct bundle_id from own where bundle_id is not null) b
     join audit.event e on e.bundle_id = b.bundle_id and e.exchange_id is null
       and e.type >= 'bundle.' and e.type < 'bundle/'
     order by seq limit ${MAX_TRAIL_EVENTS}`,
    [exchangeId],
  );
  return withinBytes(rows).map(storedEvent);
}

/** Canonical PeerTrail bytes, in the order they came. */
export async function peerTrails(pool: pg.Pool, exchangeId: Uint8Array): Promise<Uint8Array[]> {
  const rows = await query<{ canonical: Buffer }>(
    pool,
    `select canonical from audit.peer_trail where exchange_id = $1
     order by cover_seq, position limit ${MAX_PEER_TRAILS}`,
    [exchangeId],
  );
  return withinBytes(rows).map((row) => row.canonical);
}

/** Reads stored tiles through a small cache: completed tiles never change. */
export function tileReader(pool: pg.Pool): TileReader {
  const cache = new Map<string, Uint8Array>();
  const name = (tile: TileKey) => `${tile.level}/${tile.index}`;
  return async (keys) => {
    const missing = keys.filter((key) => !cache.has(name(key)));
    const read = new Map<string, Uint8Array>();
    if (missing.length > 0) {
      const rows = await query<{ level: number; index: number; hashes: Buffer }>(
        pool,
        `select t.level, t.index, t.hashes from audit.tile t
         join unnest($1::smallint[], $2::bigint[]) as k(level, index)
           on t.level = k.level and t.index = k.index`,
        [missing.map((key) => key.level), missing.map((key) => key.index)],
      );
      for (const row of rows) read.set(name(row), row.hashes);
    }
    const tiles = keys.map((key) => {
      const tile = read.get(name(key)) ?? cache.get(name(key));
      if (tile === undefined) throw new GatewayError("audit.log-damaged", { detail: name(key) });
      return tile;
    });
    for (const [key, tile] of read) {
      if (cache.size >= CACHED_TILES) cache.delete(cache.keys().next().value ?? "");
      cache.set(key, tile);
    }
    return tiles;
  };
}

export async function query<Row extends pg.QueryResultRow>(
  pool: pg.Pool,
  text: string,
  values: unknown[],
): Promise<Row[]> {
  try {
    return (await pool.query<Row>(text, values)).rows;
  } catch (error) {
    throw databaseError(error);
  }
}

function storedEvent(row: EventRow): StoredEvent {
  return { index: row.seq, event: row.canonical, loggedMs: row.logged_ms };
}

/** The first rows that fit into one answer; at least one. */
function withinBytes<Row extends { canonical: Buffer }>(rows: readonly Row[]): Row[] {
  let total = 0;
  return rows.filter((row, i) => {
    total += row.canonical.length;
    return i === 0 || total <= MAX_ANSWER_BYTES;
  });
}
