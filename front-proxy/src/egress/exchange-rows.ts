/**
 * Guarantee: one statement per question; exchanges are written many at a time
 * and change state only along the table in state.ts.
 */
import { formatId } from "@lightferry/proto/ids";
import type { Priority } from "@lightferry/proto/registry";
import type pg from "pg";
import { query } from "../database.ts";
import { assertWalk, type ExchangeState, statesBefore } from "./state.ts";

/** A new exchange as it is written. Absent parts are NULL. */
export interface NewExchange {
  readonly id: Uint8Array;
  readonly kind: "request" | "file" | "receipt";
  readonly caller: string;
  readonly lane: string;
  readonly service: string;
  readonly grade: string;
  readonly priority: Priority;
  readonly clientAddress: string;
  readonly size: number;
  readonly submittedMs: number;
  readonly expiresMs: number;
  readonly decided: number;
  readonly policyVersion: string;
  /** The walk from nothing to its state, e.g. received, permitted. */
  readonly steps: readonly ExchangeState[];
  readonly nowMs: number;
  readonly refusal?: Refusal;
  readonly digest?: Uint8Array;
  readonly stored: StoredParts;
}

export interface Refusal {
  readonly code: string;
  readonly rule: string;
  readonly reason: string;
}

/** What is kept of the content and its description, all encrypted but `batch` and `trail`. */
export interface StoredParts {
  readonly wrappedKey?: Uint8Array;
  readonly submission?: Uint8Array;
  readonly material?: Uint8Array;
  readonly headerBytes?: number;
  readonly batch?: Uint8Array;
  readonly trail?: Uint8Array;
  readonly content?: Uint8Array;
  readonly file?: string;
}

export function timelineOf(
  steps: readonly ExchangeState[],
  atMs: number,
  note: { readonly code?: string; readonly detail?: string } = {},
): string {
  assertWalk(steps);
  const last = steps.length - 1;
  return JSON.stringify(
    steps.map((state, index) =>
      index === last && (note.code !== undefined || note.detail !== undefined)
        ? [atMs, state, note.code ?? "", note.detail ?? ""]
        : [atMs, state],
    ),
  );
}

/** Array parameters of `pg` want Buffers; the bytes are shared, not copied. */
export function asBuffer(bytes: Uint8Array | undefined): Buffer | null {
  if (bytes === undefined) return null;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const INSERT = `
INSERT INTO exchange (id, kind, state, caller, lane, service, grade, priority, client_address,
  size, submitted_ms, updated_ms, expires_ms, decided, policy_version, code, rule_id, reason,
  timeline, digest, wrapped_key, submission, material, header_bytes, batch, trail, content,
  file)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
  $7::text[], $8::text[], $9::text[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[],
  $14::smallint[], $15::text[], $16::text[], $17::text[], $18::text[], $19::jsonb[], $20::bytea[],
  $21::bytea[], $22::bytea[], $23::bytea[], $24::integer[], $25::bytea[], $26::bytea[], $27::bytea[],
  $28::text[])`;

export async function insertExchanges(
  on: pg.Pool | pg.PoolClient,
  rows: readonly NewExchange[],
): Promise<void> {
  await query(on, "exchange-insert", INSERT, columnsOf(rows));
}

/**
 * Writes the rows whose id is not taken; waits for whoever is just writing the same id.
 * @returns the indices of those written.
 */
export async function insertUnlessPresent(
  on: pg.Pool | pg.PoolClient,
  rows: readonly NewExchange[],
): Promise<readonly number[]> {
  const { rows: written } = await query<{ id: string }>(
    on,
    "exchange-insert-absent",
    `${INSERT} ON CONFLICT (id) DO NOTHING RETURNING id`,
    columnsOf(rows),
  );
  const ids = new Set(written.map((row) => row.id));
  return rows.flatMap((row, index) => (ids.has(formatId(row.id)) ? [index] : []));
}

function columnsOf(rows: readonly NewExchange[]): readonly unknown[] {
  const column = (pick: (row: NewExchange) => unknown) => rows.map(pick);
  return [
    column((row) => formatId(row.id)),
    column((row) => row.kind),
    column((row) => row.steps.at(-1)),
    column((row) => row.caller),
    column((row) => row.lane),
    column((row) => row.service),
    column((row) => row.grade),
    column((row) => row.priority),
    column((row) => row.clientAddress),
    column((row) => row.size),
    column((row) => row.submittedMs),
    column((row) => row.nowMs),
    column((row) => row.expiresMs),
    column((row) => row.decided),
    column((row) => row.policyVersion),
    column((row) => row.refusal?.code ?? ""),
    column((row) => row.refusal?.rule ?? ""),
    column((row) => row.refusal?.reason ?? ""),
    column((row) =>
      timelineOf(row.steps, row.nowMs, row.refusal === undefined ? {} : { code: row.refusal.code }),
    ),
    column((row) => asBuffer(row.digest)),
    column((row) => asBuffer(row.stored.wrappedKey)),
    column((row) => asBuffer(row.stored.submission)),
    column((row) => asBuffer(row.stored.material)),
    column((row) => row.stored.headerBytes ?? 0),
    column((row) => asBuffer(row.stored.batch)),
    column((row) => asBuffer(row.stored.trail)),
    column((row) => asBuffer(row.stored.content)),
    column((row) => row.stored.file ?? null),
  ];
}

export interface Move {
  /** First step must be allowed after the state the row is in; the last becomes its state. */
  readonly steps: readonly ExchangeState[];
  readonly nowMs: number;
  readonly refusal?: Refusal;
  readonly detail?: string;
  readonly expiresMs?: number;
  readonly bundleId?: string;
}

// Content and keys die with the states that will never need them again.
const SHREDDING: readonly ExchangeState[] = ["refused", "emitted", "cancelled"];

const MOVE = `
UPDATE exchange SET state = $2, updated_ms = $3, timeline = timeline || $4::jsonb,
  code = $5, rule_id = $6, reason = $7, expires_ms = coalesce($8, expires_ms),
  wrapped_key = CASE WHEN $9 THEN NULL ELSE wrapped_key END,
  submission = CASE WHEN $9 THEN NULL ELSE submission END,
  material = CASE WHEN $9 THEN NULL ELSE material END,
  batch = CASE WHEN $9 THEN NULL ELSE batch END,
  content = CASE WHEN $9 THEN NULL ELSE content END,
  bundle_id = coalesce($11, bundle_id)
WHERE id = ANY($1::uuid[]) AND state = ANY($10::text[])
RETURNING id, file, lane, service, caller, client_address, grade, size, decided`;

export interface Moved extends pg.QueryResultRow {
  readonly id: string;
  /** Spool file that the row names; after a shredding move the caller removes it. */
  readonly file: string | null;
  readonly lane: string;
  readonly service: string;
  readonly caller: string;
  readonly client_address: string;
  readonly grade: string;
  readonly size: number;
  readonly decided: number;
}

/** True when a move to this state lets go of the content. */
export function isShredding(state: ExchangeState): boolean {
  return SHREDDING.includes(state);
}

/** Moves exchanges along. Rows in another state are left alone and not returned. */
export async function moveExchanges(
  on: pg.Pool | pg.PoolClient,
  ids: readonly string[],
  move: Move,
): Promise<readonly Moved[]> {
  const [first] = move.steps;
  const last = move.steps.at(-1);
  if (first === undefined || last === undefined || ids.length === 0) return [];
  const note = {
    ...(move.refusal === undefined ? {} : { code: move.refusal.code }),
    ...(move.detail === undefined ? {} : { detail: move.detail }),
  };
  const result = await query<Moved>(on, "exchange-move", MOVE, [
    ids,
    last,
    move.nowMs,
    timelineOf(move.steps, move.nowMs, note),
    move.refusal?.code ?? "",
    move.refusal?.rule ?? "",
    move.refusal?.reason ?? "",
    move.expiresMs ?? null,
    isShredding(last),
    statesBefore(first),
    move.bundleId ?? null,
  ]);
  return result.rows;
}

/** Writes what an exchange is kept by, after it was decided anew or its file became final. */
export async function storeParts(
  on: pg.Pool | pg.PoolClient,
  id: string,
  parts: StoredParts & { readonly size: number; readonly policyVersion: string },
): Promise<void> {
  await query(
    on,
    "exchange-store-parts",
    `UPDATE exchange SET submission = NULL, content = NULL, material = $2, header_bytes = $3,
       batch = $4, trail = $5, file = $6, size = $7, policy_version = $8, decided = decided + 1
     WHERE id = $1`,
    [
      id,
      asBuffer(parts.material),
      parts.headerBytes ?? 0,
      asBuffer(parts.batch),
      asBuffer(parts.trail),
      parts.file ?? null,
      parts.size,
      parts.policyVersion,
    ],
  );
}
