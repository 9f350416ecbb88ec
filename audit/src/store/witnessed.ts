/** Guarantee: finds every recorded checkpoint of the other zone that a new one can be held against. */
import type pg from "pg";
import { splitHashes } from "../tree/proof.ts";
import type { KnownCheckpoint } from "../witness/judge.ts";
import type { WitnessVerdict } from "./batch.ts";
import { query } from "./read.ts";

export async function knownCheckpoints(
  pool: pg.Pool,
  zone: string,
  size: number,
  oldSize: number,
): Promise<KnownCheckpoint[]> {
  const rows = await query<{
    size: number;
    root: Buffer;
    old_size: number;
    consistency: Buffer;
    verdict: WitnessVerdict;
  }>(
    pool,
    `select size, root, old_size, consistency, verdict from audit.witness
     where zone = $1 and size in ($2, $3)
     union
     select size, root, old_size, consistency, verdict from audit.witness
     where zone = $1 and old_size = $2
     union
     (select size, root, old_size, consistency, verdict from audit.witness
      where zone = $1 and verdict <> 'inconsistent' order by size desc limit 1)`,
    [zone, size, oldSize],
  );
  return rows.map((row) => ({
    size: row.size,
    root: row.root,
    oldSize: row.old_size,
    consistency: splitHashes(row.consistency),
    verdict: row.verdict,
  }));
}
