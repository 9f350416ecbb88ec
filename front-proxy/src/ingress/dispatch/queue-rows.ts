/**
 * Guarantee: one statement each. A delivery is handed out only while it is
 * `permitted` and due, and never before one that must precede it.
 *
 * Order (only among exchanges of one lane and caller with the same ordering key):
 * exchange ids ascend in the order of submission. An ordered delivery waits while
 *  - an earlier one of its key is permitted, dispatched or in doubt;
 *  - an earlier bundle of its stream is accepted but not opened;
 *  - a number of its stream below its own has not come, unless its own bundle has
 *    expired: then the missing one, sealed before it, could no longer be accepted.
 * A dead letter does not block its successors; a doubt does, until a person decides.
 */
import type { Pool } from "pg";
import { query } from "../../database.ts";
import type { TimelineStep } from "../../document.ts";

export interface ClaimedRow {
  readonly exchange_id: Buffer;
  readonly bundle_id: Buffer;
  readonly lane: string;
  readonly service: string;
  readonly caller: string;
  readonly grade: string;
  readonly ordering_key: string;
  readonly entry: Buffer;
  readonly size: number;
  readonly digest: Buffer;
  readonly attempts: number;
  readonly wrapped_key: Buffer | null;
  readonly ciphertext: Buffer | null;
  readonly staged_file: string | null;
}

const COLUMNS = `d.exchange_id, d.bundle_id, d.lane, d.service, d.caller, d.grade, d.ordering_key,
  d.entry, d.size, d.digest, d.attempts, d.wrapped_key, d.ciphertext, d.staged_file`;

const CLAIM = `
  WITH due AS (
    SELECT d.exchange_id FROM delivery d
    WHERE d.service = $1 AND d.state = 'permitted' AND d.next_attempt_ms <= $2
      AND (d.ordering_key = '' OR (
        NOT EXISTS (
          SELECT 1 FROM delivery e
          WHERE e.lane = d.lane AND e.caller = d.caller AND e.ordering_key = d.ordering_key
            AND e.ordering_key <> '' AND e.exchange_id < d.exchange_id
            AND e.state IN ('permitted', 'dispatched', 'in-doubt'))
        AND NOT EXISTS (
          SELECT 1 FROM inbox_bundle b
          WHERE b.stream = d.stream AND b.sequence < d.sequence AND b.state = 'accepted')
        AND (d.bundle_expires_ms <= $2 OR EXISTS (
          SELECT 1 FROM ingress_stream s
          WHERE s.stream = d.stream AND s.low_water >= d.sequence - 1))))
    ORDER BY d.next_attempt_ms, d.exchange_id
    LIMIT $3
    FOR UPDATE SKIP LOCKED)
  UPDATE delivery d
  SET state = 'dispatched', attempts = d.attempts + 1, updated_ms = $2,
      timeline = d.timeline || jsonb_build_object('atMs', $2::bigint, 'state', 'dispatched')
  FROM due WHERE d.exchange_id = due.exchange_id
  RETURNING ${COLUMNS}`;

/** Takes up to `limit` due deliveries of a service, in order of their due time. */
export async function claim(
  pool: Pool,
  service: string,
  limit: number,
  nowMs: number,
): Promise<ClaimedRow[]> {
  const { rows } = await query<ClaimedRow>(pool, "ingress.claim", CLAIM, [service, nowMs, limit]);
  return rows.sort((a, b) => Buffer.compare(a.exchange_id, b.exchange_id));
}

/** When the next delivery that is not due yet becomes due. */
export async function nextDueMs(
  pool: Pool,
  service: string,
  nowMs: number,
): Promise<number | undefined> {
  const { rows } = await query<{ due: number | null }>(
    pool,
    "ingress.next-due",
    `SELECT min(next_attempt_ms) AS due FROM delivery
     WHERE service = $1 AND state = 'permitted' AND next_attempt_ms > $2`,
    [service, nowMs],
  );
  return rows[0]?.due ?? undefined;
}

/** Puts claimed deliveries back as if they had not been claimed: no call was made. */
export async function release(
  pool: Pool,
  exchangeIds: readonly Uint8Array[],
  nextAttemptMs: number,
): Promise<void> {
  await query(
    pool,
    "ingress.release",
    `UPDATE delivery SET state = 'permitted', attempts = attempts - 1, next_attempt_ms = $2,
       timeline = timeline - (-1)
     WHERE exchange_id = ANY($1::bytea[]) AND state = 'dispatched'`,
    [exchangeIds, nextAttemptMs],
  );
}

export interface SettledRow {
  readonly exchangeId: Uint8Array;
  readonly state: "delivered" | "failed" | "in-doubt" | "permitted";
  readonly code: string | undefined;
  readonly nextAttemptMs: number;
  readonly step: TimelineStep;
}

/** Outcomes of attempts, in one statement; content of delivered exchanges is shredded by it. */
export async function settle(
  pool: Pool,
  settled: readonly SettledRow[],
  nowMs: number,
): Promise<void> {
  await query(
    pool,
    "ingress.settle",
    `UPDATE delivery d
     SET state = u.state, code = u.code, next_attempt_ms = u.due, updated_ms = $1,
         timeline = d.timeline || u.step,
         wrapped_key = CASE WHEN u.state = 'delivered' THEN NULL ELSE d.wrapped_key END,
         ciphertext = CASE WHEN u.state = 'delivered' THEN NULL ELSE d.ciphertext END,
         staged_file = CASE WHEN u.state = 'delivered' THEN NULL ELSE d.staged_file END
     FROM unnest($2::bytea[], $3::text[], $4::text[], $5::bigint[], $6::jsonb[])
       AS u(exchange_id, state, code, due, step)
     WHERE d.exchange_id = u.exchange_id AND d.state = 'dispatched'`,
    [
      nowMs,
      settled.map((row) => row.exchangeId),
      settled.map((row) => row.state),
      settled.map((row) => row.code ?? null),
      settled.map((row) => row.nextAttemptMs),
      settled.map((row) => JSON.stringify(row.step)),
    ],
  );
}

/** Deliveries that a stopped process had handed to their targets without an outcome. */
export async function findDispatched(pool: Pool): Promise<ClaimedRow[]> {
  const { rows } = await query<ClaimedRow>(
    pool,
    "ingress.dispatched",
    `SELECT ${COLUMNS} FROM delivery d WHERE d.state = 'dispatched'`,
  );
  return rows;
}

/** Which of these exchanges is still on its way to its target. */
export async function isOnItsWay(pool: Pool, exchangeId: Uint8Array): Promise<boolean> {
  const { rows } = await query(
    pool,
    "ingress.on-its-way",
    "SELECT 1 FROM delivery WHERE exchange_id = $1 AND state <> 'delivered' AND state <> 'returned'",
    [exchangeId],
  );
  return rows.length > 0;
}

/** Deliveries of services that have no target any more become dead letters. */
export async function failWithoutTarget(
  pool: Pool,
  services: readonly string[],
  step: TimelineStep,
): Promise<ClaimedRow[]> {
  const { rows } = await query<ClaimedRow>(
    pool,
    "ingress.fail-without-target",
    `UPDATE delivery d SET state = 'failed', code = 'target.unknown', updated_ms = $2,
       timeline = d.timeline || $3::jsonb
     WHERE d.state IN ('permitted', 'dispatched') AND d.service <> ALL($1::text[])
     RETURNING ${COLUMNS}`,
    [services, step.atMs, JSON.stringify(step)],
  );
  return rows;
}
