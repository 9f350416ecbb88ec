/** Guarantee: a bundle that was refused unopened is owed a word once, and none whose id was accepted. */
import { BUNDLES_MAX, FILE_LISTS_MAX } from "@lightferry/proto/receipt";
import type pg from "pg";
import { query } from "../database.ts";
import { asBuffer } from "../egress/exchange-rows.ts";

export interface DueBundleRow extends pg.QueryResultRow {
  readonly bundle_id: Buffer;
  readonly code: string;
  readonly at_ms: number;
}

/** Of a lane, while nobody signs: as many as a file of lists holds. Beyond it the sender is left without a word. */
export const OWED_MAX = BUNDLES_MAX * FILE_LISTS_MAX;

/**
 * Notes that the sender should hear of it, in the transaction of the refusal. A copy of a bundle that was accepted,
 * and is not itself refused by now, leaves no note, nor does one beyond {@link OWED_MAX}.
 */
export async function oweBundle(
  client: pg.PoolClient,
  bundle: { readonly bundleId: Uint8Array; readonly lane: string; readonly code: string },
  nowMs: number,
): Promise<void> {
  await query(
    client,
    "receipt-owe-bundle",
    `INSERT INTO receipt_due_bundle (bundle_id, lane, code, at_ms)
     SELECT $1, $2, $3, $4 WHERE NOT EXISTS
       (SELECT 1 FROM inbox_bundle WHERE bundle_id = $1 AND state <> 'quarantined')
       AND NOT EXISTS (SELECT 1 FROM receipt_due_bundle WHERE lane = $2 ORDER BY at_ms OFFSET $5)
     ON CONFLICT (bundle_id) DO UPDATE SET code = excluded.code, at_ms = excluded.at_ms`,
    [asBuffer(bundle.bundleId), bundle.lane, bundle.code, nowMs, OWED_MAX - 1],
  );
}

/**
 * The oldest that are due, locked. Those that were accepted since they were refused are due no more: of them nothing
 * may be said in a list behind that of their exchanges.
 */
export async function lockDueBundles(
  client: pg.PoolClient,
  lane: string,
  limit: number,
): Promise<readonly DueBundleRow[]> {
  await query(
    client,
    "receipt-drop-due-bundles",
    `DELETE FROM receipt_due_bundle d WHERE lane = $1 AND EXISTS
       (SELECT 1 FROM inbox_bundle b WHERE b.bundle_id = d.bundle_id AND b.state <> 'quarantined')`,
    [lane],
  );
  const { rows } = await query<DueBundleRow>(
    client,
    "receipt-lock-due-bundles",
    `SELECT bundle_id, code, at_ms FROM receipt_due_bundle WHERE lane = $1
      ORDER BY at_ms LIMIT $2 FOR UPDATE`,
    [lane, limit],
  );
  return rows;
}

export async function removeDueBundles(
  client: pg.PoolClient,
  bundleIds: readonly Buffer[],
): Promise<void> {
  await query(
    client,
    "receipt-remove-due-bundles",
    "DELETE FROM receipt_due_bundle WHERE bundle_id = ANY($1::bytea[])",
    [bundleIds],
  );
}
