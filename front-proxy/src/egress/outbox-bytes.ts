/**
 * Guarantee: how many bytes the outbox holds is known without asking the
 * database at every submission: counted at start, then kept.
 */
import type pg from "pg";
import { query } from "../database.ts";

export class OutboxBytes {
  /** Waiting, under way and kept for repair. A commit that fails after it was counted counts on. */
  held: number;
  /** Removed since the start. */
  freed = 0;

  private constructor(held: number) {
    this.held = held;
  }

  static async count(pool: pg.Pool): Promise<OutboxBytes> {
    const { rows } = await query<{ bytes: number }>(
      pool,
      "outbox-bytes",
      `SELECT ((SELECT coalesce(sum(size), 0) FROM outbox_bundle
                 WHERE state IN ('waiting', 'leased'))
             + (SELECT coalesce(sum(size), 0) FROM outbox_bundle
                 WHERE state IN ('finished', 'refused')))::bigint AS bytes`,
    );
    return new OutboxBytes(rows[0]?.bytes ?? 0);
  }

  remove(bytes: number): void {
    this.held -= bytes;
    this.freed += bytes;
  }
}
