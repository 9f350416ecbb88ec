/**
 * Guarantee: what waits for the gate is told as it will leave: by lane and
 * priority, with how long it takes at a rate and what will have expired by then.
 */
import type pg from "pg";
import type { BacklogDocument, LaneBacklog } from "../backlog-document.ts";
import { query } from "../database.ts";

/** The observed rate is that of the last minutes: bundles leave in bursts. */
const RATE_WINDOW_MS = 300_000;
/** Not emitted yet, or recalled: what has its first pass or its repair before it. */
const TO_SEND = "state IN ('waiting', 'leased') AND (emitted_ms IS NULL OR repair)";

/**
 * @param lanes those that lead out of this zone, or the one asked for.
 * @param bytesPerSecond what the line is taken to carry; 0 = as observed.
 */
export async function readBacklog(
  pool: pg.Pool,
  lanes: readonly string[],
  bytesPerSecond: number,
): Promise<BacklogDocument["lanes"]> {
  const nowMs = Date.now();
  const documents: LaneBacklog[] = [];
  for (const lane of lanes) documents.push(await backlogOf(pool, lane, bytesPerSecond, nowMs));
  return documents;
}

async function backlogOf(
  pool: pg.Pool,
  lane: string,
  wished: number,
  nowMs: number,
): Promise<LaneBacklog> {
  const waiting = await waitingOf(pool, lane);
  const observed = await observedRate(pool, lane, nowMs);
  const bytesPerSecond = wished === 0 ? observed : wished;
  const toSend = waiting.filter(({ kind }) => kind !== "further-passes");
  const bytes = toSend.reduce((sum, row) => sum + row.bytes, 0);
  return {
    lane,
    waiting,
    bundles: toSend.reduce((sum, row) => sum + row.bundles, 0),
    bytes,
    unsealed: await unsealedOf(pool, lane),
    kept: await keptOf(pool, lane),
    observedBytesPerSecond: observed,
    bytesPerSecond,
    ...(bytes > 0 && bytesPerSecond === 0
      ? {}
      : { drainSeconds: bytes === 0 ? 0 : Math.ceil(bytes / bytesPerSecond) }),
    expiring: await expiringOf(pool, lane, bytesPerSecond, nowMs),
  };
}

async function waitingOf(pool: pg.Pool, lane: string): Promise<LaneBacklog["waiting"]> {
  const { rows } = await query<LaneBacklog["waiting"][number]>(
    pool,
    "backlog-waiting",
    `SELECT priority, kind, count(*) AS bundles, sum(size)::bigint AS bytes,
       min(created_ms) AS "oldestMs"
      FROM (SELECT priority, size, created_ms, CASE WHEN repair THEN 'repair'
              WHEN emitted_ms IS NULL THEN 'new' ELSE 'further-passes' END AS kind
             FROM outbox_bundle WHERE lane = $1 AND state IN ('waiting', 'leased')) AS queue
      GROUP BY priority, kind
      ORDER BY array_position(ARRAY['urgent', 'normal', 'bulk'], priority), array_position(ARRAY['new', 'repair', 'further-passes'], kind)`,
    [lane],
  );
  return rows;
}

async function unsealedOf(pool: pg.Pool, lane: string): Promise<LaneBacklog["unsealed"]> {
  const { rows } = await query<LaneBacklog["unsealed"]>(
    pool,
    "backlog-unsealed",
    `SELECT count(*) AS exchanges, coalesce(sum(size), 0)::bigint AS bytes
      FROM exchange WHERE lane = $1 AND state IN ('received', 'permitted', 'expired')`,
    [lane],
  );
  return rows[0] ?? { exchanges: 0, bytes: 0 };
}

async function keptOf(pool: pg.Pool, lane: string): Promise<LaneBacklog["kept"]> {
  const { rows } = await query<LaneBacklog["kept"]>(
    pool,
    "backlog-kept",
    `SELECT count(*) AS bundles, coalesce(sum(size), 0)::bigint AS bytes
      FROM outbox_bundle WHERE lane = $1 AND state = 'finished'`,
    [lane],
  );
  return rows[0] ?? { bundles: 0, bytes: 0 };
}

async function observedRate(pool: pg.Pool, lane: string, nowMs: number): Promise<number> {
  const { rows } = await query<{ bytes: number }>(
    pool,
    "backlog-observed",
    `SELECT coalesce(sum(size), 0)::bigint AS bytes FROM outbox_bundle
      WHERE lane = $1 AND inventory = 'held' AND emitted_ms > $2`,
    [lane, nowMs - RATE_WINDOW_MS],
  );
  return Math.round(((rows[0]?.bytes ?? 0) * 1_000) / RATE_WINDOW_MS);
}

/** In the order in which bundles are given out: each leaves after all before it. */
async function expiringOf(
  pool: pg.Pool,
  lane: string,
  bytesPerSecond: number,
  nowMs: number,
): Promise<LaneBacklog["expiring"]> {
  const { rows } = await query<LaneBacklog["expiring"]>(
    pool,
    "backlog-expiring",
    `SELECT count(*) AS bundles, coalesce(sum(size), 0)::bigint AS bytes FROM (
       SELECT size, expires_ms, sum(size) OVER (ORDER BY lease_order, created_ms, sequence
         ROWS UNBOUNDED PRECEDING) AS through
        FROM outbox_bundle WHERE lane = $1 AND ${TO_SEND}) AS queue
      WHERE expires_ms <= $2 + CASE WHEN $3::bigint = 0 THEN 0 ELSE through * 1000 / $3 END`,
    [lane, nowMs, bytesPerSecond],
  );
  return rows[0] ?? { bundles: 0, bytes: 0 };
}
