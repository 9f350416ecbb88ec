/** Guarantee: one SQL statement per function; the caller owns transaction and lock. */
import type { ErrorCode } from "@lightferry/proto/errors";
import type { Pool, PoolClient } from "pg";
import { query } from "../../database.ts";
import type { Window } from "./window.ts";

export interface StreamRow {
  readonly window: Window;
  readonly quarantined: boolean;
}

/** Makes the stream known and locks it until the transaction ends. */
export async function lockStream(
  client: PoolClient,
  stream: string,
  lane: string,
  sender: string,
): Promise<StreamRow> {
  await query(
    client,
    "ingress.stream-add",
    "INSERT INTO ingress_stream (stream, lane, sender) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    [stream, lane, sender],
  );
  const { rows } = await query<{
    low_water: number;
    highest: number;
    taken: Buffer;
    quarantined_ms: number | null;
  }>(
    client,
    "ingress.stream-lock",
    "SELECT low_water, highest, taken, quarantined_ms FROM ingress_stream WHERE stream = $1 FOR UPDATE",
    [stream],
  );
  const row = rows[0];
  return {
    window: {
      lowWater: row?.low_water ?? 0,
      highest: row?.highest ?? 0,
      taken: row?.taken ?? new Uint8Array(),
    },
    quarantined: typeof row?.quarantined_ms === "number",
  };
}

export interface KnownBundle {
  readonly byId: Uint8Array | undefined;
  readonly bySequence: Uint8Array | undefined;
  readonly verdictUsed: boolean;
}

/** What the replay guard holds against a bundle. */
export async function lookUp(
  client: PoolClient,
  bundleId: Uint8Array,
  stream: string,
  sequence: number,
  verdictIds: readonly Uint8Array[],
): Promise<KnownBundle> {
  const { rows } = await query<{
    by_id: Buffer | null;
    by_sequence: Buffer | null;
    verdict_used: boolean;
  }>(
    client,
    "ingress.bundle-look-up",
    `SELECT (SELECT header_digest FROM inbox_bundle WHERE bundle_id = $1) AS by_id,
            (SELECT header_digest FROM inbox_bundle WHERE stream = $2 AND sequence = $3) AS by_sequence,
            EXISTS (SELECT 1 FROM used_verdict WHERE verdict_id = ANY($4::bytea[])) AS verdict_used`,
    [bundleId, stream, sequence, verdictIds],
  );
  const row = rows[0];
  return {
    byId: row?.by_id ?? undefined,
    bySequence: row?.by_sequence ?? undefined,
    verdictUsed: row?.verdict_used ?? false,
  };
}

export interface AcceptedBundle {
  readonly bundleId: Uint8Array;
  readonly headerDigest: Uint8Array;
  readonly file: string;
  readonly lane: string;
  readonly stream: string;
  readonly sequence: number;
  readonly sender: string;
  readonly size: number;
  readonly createdMs: number;
  readonly expiresMs: number;
  readonly receivedMs: number;
  readonly acceptedMs: number;
  /** Canonical lightferry.bundle.v1.Checkpoint, if the header carries one. */
  readonly checkpoint: Uint8Array | undefined;
  /** X.509 DER that came with the header, kept for the witness of the checkpoint. */
  readonly certificates: readonly Uint8Array[];
  /** The key of this node that it was sealed for. */
  readonly recipientKeyId: string;
}

export async function insertBundle(client: PoolClient, bundle: AcceptedBundle): Promise<void> {
  await query(
    client,
    "ingress.bundle-insert",
    `INSERT INTO inbox_bundle (bundle_id, header_digest, file, lane, stream, sequence, sender, size,
       created_ms, expires_ms, received_ms, accepted_ms, state, checkpoint, certificates,
       recipient_key_id)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'accepted', $13, $14, $15)`,
    [
      bundle.bundleId,
      bundle.headerDigest,
      bundle.file,
      bundle.lane,
      bundle.stream,
      bundle.sequence,
      bundle.sender,
      bundle.size,
      bundle.createdMs,
      bundle.expiresMs,
      bundle.receivedMs,
      bundle.acceptedMs,
      bundle.checkpoint ?? null,
      bundle.certificates.length === 0 ? null : bundle.certificates,
      bundle.recipientKeyId,
    ],
  );
}

/** The primary key is the guard: a verdict used twice aborts the transaction. */
export async function useVerdicts(
  client: PoolClient,
  bundleId: Uint8Array,
  verdicts: readonly { readonly verdictId: Uint8Array; readonly expiresMs: number }[],
): Promise<void> {
  await query(
    client,
    "ingress.verdict-use",
    `INSERT INTO used_verdict (verdict_id, bundle_id, expires_ms)
     SELECT v, $1, e FROM unnest($2::bytea[], $3::bigint[]) AS u(v, e)`,
    [bundleId, verdicts.map((v) => v.verdictId), verdicts.map((v) => v.expiresMs)],
  );
}

export async function saveWindow(
  client: PoolClient,
  stream: string,
  window: Window,
): Promise<void> {
  await query(
    client,
    "ingress.stream-save",
    "UPDATE ingress_stream SET low_water = $2, highest = $3, taken = $4 WHERE stream = $1",
    [stream, window.lowWater, window.highest, window.taken],
  );
}

export async function countDuplicate(client: PoolClient, stream: string): Promise<void> {
  await query(
    client,
    "ingress.stream-duplicate",
    "UPDATE ingress_stream SET duplicates = duplicates + 1 WHERE stream = $1",
    [stream],
  );
}

export async function quarantineStream(
  client: PoolClient,
  stream: string,
  code: ErrorCode,
  nowMs: number,
): Promise<void> {
  await query(
    client,
    "ingress.stream-quarantine",
    `UPDATE ingress_stream SET quarantined_ms = $2, quarantine_code = $3
     WHERE stream = $1 AND quarantined_ms IS NULL`,
    [stream, nowMs, code],
  );
}

export interface RefusedBundle {
  readonly bundleId: Uint8Array;
  readonly headerDigest: Uint8Array;
  readonly file: string;
  readonly lane: string;
  readonly stream: string;
  readonly sequence: number;
  readonly code: ErrorCode;
  readonly refusedMs: number;
  /** The sender's time by which it was judged. */
  readonly judgedMs: number;
}

export async function insertRefused(on: Pool | PoolClient, refused: RefusedBundle): Promise<void> {
  await query(
    on,
    "ingress.refused-insert",
    `INSERT INTO quarantined_bundle (bundle_id, header_digest, file, lane, stream, sequence, code, refused_ms,
       judged_ms)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      refused.bundleId,
      refused.headerDigest,
      refused.file,
      refused.lane,
      refused.stream,
      refused.sequence,
      refused.code,
      refused.refusedMs,
      refused.judgedMs,
    ],
  );
}

/** What was answered before about a bundle whose file has left the arrivals folder. */
export async function findAnswered(
  pool: Pool,
  bundleId: Uint8Array,
  headerDigest: Uint8Array,
): Promise<{ readonly accepted: boolean; readonly refusedCode: string | undefined }> {
  const { rows } = await query<{ accepted: boolean; code: string | null }>(
    pool,
    "ingress.answered",
    `SELECT EXISTS (SELECT 1 FROM inbox_bundle WHERE bundle_id = $1 AND header_digest = $2) AS accepted,
            (SELECT code FROM quarantined_bundle WHERE bundle_id = $1 AND header_digest = $2
             ORDER BY id DESC LIMIT 1) AS code`,
    [bundleId, headerDigest],
  );
  return { accepted: rows[0]?.accepted ?? false, refusedCode: rows[0]?.code ?? undefined };
}

/** Files of accepted bundles that must be there: the row says so. */
export async function filesExpected(
  pool: Pool,
): Promise<{ readonly bundleId: Buffer; readonly file: string; readonly state: string }[]> {
  const { rows } = await query<{ bundle_id: Buffer; file: string; state: string }>(
    pool,
    "ingress.files-expected",
    "SELECT bundle_id, file, state FROM inbox_bundle WHERE NOT file_gone",
  );
  return rows.map((row) => ({ bundleId: row.bundle_id, file: row.file, state: row.state }));
}
