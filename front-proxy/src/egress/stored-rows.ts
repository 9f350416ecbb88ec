/** Guarantee: one statement per question about exchanges that wait to be decided. */
import type pg from "pg";
import { query } from "../database.ts";

export interface StoredRow extends pg.QueryResultRow {
  readonly id: string;
  readonly kind: "request" | "file" | "receipt";
  readonly caller: string;
  readonly lane: string;
  readonly service: string;
  readonly grade: string;
  readonly client_address: string;
  readonly size: number;
  readonly submitted_ms: number;
  readonly decided: number;
  readonly wrapped_key: Buffer | null;
  readonly submission: Buffer | null;
  readonly material: Buffer | null;
  readonly trail: Buffer | null;
  readonly content: Buffer | null;
  readonly file: string | null;
}

/** Oldest first. */
export async function undecided(
  on: pg.Pool | pg.PoolClient,
  limit: number,
): Promise<readonly string[]> {
  const result = await query<{ id: string }>(
    on,
    "exchange-undecided",
    "SELECT id FROM exchange WHERE state = 'received' ORDER BY id LIMIT $1",
    [limit],
  );
  return result.rows.map((row) => row.id);
}

export async function loadStored(
  on: pg.Pool | pg.PoolClient,
  id: string,
): Promise<StoredRow | undefined> {
  const result = await query<StoredRow>(
    on,
    "exchange-stored",
    `SELECT id, kind, caller, lane, service, grade, client_address, size, submitted_ms, decided,
            wrapped_key, submission, material, trail, content, file
       FROM exchange WHERE id = $1 AND state = 'received'`,
    [id],
  );
  return result.rows[0];
}
