/**
 * Guarantee: the statements of the seal queue. One stream is leased to one
 * worker at a time; its fence rises with every lease.
 */
import type { lightferry } from "@lightferry/proto/gen";
import type { Priority } from "@lightferry/proto/registry";
import type pg from "pg";
import { query } from "../database.ts";
import { asBuffer } from "./exchange-rows.ts";

/** A digest of zeros: what sequence 1 of a stream names as its predecessor (bundle.proto). */
const NO_PREVIOUS = Buffer.alloc(32);

export interface StreamRow extends pg.QueryResultRow {
  readonly stream: string;
  readonly lane: string;
  readonly next_sequence: number;
  readonly previous_digest: Buffer;
  readonly fence: number;
  readonly lease_id: string | null;
  readonly lease_worker: string;
  readonly lease_expires_ms: number;
  readonly carried_size: number;
}

export interface WaitingRow extends pg.QueryResultRow {
  readonly id: string;
  readonly caller: string;
  readonly service: string;
  readonly grade: string;
  readonly client_address: string;
  readonly size: number;
  readonly policy_version: string;
  readonly wrapped_key: Buffer | null;
  readonly material: Buffer | null;
  readonly batch: Buffer | null;
  readonly trail: Buffer | null;
  readonly file: string | null;
}

/** Lanes on which something of this priority waits, the longest waiting first. */
export async function waitingLanes(
  on: pg.Pool | pg.PoolClient,
  priority: Priority,
  lanes: readonly string[],
): Promise<readonly string[]> {
  const result = await query<{ lane: string }>(
    on,
    "seal-lanes",
    `SELECT q.lane FROM unnest($2::text[]) AS q (lane)
      CROSS JOIN LATERAL (SELECT id FROM exchange e
        WHERE e.lane = q.lane AND e.priority = $1 AND e.state = 'permitted'
        ORDER BY id LIMIT 1) AS oldest
      ORDER BY oldest.id`,
    [priority, lanes],
  );
  return result.rows.map((row) => row.lane);
}

/** The stream's row, locked; made if it is the first time. */
export async function lockStream(
  client: pg.PoolClient,
  stream: string,
  lane: string,
  priority: Priority,
): Promise<StreamRow | undefined> {
  await query(
    client,
    "stream-make",
    `INSERT INTO seal_stream (stream, lane, priority, previous_digest)
     VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
    [stream, lane, priority, NO_PREVIOUS],
  );
  const result = await query<StreamRow>(
    client,
    "stream-lock",
    "SELECT * FROM seal_stream WHERE stream = $1 FOR UPDATE SKIP LOCKED",
    [stream],
  );
  return result.rows[0];
}

/** What one lease may hold; see seal-queue.ts for the reasons. */
export interface LeaseCaps {
  readonly items: number;
  /** Encrypted bytes that travel inside the answer. */
  readonly inlineBytes: number;
  /** What all items may take of a bundle's header. */
  readonly headerBytes: number;
  /** Plaintext bytes of all items; one larger item still goes, alone. */
  readonly contentBytes: number;
}

/** Oldest first, within the caps; the content of spool files stays where it is. */
export async function takeWaiting(
  client: pg.PoolClient,
  lane: string,
  priority: Priority,
  nowMs: number,
  caps: LeaseCaps,
): Promise<readonly WaitingRow[]> {
  // octet_length of an out-of-line value is read from its pointer: nothing is fetched to weigh it.
  const result = await query<WaitingRow>(
    client,
    "seal-take",
    `SELECT e.id, caller, service, grade, client_address, e.size, policy_version,
            wrapped_key, material, batch, trail, file
       FROM (SELECT id, row_number() OVER w AS place, sum(size) OVER w AS plain,
                    sum(inline) OVER w AS carried, sum(header_bytes) OVER w AS header
               FROM (SELECT id, size, header_bytes,
                            coalesce(octet_length(material), 0)
                              + coalesce(octet_length(trail), 0) AS inline
                       FROM exchange
                      WHERE lane = $1 AND priority = $2 AND state = 'permitted' AND expires_ms > $3
                      ORDER BY id LIMIT $4) AS oldest
             WINDOW w AS (ORDER BY id)) AS weighed
       JOIN exchange e USING (id)
      WHERE place = 1 OR (plain <= $5 AND carried <= $6 AND header <= $7)
      ORDER BY e.id`,
    [lane, priority, nowMs, caps.items, caps.contentBytes, caps.inlineBytes, caps.headerBytes],
  );
  return result.rows;
}

export async function writeLease(
  client: pg.PoolClient,
  stream: string,
  lease: {
    readonly id: string;
    readonly worker: string;
    readonly expiresMs: number;
    /** Tree size of the checkpoint handed out; 0 = none. */
    readonly carries: number;
  },
): Promise<number> {
  const result = await query<{ fence: number }>(
    client,
    "stream-lease",
    `UPDATE seal_stream SET fence = fence + 1, lease_id = $2, lease_worker = $3,
       lease_expires_ms = $4, lease_carries = $5 WHERE stream = $1 RETURNING fence`,
    [stream, lease.id, lease.worker, lease.expiresMs, lease.carries],
  );
  return result.rows[0]?.fence ?? 0;
}

/** Ends a lease; true when it was still the one in force. */
export async function endLease(
  on: pg.Pool | pg.PoolClient,
  leaseId: string,
): Promise<string | undefined> {
  const result = await query<{ stream: string }>(
    on,
    "stream-release",
    `UPDATE seal_stream SET lease_id = NULL, lease_expires_ms = 0
      WHERE lease_id = $1 RETURNING stream`,
    [leaseId],
  );
  return result.rows[0]?.stream;
}

/**
 * Advances the stream if lease, fence and sequence are those in force.
 * @returns the lane, or undefined when the lease was lost.
 */
export async function advanceStream(
  client: pg.PoolClient,
  commit: lightferry.seal.v1.CommitRequest,
): Promise<{ readonly lane: string; readonly priority: Priority } | undefined> {
  const result = await query<{ lane: string; priority: Priority }>(
    client,
    "stream-advance",
    `UPDATE seal_stream SET next_sequence = next_sequence + 1, previous_digest = $5,
       lease_id = NULL, lease_expires_ms = 0, carried_size = greatest(carried_size, lease_carries)
      WHERE stream = $1 AND lease_id = $2 AND fence = $3 AND next_sequence = $4
      RETURNING lane, priority`,
    [commit.stream, commit.leaseId, commit.fence, commit.sequence, asBuffer(commit.headerDigest)],
  );
  return result.rows[0];
}
