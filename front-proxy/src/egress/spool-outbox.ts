/**
 * Guarantee: a sealed bundle is handed to one ferry worker at a time, requests
 * before files, new ones before repairs, until its last pass is acknowledged;
 * its file is kept until retention is over.
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
import { asBuffer } from "./exchange-rows.ts";
import type { EmittedQuestion, Outbox, OutboxRow, OutboxStep, SealedEntry } from "./outbox.ts";
import { OutboxBytes } from "./outbox-bytes.ts";
import { BUNDLE_FILE, expireBundles, removeOrphanBundles } from "./outbox-files.ts";
import { listEmitted } from "./outbox-inventory.ts";
import { type Recalled, recallBundles, type Wanted } from "./outbox-recall.ts";
import { succeeds } from "./worker-name.ts";

/**
 * As long as a pass takes on a slow line: half a minute, plus the bundle at 10 MB/s. A ferry renews what
 * it holds every ten seconds, so that only a dead one's bundles go to another. One that is given a
 * bundle again which it still carries goes on with it under the new lease.
 */
const LEASE_MS = 30_000;
const LEASE_BYTES_PER_MS = 10_000;
/** What the database gives out as a lease. */
const LEASE_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

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

  async renew(lane: string, leaseIds: readonly string[]): Promise<ReadonlySet<string>> {
    const result = await query<{ lease_id: string }>(
      this.#pool,
      "outbox-renew",
      `UPDATE outbox_bundle
          SET lease_expires_ms = greatest(lease_expires_ms, $3::bigint + size / $4::bigint)
        WHERE lane = $1 AND state = 'leased' AND lease_id = ANY($2::uuid[])
        RETURNING lease_id::text`,
      [
        lane,
        leaseIds.filter((leaseId) => LEASE_ID.test(leaseId)),
        Date.now() + LEASE_MS,
        LEASE_BYTES_PER_MS,
      ],
    );
    return new Set(result.rows.map((row) => row.lease_id));
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
