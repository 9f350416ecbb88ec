/**
 * Guarantee: a sealed bundle is handed to one ferry worker at a time, requests
 * before files, until its last pass is acknowledged; its file is kept until
 * retention is over.
 *
 * Embedded default: files in the outbox directory, their state in PostgreSQL.
 */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { GatewayError } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import type pg from "pg";
import { inTransaction, query } from "../database.ts";
import { Doorbell } from "./doorbell.ts";
import { asBuffer, type Priority } from "./exchange-rows.ts";
import { OutboxBytes } from "./outbox-bytes.ts";
import { BUNDLE_FILE, expireBundles, removeOrphanBundles } from "./outbox-files.ts";
import { listEmitted } from "./outbox-inventory.ts";
import { type Recalled, recallBundles, type Wanted } from "./outbox-recall.ts";
import { succeeds } from "./worker-name.ts";

/**
 * As long as a pass takes on a slow line: half a minute, plus the bundle at 10 MB/s. A ferry that
 * is given a bundle again which it still carries goes on with it under the new lease.
 */
const LEASE_MS = 30_000;
const LEASE_BYTES_PER_MS = 10_000;

export interface SealedEntry {
  readonly lane: string;
  readonly priority: Priority;
  readonly bundleId: string;
  readonly request: InstanceType<typeof lightferry.seal.v1.CommitRequest>;
}

export interface OutboxRow extends pg.QueryResultRow {
  readonly bundle_id: string;
  readonly lane: string;
  readonly stream: string;
  readonly sequence: number;
  readonly priority: string;
  readonly file: string;
  readonly size: number;
  readonly header_digest: Buffer;
  readonly expires_ms: number;
  readonly state: string;
  readonly lease_id: string | null;
  readonly lease_worker: string;
  readonly lease_expires_ms: number;
  readonly passes_done: number;
  readonly emitted_ms: number | null;
  /** Recalled for a repair ticket. */
  readonly repair: boolean;
}

/** What seal queue and ferry service need of an outbox; a clustered one would stand here too. */
export interface Outbox {
  /** True when this very bundle is in already. */
  has(bundleId: string, headerDigest: Uint8Array): Promise<boolean>;
  /** @throws GatewayError `outbox.file-invalid`. */
  checkFile(file: string, size: number): Promise<void>;
  /** Takes a bundle in, in the transaction of its commit. */
  put(client: pg.PoolClient, entry: SealedEntry): Promise<void>;
  /** Up to `max` bundles of a lane for one worker. */
  lease(lane: string, worker: string, max: number): Promise<readonly OutboxRow[]>;
  /** The bundle, locked, if this lease on it is in force. @throws GatewayError `outbox.lease-lost`. */
  hold(client: pg.PoolClient, bundleId: string, leaseId: string): Promise<OutboxRow>;
  /** Writes how far a held bundle has come and renews its lease. */
  progress(client: pg.PoolClient, row: OutboxRow, step: OutboxStep): Promise<void>;
  /** What may be sent again; as in outbox-inventory.ts. */
  listEmitted(ask: EmittedQuestion): Promise<lightferry.ferry.v1.ListEmittedResponse.$Properties>;
  /** Queues again what a repair ticket names; as in outbox-recall.ts. */
  recall(client: pg.PoolClient, wanted: Wanted): Promise<Recalled>;
  /** Removes files whose retention is over: what was finished before this moment. @returns how many. */
  expire(beforeMs: (lane: string) => number): Promise<number>;
  /** Removes files of this age that no row names: seals whose commit never came. @returns how many. */
  removeOrphans(minAgeMs: number): Promise<number>;
  /** Bytes of all files: waiting, under way, kept for repair. */
  readonly bytes: number;
  /** Bytes removed since the start. */
  readonly freedBytes: number;
  /** Wakes who waits for a bundle. */
  ring(): void;
  /** As in doorbell.ts. */
  readonly rings: number;
  wait(since: number, ms: number, signal: AbortSignal): Promise<void>;
}

export interface EmittedQuestion {
  readonly lane: string;
  readonly sinceMs: number;
  readonly after: string;
}

export interface OutboxStep {
  readonly passesDone: number;
  readonly emitted: boolean;
  readonly finished: boolean;
  /** Empty unless the ferry refuses the bundle. */
  readonly refuseCode: string;
}

export class SpoolOutbox implements Outbox {
  readonly #pool: pg.Pool;
  readonly #dir: string;
  readonly #bytes: OutboxBytes;
  readonly #bell = new Doorbell();

  private constructor(pool: pg.Pool, dir: string, bytes: OutboxBytes) {
    this.#pool = pool;
    this.#dir = dir;
    this.#bytes = bytes;
  }

  static async open(pool: pg.Pool, dir: string): Promise<SpoolOutbox> {
    return new SpoolOutbox(pool, dir, await OutboxBytes.count(pool));
  }

  removeOrphans(minAgeMs: number): Promise<number> {
    return removeOrphanBundles(this.#pool, this.#dir, minAgeMs);
  }

  async has(bundleId: string, headerDigest: Uint8Array): Promise<boolean> {
    const found = await query(
      this.#pool,
      "outbox-has",
      "SELECT 1 FROM outbox_bundle WHERE bundle_id = $1 AND header_digest = $2",
      [bundleId, asBuffer(headerDigest)],
    );
    return found.rows.length > 0;
  }

  async checkFile(file: string, size: number): Promise<void> {
    if (!BUNDLE_FILE.test(file)) throw new GatewayError("outbox.file-invalid", { detail: "name" });
    const found = await stat(join(this.#dir, file)).catch(() => undefined);
    if (found?.size !== size) {
      throw new GatewayError("outbox.file-invalid", { detail: `${file}: ${found?.size} bytes` });
    }
  }

  async put(client: pg.PoolClient, entry: SealedEntry): Promise<void> {
    const { request } = entry;
    await query(
      client,
      "outbox-put",
      `INSERT INTO outbox_bundle (bundle_id, lane, stream, sequence, priority, file, size,
         header_digest, item_root, created_ms, expires_ms, state)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'waiting')`,
      [
        entry.bundleId,
        entry.lane,
        request.stream,
        request.sequence,
        entry.priority,
        request.file,
        request.size,
        asBuffer(request.headerDigest),
        asBuffer(request.itemRoot),
        Date.now(),
        request.expiresMs,
      ],
    );
    this.#bytes.held += request.size;
  }

  lease(lane: string, worker: string, max: number): Promise<readonly OutboxRow[]> {
    return inTransaction(this.#pool, async (client) => {
      await this.#takeBack(client, lane, worker);
      const now = Date.now();
      // 'normal' sorts after 'bulk', so descending puts requests before files. Repairs wait like
      // second passes: after an outage what was never sent goes first.
      const result = await query<OutboxRow>(
        client,
        "outbox-lease",
        `UPDATE outbox_bundle o SET state = 'leased', lease_id = q.lease_id, lease_worker = $2,
           lease_expires_ms = $3 + $4 + o.size / $5
          FROM (SELECT bundle_id, gen_random_uuid() AS lease_id FROM outbox_bundle
                 WHERE lane = $1 AND (state = 'waiting' OR (state = 'leased' AND lease_expires_ms <= $3))
                 ORDER BY priority DESC, repair, created_ms, sequence LIMIT $6
                 FOR UPDATE SKIP LOCKED) AS q
         WHERE o.bundle_id = q.bundle_id RETURNING o.*`,
        [lane, worker, now, LEASE_MS, LEASE_BYTES_PER_MS, max],
      );
      return result.rows.toSorted(
        (a, b) =>
          b.priority.localeCompare(a.priority) ||
          Number(a.repair) - Number(b.repair) ||
          a.sequence - b.sequence,
      );
    });
  }

  // A ferry that was killed and is back under its name goes on with what it had.
  async #takeBack(client: pg.PoolClient, lane: string, worker: string): Promise<void> {
    const held = await query<{ lease_worker: string }>(
      client,
      "outbox-holders",
      `SELECT DISTINCT lease_worker FROM outbox_bundle WHERE lane = $1 AND state = 'leased'`,
      [lane],
    );
    const former = held.rows
      .map((row) => row.lease_worker)
      .filter((name) => succeeds(worker, name));
    if (former.length === 0) return;
    await query(
      client,
      "outbox-take-back",
      `UPDATE outbox_bundle SET state = 'waiting', lease_id = NULL
        WHERE lane = $1 AND state = 'leased' AND lease_worker = ANY($2::text[])`,
      [lane, former],
    );
  }

  async hold(client: pg.PoolClient, bundleId: string, leaseId: string): Promise<OutboxRow> {
    const result = await query<OutboxRow>(
      client,
      "outbox-hold",
      `SELECT * FROM outbox_bundle WHERE bundle_id = $1 AND lease_id::text = $2 FOR UPDATE`,
      [bundleId, leaseId],
    );
    const row = result.rows[0];
    if (row === undefined) throw new GatewayError("outbox.lease-lost", { detail: bundleId });
    return row;
  }

  async progress(client: pg.PoolClient, row: OutboxRow, step: OutboxStep): Promise<void> {
    const now = Date.now();
    const ended = step.refuseCode !== "" ? "refused" : step.finished ? "finished" : row.state;
    await query(
      client,
      "outbox-progress",
      `UPDATE outbox_bundle SET state = $2, passes_done = greatest(passes_done, $3),
         emitted_ms = coalesce(emitted_ms, $4), finished_ms = coalesce($5, finished_ms),
         repair = repair AND $5::bigint IS NULL, refuse_code = $6, lease_expires_ms = $7
        WHERE bundle_id = $1`,
      [
        row.bundle_id,
        ended,
        step.passesDone,
        step.emitted ? now : null,
        ended === "leased" ? null : now,
        step.refuseCode,
        now + LEASE_MS + Math.ceil(row.size / LEASE_BYTES_PER_MS),
      ],
    );
  }

  async expire(beforeMs: (lane: string) => number): Promise<number> {
    const removed = await expireBundles(this.#pool, this.#dir, beforeMs);
    for (const size of removed) this.#bytes.remove(size);
    return removed.length;
  }

  get bytes(): number {
    return this.#bytes.held;
  }

  get freedBytes(): number {
    return this.#bytes.freed;
  }

  listEmitted(ask: EmittedQuestion): Promise<lightferry.ferry.v1.ListEmittedResponse.$Properties> {
    return listEmitted(this.#pool, ask);
  }

  recall(client: pg.PoolClient, wanted: Wanted): Promise<Recalled> {
    return recallBundles(client, this.#dir, wanted, Date.now());
  }

  ring(): void {
    this.#bell.ring();
  }

  get rings(): number {
    return this.#bell.rings;
  }

  wait(since: number, ms: number, signal: AbortSignal): Promise<void> {
    return this.#bell.wait(since, ms, signal);
  }
}
