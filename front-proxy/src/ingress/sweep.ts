/**
 * Guarantee: files go only when nothing needs them: a bundle after its expiry
 * and its opening, a refused file after the repair horizon, content of refused
 * exchanges after both. What is still to be delivered, or in doubt, is never swept; nor are bundles
 * of a revoked or denied key, about which a person decides.
 */
import { join } from "node:path";
import type { Pool } from "pg";
import type { FrontProxyContext } from "../context.ts";
import { query } from "../database.ts";
import type { Spool } from "../payload/spool.ts";
import { WITHDRAWN_KEY_CODES } from "./failures.ts";
import { type InboxDirs, removeFile } from "./inbox/files.ts";
import { QUARANTINE_RETENTION_MS, VERDICT_MARGIN_MS } from "./tuning.ts";

/** Rows of one round: a round ends soon, and the next comes in a minute. */
const ROUND = 1_000;

export async function sweep(
  context: Pick<FrontProxyContext, "pool">,
  dirs: InboxDirs,
  staging: Spool,
  nowMs: number,
): Promise<void> {
  const { pool } = context;
  const horizon = nowMs - QUARANTINE_RETENTION_MS;
  for (const file of await expiredBundles(pool, nowMs)) {
    await removeFile(join(dirs.inbox, file));
    await query(
      pool,
      "ingress.sweep-bundle",
      "UPDATE inbox_bundle SET file_gone = true WHERE file = $1",
      [file],
    );
  }
  for (const { id, file } of await oldRefusals(pool, horizon)) {
    await removeFile(join(dirs.quarantine, file));
    await query(
      pool,
      "ingress.sweep-refused",
      "UPDATE quarantined_bundle SET file_gone = true WHERE id = $1",
      [id],
    );
  }
  for (const { exchangeId, file } of await refusedContent(pool, nowMs, horizon)) {
    await query(
      pool,
      "ingress.sweep-delivery",
      `UPDATE delivery SET wrapped_key = NULL, ciphertext = NULL, staged_file = NULL
       WHERE exchange_id = $1 AND state = 'quarantined'`,
      [exchangeId],
    );
    if (file !== null) await staging.remove(file);
  }
  await query(pool, "ingress.sweep-verdict", "DELETE FROM used_verdict WHERE expires_ms < $1", [
    nowMs - VERDICT_MARGIN_MS,
  ]);
}

/** Staging files that no row names: a crash came between file and row, or between row and removal. */
export async function removeOrphans(pool: Pool, staging: Spool): Promise<void> {
  const names = await staging.names();
  const { rows } = await query<{ staged_file: string }>(
    pool,
    "ingress.staged",
    "SELECT staged_file FROM delivery WHERE staged_file = ANY($1::text[])",
    [names],
  );
  const needed = new Set(rows.map((row) => row.staged_file));
  for (const name of names) if (!needed.has(name)) await staging.remove(name);
}

async function expiredBundles(pool: Pool, nowMs: number): Promise<string[]> {
  const { rows } = await query<{ file: string }>(
    pool,
    "ingress.sweep-bundles",
    `SELECT file FROM inbox_bundle
     WHERE NOT file_gone AND expires_ms < $1 AND state <> 'accepted'
       AND (code IS NULL OR code <> ALL($3::text[])) LIMIT $2`,
    [nowMs, ROUND, WITHDRAWN_KEY_CODES],
  );
  return rows.map((row) => row.file);
}

async function oldRefusals(pool: Pool, beforeMs: number): Promise<{ id: number; file: string }[]> {
  const { rows } = await query<{ id: number; file: string }>(
    pool,
    "ingress.sweep-refusals",
    `SELECT id, file FROM quarantined_bundle
     WHERE NOT file_gone AND refused_ms < $1 AND code <> ALL($3::text[]) LIMIT $2`,
    [beforeMs, ROUND, WITHDRAWN_KEY_CODES],
  );
  return rows;
}

async function refusedContent(
  pool: Pool,
  nowMs: number,
  beforeMs: number,
): Promise<{ exchangeId: Buffer; file: string | null }[]> {
  const { rows } = await query<{ exchange_id: Buffer; staged_file: string | null }>(
    pool,
    "ingress.sweep-content",
    `SELECT exchange_id, staged_file FROM delivery
     WHERE state = 'quarantined' AND wrapped_key IS NOT NULL
       AND bundle_expires_ms < $1 AND updated_ms < $2 LIMIT $3`,
    [nowMs, beforeMs, ROUND],
  );
  return rows.map((row) => ({ exchangeId: row.exchange_id, file: row.staged_file }));
}
