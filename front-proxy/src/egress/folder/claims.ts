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

/** Those without an exchange yet. */
export async function unsubmittedClaims(on: pg.Pool): Promise<readonly ClaimRow[]> {
  const result = await query<ClaimRow>(
    on,
    "folder-unsubmitted",
    `SELECT claim, folder, name, exchange_id, claimed_ms, fate FROM folder_claim
      WHERE NOT done AND exchange_id IS NULL ORDER BY claim LIMIT $1`,
    [ROUND_MAX],
  );
  return result.rows;
}

/** Those whose exchange is in another state than was last written beside the file. */
export async function changedClaims(
  on: pg.Pool,
): Promise<readonly (ClaimRow & { readonly exchange_id: string })[]> {
  const result = await query<ClaimRow & { readonly exchange_id: string }>(
    on,
    "folder-changed",
    `SELECT c.claim, c.folder, c.name, c.exchange_id, c.claimed_ms, c.fate
       FROM folder_claim c JOIN exchange e ON e.id = c.exchange_id
      WHERE NOT c.done AND e.state <> c.fate ORDER BY c.claim LIMIT $1`,
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
