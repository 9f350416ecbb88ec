/**
 * Guarantee: one key of one caller names one exchange. The row is written in
 * the transaction that writes the exchange, so a repetition after a crash finds
 * either both or neither.
 */
import { GatewayError } from "@lightferry/proto/errors";
import { formatId, parseId } from "@lightferry/proto/ids";
import type pg from "pg";
import { query } from "../database.ts";
import { asBuffer } from "./exchange-rows.ts";
import type { IdempotencyClaim, Receipt } from "./submission.ts";

/** Longer than any lane keeps an exchange alive; then a key may be used anew. */
export const IDEMPOTENCY_KEPT_MS = 30 * 24 * 3_600_000;

export interface Claim extends IdempotencyClaim {
  readonly caller: string;
}

interface KnownRow extends pg.QueryResultRow {
  ord: number;
  content_digest: Buffer;
  exchange_id: string;
  state: string | null;
  code: string | null;
  rule_id: string | null;
  reason: string | null;
}

/**
 * For each claim the receipt of the exchange it already names, an
 * `idempotency.conflict` when it names other content, or undefined when it is new.
 */
export async function findClaims(
  on: pg.Pool | pg.PoolClient,
  claims: readonly Claim[],
): Promise<readonly (Receipt | GatewayError | undefined)[]> {
  const found = await query<KnownRow>(
    on,
    "idempotency-find",
    `SELECT q.ord::int, i.content_digest, i.exchange_id, e.state, e.code, e.rule_id, e.reason
       FROM unnest($1::text[], $2::bytea[]) WITH ORDINALITY AS q (caller, key_digest, ord)
       JOIN idempotency i USING (caller, key_digest)
       LEFT JOIN exchange e ON e.id = i.exchange_id`,
    [claims.map((claim) => claim.caller), claims.map((claim) => asBuffer(claim.keyDigest))],
  );
  const answers: (Receipt | GatewayError | undefined)[] = claims.map(() => undefined);
  for (const row of found.rows) {
    const claim = claims[row.ord - 1];
    if (claim !== undefined) answers[row.ord - 1] = answer(claim, row);
  }
  return answers;
}

function answer(claim: Claim, row: KnownRow): Receipt | GatewayError {
  if (!row.content_digest.equals(claim.contentDigest)) {
    return new GatewayError("idempotency.conflict", { detail: row.exchange_id });
  }
  return {
    exchangeId: parseId(row.exchange_id),
    // An upload that is still under way has its key but no exchange yet.
    state: row.state ?? "received",
    repeated: true,
    ...(row.state === "refused"
      ? { refusal: { code: row.code ?? "", rule: row.rule_id ?? "", reason: row.reason ?? "" } }
      : {}),
  };
}

/**
 * Writes claims; returns the positions of those that another writer was faster with.
 * Runs inside the transaction that inserts the exchanges.
 */
export async function writeClaims(
  client: pg.PoolClient,
  claims: readonly (Claim & { readonly exchangeId: Uint8Array })[],
  nowMs: number,
): Promise<ReadonlySet<number>> {
  const written = await query<{ exchange_id: string }>(
    client,
    "idempotency-write",
    `INSERT INTO idempotency (caller, key_digest, content_digest, exchange_id, created_ms)
     SELECT *, $5::bigint FROM unnest($1::text[], $2::bytea[], $3::bytea[], $4::uuid[])
     ON CONFLICT DO NOTHING RETURNING exchange_id`,
    [
      claims.map((claim) => claim.caller),
      claims.map((claim) => asBuffer(claim.keyDigest)),
      claims.map((claim) => asBuffer(claim.contentDigest)),
      claims.map((claim) => formatId(claim.exchangeId)),
      nowMs,
    ],
  );
  const ours = new Set(written.rows.map((row) => row.exchange_id));
  return new Set(
    claims.flatMap((claim, index) => (ours.has(formatId(claim.exchangeId)) ? [] : [index])),
  );
}
