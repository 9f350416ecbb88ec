/** Guarantee: one statement per question about unfinished uploads. */
import { formatId, parseId } from "@lightferry/proto/ids";
import type pg from "pg";
import { query } from "../database.ts";
import type { EventSubject } from "./events.ts";
import { asBuffer } from "./exchange-rows.ts";

export interface UploadRow extends pg.QueryResultRow {
  readonly id: string;
  readonly caller: string;
  readonly lane: string;
  readonly service: string;
  readonly client_address: string;
  readonly length: number | null;
  readonly durable: number;
  readonly created_ms: number;
  readonly wrapped_key: Buffer;
  readonly submission: Buffer;
  readonly expected_digest: Buffer | null;
  readonly key_digest: Buffer | null;
}

export interface NewUpload {
  readonly id: Uint8Array;
  readonly caller: string;
  readonly lane: string;
  readonly service: string;
  readonly clientAddress: string;
  readonly length: number | null;
  readonly nowMs: number;
  readonly wrappedKey: Uint8Array;
  readonly submission: Uint8Array;
  readonly expectedDigest: Uint8Array | undefined;
  readonly keyDigest: Uint8Array | undefined;
}

export async function insertUpload(client: pg.PoolClient, upload: NewUpload): Promise<void> {
  await query(
    client,
    "upload-insert",
    `INSERT INTO upload (id, caller, lane, service, client_address, length, created_ms, updated_ms,
       wrapped_key, submission, expected_digest, key_digest)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, $10, $11)`,
    [
      formatId(upload.id),
      upload.caller,
      upload.lane,
      upload.service,
      upload.clientAddress,
      upload.length,
      upload.nowMs,
      asBuffer(upload.wrappedKey),
      asBuffer(upload.submission),
      asBuffer(upload.expectedDigest),
      asBuffer(upload.keyDigest),
    ],
  );
}

export async function findUpload(
  on: pg.Pool | pg.PoolClient,
  id: string,
  caller: string,
): Promise<UploadRow | undefined> {
  const result = await query<UploadRow>(
    on,
    "upload-find",
    "SELECT * FROM upload WHERE id = $1 AND caller = $2",
    [id, caller],
  );
  return result.rows[0];
}

/** Even an upload without a byte costs a row, a key and a description. */
export const LEAST_WEIGHT = 64 * 1_024;

/**
 * Bytes that a caller's unfinished uploads may take: what was announced, or what is durable and the
 * `part` under way where nothing was. Others that ask for the same caller wait until the transaction ends.
 */
export async function weighUploads(
  client: pg.PoolClient,
  caller: string,
  part: number,
): Promise<number> {
  await query(client, "upload-share-lock", "SELECT pg_advisory_xact_lock($1, hashtext($2))", [
    SHARE_LOCK,
    caller,
  ]);
  const result = await query<{ bytes: number }>(
    client,
    "upload-share",
    `SELECT coalesce(sum(greatest(coalesce(length, durable + $3), $2)), 0)::bigint AS bytes
       FROM upload WHERE caller = $1`,
    [caller, LEAST_WEIGHT, part],
  );
  return result.rows[0]?.bytes ?? 0;
}

/** First half of the lock's number; any constant will do. */
const SHARE_LOCK = 7_214_002;

/** True when there was one to delete. */
export async function deleteUpload(on: pg.Pool | pg.PoolClient, id: string): Promise<boolean> {
  const result = await query(on, "upload-delete", "DELETE FROM upload WHERE id = $1", [id]);
  return result.rowCount === 1;
}

/** Lets go of a key whose upload never became an exchange. */
export async function forgetClaim(on: pg.Pool | pg.PoolClient, id: string): Promise<void> {
  await query(
    on,
    "upload-forget-claim",
    `DELETE FROM idempotency i WHERE exchange_id = $1
       AND NOT EXISTS (SELECT 1 FROM exchange e WHERE e.id = i.exchange_id)`,
    [id],
  );
}

/** Uploads on which nothing has moved since. */
export async function staleUploads(
  on: pg.Pool | pg.PoolClient,
  beforeMs: number,
): Promise<readonly EventSubject[]> {
  const result = await query<UploadRow>(
    on,
    "upload-stale",
    "SELECT * FROM upload WHERE updated_ms < $1 LIMIT 1000",
    [beforeMs],
  );
  return result.rows.map((row) => ({
    exchangeId: parseId(row.id),
    lane: row.lane,
    service: row.service,
    caller: row.caller,
    clientAddress: row.client_address,
    // It stands in the encrypted submission only.
    grade: "",
    size: row.durable,
  }));
}
