/** Guarantee: the statements of the receiving side's receipts; a receipt is due or stands in exactly one list. */
import type { ReceiptState } from "@lightferry/proto/receipt";
import type pg from "pg";
import { query } from "../database.ts";
import { asBuffer } from "../egress/exchange-rows.ts";

type On = pg.Pool | pg.PoolClient;

export interface DueRow extends pg.QueryResultRow {
  readonly exchange_id: Buffer;
  readonly state: ReceiptState;
  readonly code: string;
  readonly at_ms: number;
}

/** When the oldest receipt or refused bundle of a lane fell due, and whether as many wait as a list holds. */
export async function oldestDue(
  on: On,
  lane: string,
  full: number,
): Promise<{ readonly atMs: number; readonly full: boolean } | undefined> {
  const { rows } = await query<{ at_ms: number | null; full: boolean }>(
    on,
    "receipt-oldest-due",
    `SELECT least((SELECT at_ms FROM receipt_due WHERE lane = $1 ORDER BY at_ms LIMIT 1),
                  (SELECT at_ms FROM receipt_due_bundle WHERE lane = $1 ORDER BY at_ms LIMIT 1)) AS at_ms,
            EXISTS (SELECT 1 FROM receipt_due WHERE lane = $1 ORDER BY at_ms OFFSET $2) AS full`,
    [lane, full - 1],
  );
  const row = rows[0];
  return row === undefined || row.at_ms === null ? undefined : { atMs: row.at_ms, full: row.full };
}

/** The next number of the lane; its row stays locked until the transaction ends. */
export async function takeNumber(client: pg.PoolClient, lane: string): Promise<number> {
  const { rows } = await query<{ last: number }>(
    client,
    "receipt-number",
    `INSERT INTO receipt_number (lane, last) VALUES ($1, 1)
     ON CONFLICT (lane) DO UPDATE SET last = receipt_number.last + 1 RETURNING last`,
    [lane],
  );
  return rows[0]?.last ?? 0;
}

/** The oldest that are due, locked. */
export async function lockDue(
  client: pg.PoolClient,
  lane: string,
  limit: number,
): Promise<readonly DueRow[]> {
  const { rows } = await query<DueRow>(
    client,
    "receipt-lock-due",
    `SELECT exchange_id, state, code, at_ms FROM receipt_due WHERE lane = $1
      ORDER BY at_ms LIMIT $2 FOR UPDATE`,
    [lane, limit],
  );
  return rows;
}

export async function removeDue(
  client: pg.PoolClient,
  exchangeIds: readonly Uint8Array[],
): Promise<void> {
  await query(
    client,
    "receipt-remove-due",
    "DELETE FROM receipt_due WHERE exchange_id = ANY($1::bytea[])",
    [exchangeIds.map(asBuffer)],
  );
}

export interface UnsignedRow extends pg.QueryResultRow {
  readonly lane: string;
  readonly number: number;
  readonly created_ms: number;
  readonly list: Buffer;
}

/** The oldest list of these lanes that nobody has signed yet. */
export async function findUnsigned(
  on: On,
  lanes: readonly string[],
): Promise<UnsignedRow | undefined> {
  const { rows } = await query<UnsignedRow>(
    on,
    "receipt-unsigned",
    `SELECT lane, number, created_ms, list FROM receipt_list
      WHERE signed IS NULL AND lane = ANY($1::text[]) ORDER BY lane, number LIMIT 1`,
    [lanes],
  );
  return rows[0];
}

export async function insertList(
  client: pg.PoolClient,
  row: {
    readonly lane: string;
    readonly number: number;
    readonly createdMs: number;
    readonly receipts: number;
    readonly list: Uint8Array;
  },
): Promise<void> {
  await query(
    client,
    "receipt-insert-list",
    `INSERT INTO receipt_list (lane, number, created_ms, receipts, list)
     VALUES ($1, $2, $3, $4, $5)`,
    [row.lane, row.number, row.createdMs, row.receipts, asBuffer(row.list)],
  );
}

/** Dates a list anew that was not signed meanwhile. */
export async function redate(
  on: On,
  { lane, number, list: before }: UnsignedRow,
  createdMs: number,
  list: Uint8Array,
): Promise<boolean> {
  const { rowCount } = await query(
    on,
    "receipt-redate",
    `UPDATE receipt_list SET created_ms = $4, list = $5
      WHERE lane = $1 AND number = $2 AND list = $3 AND signed IS NULL`,
    [lane, number, before, createdMs, asBuffer(list)],
  );
  return rowCount === 1;
}

/** @returns false when the list is unknown, was dated anew, or is signed already. */
export async function storeSigned(
  on: On,
  lane: string,
  number: number,
  list: Uint8Array,
  signed: Uint8Array,
): Promise<boolean> {
  const { rowCount } = await query(
    on,
    "receipt-store-signed",
    `UPDATE receipt_list SET signed = $4
      WHERE lane = $1 AND number = $2 AND list = $3 AND signed IS NULL`,
    [lane, number, asBuffer(list), asBuffer(signed)],
  );
  return rowCount === 1;
}

export interface SignedRow extends pg.QueryResultRow {
  readonly lane: string;
  readonly number: number;
  readonly receipts: number;
  readonly signed: Buffer;
}

/** Signed lists of a lane that have gone nowhere yet, oldest first. */
export async function findToCarry(
  on: On,
  lane: string,
  limit: number,
): Promise<readonly SignedRow[]> {
  const { rows } = await query<SignedRow>(
    on,
    "receipt-to-carry",
    `SELECT lane, number, receipts, signed FROM receipt_list
      WHERE lane = $1 AND exported_ms IS NULL AND exchange_id IS NULL AND signed IS NOT NULL
      ORDER BY number LIMIT $2`,
    [lane, limit],
  );
  return rows;
}

export async function markCarried(
  on: On,
  lane: string,
  number: number,
  exchangeId: string,
): Promise<void> {
  await query(
    on,
    "receipt-carried",
    `UPDATE receipt_list SET exchange_id = $3
      WHERE lane = $1 AND number = $2 AND exchange_id IS NULL`,
    [lane, number, exchangeId],
  );
}

/** Of a list `l`: that it did not leave by a lane, never handed to one or stopped on it. */
export const NOT_CARRIED = `(l.exchange_id IS NULL OR EXISTS (SELECT 1 FROM exchange e
  WHERE e.id = l.exchange_id AND e.state IN ('refused', 'failed', 'cancelled')))`;

/** Signed lists that are to be exported, by lane and number; one more than `limit` tells that there are more. */
export async function findToExport(
  on: On,
  wish: {
    readonly lanes: readonly string[];
    readonly again: boolean;
    readonly number: number;
    readonly limit: number;
  },
): Promise<{ readonly rows: readonly SignedRow[]; readonly left: number }> {
  const values = [wish.lanes, wish.again, wish.number];
  const where = `l.lane = ANY($1::text[]) AND l.signed IS NOT NULL
    AND ($3::bigint = 0 OR l.number = $3)
    AND ($2 OR (l.exported_ms IS NULL AND ${NOT_CARRIED}))`;
  const { rows } = await query<SignedRow>(
    on,
    "receipt-to-export",
    `SELECT l.lane, l.number, l.receipts, l.signed FROM receipt_list l WHERE ${where}
      ORDER BY l.lane, l.number LIMIT $4`,
    [...values, wish.limit],
  );
  const counted = await query<{ lists: number }>(
    on,
    "receipt-to-export-count",
    `SELECT count(*) AS lists FROM receipt_list l WHERE ${where}`,
    values,
  );
  return { rows, left: Math.max(0, (counted.rows[0]?.lists ?? 0) - rows.length) };
}

export async function markExported(
  on: On,
  lists: readonly { readonly lane: string; readonly number: number }[],
  nowMs: number,
): Promise<void> {
  await query(
    on,
    "receipt-exported",
    `UPDATE receipt_list l SET exported_ms = $3
       FROM unnest($1::text[], $2::bigint[]) AS named (lane, number)
      WHERE l.lane = named.lane AND l.number = named.number AND exported_ms IS NULL`,
    [lists.map(({ lane }) => lane), lists.map(({ number }) => number), nowMs],
  );
}

/** What nobody would take any more. */
export async function pruneLists(on: On, beforeMs: number, limit: number): Promise<void> {
  await query(
    on,
    "receipt-prune-lists",
    `DELETE FROM receipt_list WHERE ctid IN
       (SELECT ctid FROM receipt_list WHERE created_ms < $1 LIMIT $2)`,
    [beforeMs, limit],
  );
}
