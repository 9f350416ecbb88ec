/**
 * Guarantee: a sealed bundle is handed to one ferry worker at a time until its
 * last pass is acknowledged; its file is kept until retention is over.
 *
 * Embedded default: files in the outbox directory, their state in PostgreSQL.
 */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { GatewayError } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import type pg from "pg";
import { query } from "../database.ts";
import { OUTBOX_FILE } from "../outbox-file.ts";
import { Doorbell } from "./doorbell.ts";
import { asBuffer } from "./exchange-rows.ts";
import type { EmittedQuestion, Outbox, OutboxRow, OutboxStep, SealedEntry } from "./outbox.ts";
import { OutboxBytes } from "./outbox-bytes.ts";
import { expireBundles, removeOrphanBundles } from "./outbox-files.ts";
import { listEmitted } from "./outbox-inventory.ts";
import { LEASE_BYTES_PER_MS, LEASE_MS, type LeaseAsk, OutboxLeases } from "./outbox-lease.ts";
import { type Recalled, recallBundles, type Wanted } from "./outbox-recall.ts";

export class SpoolOutbox implements Outbox {
  readonly #pool: pg.Pool;
  readonly #dir: string;
  readonly #bytes: OutboxBytes;
  readonly #leases: OutboxLeases;
  readonly #bell = new Doorbell();

  private constructor(pool: pg.Pool, dir: string, bytes: OutboxBytes) {
    this.#pool = pool;
    this.#dir = dir;
    this.#bytes = bytes;
    this.#leases = new OutboxLeases(pool);
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
    if (!OUTBOX_FILE.test(file)) throw new GatewayError("outbox.file-invalid", { detail: "name" });
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

  lease(ask: LeaseAsk): Promise<readonly OutboxRow[]> {
    return this.#leases.give(ask);
  }

  renew(lane: string, leaseIds: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#leases.renew(lane, leaseIds);
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
    // One that had run out is in force again: nobody else was given the bundle.
    const ended = step.refuseCode !== "" ? "refused" : step.finished ? "finished" : "leased";
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
