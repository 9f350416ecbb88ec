/** Guarantee: the statements of the sending side's receipts; none of them touches the state of an exchange. */
import type { ReceiptState } from "@lightferry/proto/receipt";
import type pg from "pg";
import { query } from "../database.ts";
import { asBuffer } from "../egress/exchange-rows.ts";

/** Imports follow one another, so that two files cannot both be the first to speak; any constant will do. */
const IMPORT_LOCK = 7_214_002;

export async function lockImports(client: pg.PoolClient): Promise<void> {
  await query(client, "receipt-import-lock", "SELECT pg_advisory_xact_lock($1)", [IMPORT_LOCK]);
}

export interface ListName {
  readonly lane: string;
  readonly receiver: string;
  readonly number: number;
}

/** @returns the digests of those that were taken, by their place in `names`. */
export async function findTaken(
  client: pg.PoolClient,
  names: readonly ListName[],
): Promise<ReadonlyMap<number, Uint8Array>> {
  const { rows } = await query<{ place: number; digest: Buffer }>(
    client,
    "receipt-taken",
    `SELECT named.place, t.digest
       FROM unnest($1::text[], $2::text[], $3::bigint[]) WITH ORDINALITY
              AS named (lane, receiver, number, place)
       JOIN receipt_taken t ON t.lane = named.lane AND t.receiver = named.receiver
        AND t.number = named.number`,
    [names.map(({ lane }) => lane), names.map((n) => n.receiver), names.map((n) => n.number)],
  );
  return new Map(rows.map(({ place, digest }) => [place - 1, digest]));
}

export interface SentRow extends pg.QueryResultRow {
  readonly id: string;
  readonly kind: string;
  readonly lane: string;
  readonly service: string;
  readonly caller: string;
  readonly client_address: string;
  readonly grade: string;
  readonly size: number;
  readonly bundle_id: string | null;
  readonly receipt_state: ReceiptState | null;
  readonly receipt_number: number | null;
}

const SENT_COLUMNS = `id, kind, lane, service, caller, client_address, grade, size, bundle_id,
  receipt_state, receipt_number`;

/** The exchanges that lists name, as far as this side knows them. */
export async function findSent(
  client: pg.PoolClient,
  ids: readonly string[],
): Promise<ReadonlyMap<string, SentRow>> {
  const { rows } = await query<SentRow>(
    client,
    "receipt-find-sent",
    `SELECT ${SENT_COLUMNS}
       FROM exchange WHERE id = ANY($1::uuid[]) FOR UPDATE`,
    [ids],
  );
  return new Map(rows.map((row) => [row.id, row]));
}

/** A bundle of this side, and what is in it still; nothing where all was sealed anew. */
export interface SentBundle {
  readonly lane: string;
  readonly rows: readonly SentRow[];
}

/** Of those bundles that the outbox remembers, by id. */
export async function findSentBundles(
  client: pg.PoolClient,
  ids: readonly string[],
): Promise<ReadonlyMap<string, SentBundle>> {
  const known = await query<{ bundle_id: string; lane: string }>(
    client,
    "receipt-find-sent-bundles",
    "SELECT bundle_id, lane FROM outbox_bundle WHERE bundle_id = ANY($1::uuid[])",
    [ids],
  );
  const { rows } = await query<SentRow & { readonly bundle_id: string }>(
    client,
    "receipt-find-in-bundles",
    `SELECT ${SENT_COLUMNS}
       FROM exchange WHERE bundle_id = ANY($1::uuid[]) FOR UPDATE`,
    [known.rows.map(({ bundle_id }) => bundle_id)],
  );
  const inside = Map.groupBy(rows, ({ bundle_id }) => bundle_id);
  return new Map(
    known.rows.map(({ bundle_id: id, lane }) => [id, { lane, rows: inside.get(id) ?? [] }]),
  );
}

export interface TakenReceipt {
  readonly row: SentRow;
  readonly state: ReceiptState;
  readonly code: string;
  readonly timeMs: number;
  readonly number: number;
  readonly receiver: string;
}

export async function writeReceipts(
  client: pg.PoolClient,
  taken: readonly TakenReceipt[],
  nowMs: number,
): Promise<void> {
  await query(
    client,
    "receipt-write",
    `UPDATE exchange e SET receipt_state = t.state, receipt_code = t.code,
            receipt_at_ms = t.at_ms, receipt_number = t.number,
            timeline = e.timeline || t.step
       FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::jsonb[])
              AS t (id, state, code, at_ms, number, step)
      WHERE e.id = t.id`,
    [
      taken.map(({ row }) => row.id),
      taken.map(({ state }) => state),
      taken.map(({ code }) => code),
      taken.map(({ timeMs }) => timeMs),
      taken.map(({ number }) => number),
      taken.map(({ state, code, number, receiver }) =>
        JSON.stringify([[nowMs, state, code, `receipt ${receiver}/${number}`]]),
      ),
    ],
  );
}

/** Moves the counts along; an exchange of which nothing was said before is added. */
export async function writeTally(
  client: pg.PoolClient,
  taken: readonly TakenReceipt[],
): Promise<void> {
  const changes = new Map<string, { lane: string; state: string; by: number }>();
  const count = (lane: string, state: string, by: number) => {
    const change = changes.get(`${lane} ${state}`) ?? { lane, state, by: 0 };
    change.by += by;
    changes.set(`${lane} ${state}`, change);
  };
  for (const { row, state } of taken) {
    if (row.receipt_state !== null) count(row.lane, row.receipt_state, -1);
    count(row.lane, state, 1);
  }
  const all = [...changes.values()];
  await query(
    client,
    "receipt-tally",
    `INSERT INTO receipt_tally (lane, state, exchanges)
     SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[])
     ON CONFLICT (lane, state) DO UPDATE
        SET exchanges = receipt_tally.exchanges + excluded.exchanges`,
    [all.map(({ lane }) => lane), all.map(({ state }) => state), all.map(({ by }) => by)],
  );
}

export async function writeTaken(
  client: pg.PoolClient,
  lists: readonly (ListName & { readonly digest: Uint8Array; readonly createdMs: number })[],
  nowMs: number,
): Promise<void> {
  await query(
    client,
    "receipt-write-taken",
    `INSERT INTO receipt_taken (lane, receiver, number, digest, created_ms, taken_ms)
     SELECT *, $6::bigint
       FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bytea[], $5::bigint[])`,
    [
      lists.map(({ lane }) => lane),
      lists.map(({ receiver }) => receiver),
      lists.map(({ number }) => number),
      lists.map(({ digest }) => asBuffer(digest)),
      lists.map(({ createdMs }) => createdMs),
      nowMs,
    ],
  );
}

/** Lists that are too old to be shown again. */
export async function pruneTaken(on: pg.Pool, beforeMs: number, limit: number): Promise<void> {
  await query(
    on,
    "receipt-prune-taken",
    `DELETE FROM receipt_taken WHERE ctid IN
       (SELECT ctid FROM receipt_taken WHERE created_ms < $1 LIMIT $2)`,
    [beforeMs, limit],
  );
}
