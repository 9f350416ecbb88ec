/**
 * Guarantee: a bundle file goes only after the database says that it went: one
 * that is listed as held or recalled is there.
 */
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type pg from "pg";
import { query } from "../database.ts";
import { OUTBOX_FILE } from "../outbox-file.ts";

/** One round stays short; what is left is next round's. */
const ROUND_MAX = 1_000;

/** Removes files of this age that no row keeps. @returns how many. */
export async function removeOrphanBundles(
  pool: pg.Pool,
  dir: string,
  minAgeMs: number,
): Promise<number> {
  const names: string[] = [];
  for (const name of await readdir(dir)) {
    if (!OUTBOX_FILE.test(name)) continue;
    const found = await stat(join(dir, name)).catch(() => undefined);
    if (found !== undefined && Date.now() - found.mtimeMs >= minAgeMs) names.push(name);
  }
  if (names.length === 0) return 0;
  const known = await query<{ file: string }>(
    pool,
    "outbox-known",
    "SELECT file FROM outbox_bundle WHERE file = ANY($1::text[]) AND state <> 'removed'",
    [names],
  );
  const kept = new Set(known.rows.map((row) => row.file));
  const orphans = names.filter((name) => !kept.has(name));
  for (const name of orphans) await rm(join(dir, name), { force: true });
  return orphans.length;
}

// From one lane to the next by the index: a lane that keeps long does not stand before the others.
const LANES = `
WITH RECURSIVE found AS (
  SELECT min(lane) AS lane FROM outbox_bundle WHERE state IN ('finished', 'refused')
  UNION ALL
  SELECT (SELECT min(lane) FROM outbox_bundle
           WHERE state IN ('finished', 'refused') AND lane > found.lane)
    FROM found WHERE found.lane IS NOT NULL)
SELECT lane FROM found WHERE lane IS NOT NULL`;

/** Removes what was finished or refused before the moment its lane names. @returns bytes of each. */
export async function expireBundles(
  pool: pg.Pool,
  dir: string,
  beforeMs: (lane: string) => number,
): Promise<readonly number[]> {
  const lanes = await query<{ lane: string }>(pool, "outbox-kept-lanes", LANES);
  const removed: number[] = [];
  for (const { lane } of lanes.rows) {
    // Marked before the file goes: a recall that comes in between finds it gone, or keeps it.
    const over = await query<{ file: string; size: number }>(
      pool,
      "outbox-removed",
      `UPDATE outbox_bundle SET state = 'removed'
        WHERE state IN ('finished', 'refused') AND bundle_id IN (
          SELECT bundle_id FROM outbox_bundle
           WHERE state IN ('finished', 'refused') AND lane = $1 AND finished_ms < $2
           ORDER BY finished_ms LIMIT $3)
        RETURNING file, size`,
      [lane, beforeMs(lane), ROUND_MAX],
    );
    for (const { file, size } of over.rows) {
      await rm(join(dir, file), { force: true });
      removed.push(size);
    }
  }
  await query(
    pool,
    "outbox-recall-forgotten",
    `DELETE FROM outbox_recall WHERE bundle_id IN (
       SELECT r.bundle_id FROM outbox_recall r JOIN outbox_bundle b USING (bundle_id)
        WHERE b.state = 'removed' LIMIT $1)`,
    [ROUND_MAX],
  );
  return removed;
}
