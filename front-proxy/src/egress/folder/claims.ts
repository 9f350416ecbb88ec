/** Guarantee: one statement per question about files taken from watched folders. */
import type pg from "pg";
import { query } from "../../database.ts";

export interface ClaimRow extends pg.QueryResultRow {
  readonly claim: string;
  /** `<lane>/<service>` */
  readonly folder: string;
  readonly name: string;
  readonly exchange_id: string | null;
  readonly claimed_ms: number;
  readonly fate: string;
}

/** Oldest first; a round is bounded. */
const ROUND_MAX = 500;

export async function insertClaim(
  on: pg.Pool,
  claim: { readonly claim: string; readonly folder: string; readonly name: string },
): Promise<void> {
  await query(
    on,
    "folder-claim",
    "INSERT INTO folder_claim (claim, folder, name, claimed_ms) VALUES ($1, $2, $3, $4)",
    [claim.claim, claim.folder, claim.name, Date.now()],
  );
}

export async function openClaims(on: pg.Pool): Promise<readonly ClaimRow[]> {
  const result = await query<ClaimRow>(
    on,
    "folder-open",
    `SELECT claim, folder, name, exchange_id, claimed_ms, fate FROM folder_claim
      WHERE NOT done ORDER BY claim LIMIT $1`,
    [ROUND_MAX],
  );
  return result.rows;
}

export async function nameExchange(on: pg.Pool, claim: string, exchangeId: string): Promise<void> {
  await query(on, "folder-exchange", "UPDATE folder_claim SET exchange_id = $2 WHERE claim = $1", [
    claim,
    exchangeId,
  ]);
}

export async function noteFate(
  on: pg.Pool,
  claim: string,
  fate: string,
  done: boolean,
): Promise<void> {
  await query(on, "folder-fate", "UPDATE folder_claim SET fate = $2, done = $3 WHERE claim = $1", [
    claim,
    fate,
    done,
  ]);
}

export async function dropClaim(on: pg.Pool, claim: string): Promise<void> {
  await query(on, "folder-drop", "DELETE FROM folder_claim WHERE claim = $1", [claim]);
}

/** Those of the given exchanges whose state is not what was last written beside the file. */
export async function changedStates(
  on: pg.Pool,
  rows: readonly ClaimRow[],
): Promise<ReadonlySet<string>> {
  const named = rows.filter((row) => row.exchange_id !== null);
  const result = await query<{ id: string }>(
    on,
    "folder-changed",
    `SELECT e.id FROM exchange e
       JOIN unnest($1::uuid[], $2::text[]) AS q (id, fate) ON q.id = e.id
      WHERE e.state <> q.fate`,
    [named.map((row) => row.exchange_id), named.map((row) => row.fate)],
  );
  return new Set(result.rows.map((row) => row.id));
}
