/** Guarantee: one statement each; deliveries of a batch are stored by one INSERT. */
import type { ErrorCode } from "@lightferry/proto/errors";
import type { Pool } from "pg";
import { inTransaction, query } from "../../database.ts";
import type { TimelineStep } from "../../document.ts";
import type { Candidate, Kept, Origin } from "./candidate.ts";

export interface NewDelivery {
  readonly candidate: Candidate;
  readonly state: "permitted" | "quarantined" | "failed";
  readonly code: ErrorCode | undefined;
  readonly rule: string;
  readonly reason: string;
  /** undefined: no content is kept. */
  readonly kept: Kept | undefined;
  readonly timeline: readonly TimelineStep[];
}

/** Exchanges that arrived before: exchange id in hex → bundle id. */
export async function findArrived(
  pool: Pool,
  exchangeIds: readonly Uint8Array[],
): Promise<ReadonlyMap<string, Uint8Array>> {
  const { rows } = await query<{ exchange_id: Buffer; bundle_id: Buffer }>(
    pool,
    "ingress.delivery-arrived",
    "SELECT exchange_id, bundle_id FROM delivery WHERE exchange_id = ANY($1::bytea[])",
    [exchangeIds],
  );
  return new Map(rows.map((row) => [row.exchange_id.toString("hex"), row.bundle_id]));
}

/**
 * Stores deliveries; with `opened` also marks their bundle as opened, in one transaction.
 * @returns ids (hex) that were stored; the others had arrived before.
 */
export async function storeDeliveries(
  pool: Pool,
  origin: Origin,
  deliveries: readonly NewDelivery[],
  options: { readonly opened: boolean; readonly nowMs: number },
): Promise<ReadonlySet<string>> {
  return inTransaction(pool, async (client) => {
    const stored = new Set<string>();
    if (deliveries.length > 0) {
      const { rows } = await query<{ exchange_id: Buffer }>(
        client,
        "ingress.delivery-insert",
        INSERT,
        insertValues(origin, deliveries, options.nowMs),
      );
      for (const row of rows) stored.add(row.exchange_id.toString("hex"));
    }
    if (options.opened) {
      await query(
        client,
        "ingress.bundle-opened",
        "UPDATE inbox_bundle SET state = 'opened' WHERE bundle_id = $1 AND state = 'accepted'",
        [origin.bundleId],
      );
    }
    return stored;
  });
}

const INSERT = `
  INSERT INTO delivery (bundle_id, lane, stream, sequence, bundle_expires_ms, updated_ms,
    exchange_id, item_index, kind, service, caller, grade, ordering_key, entry, size, digest,
    submitted_ms, state, code, rule, reason, next_attempt_ms, wrapped_key, ciphertext, staged_file,
    timeline)
  SELECT $1, $2, $3, $4, $5, $6, u.*
  FROM unnest($7::bytea[], $8::int[], $9::text[], $10::text[], $11::text[], $12::text[],
    $13::text[], $14::bytea[], $15::bigint[], $16::bytea[], $17::bigint[], $18::text[],
    $19::text[], $20::text[], $21::text[], $22::bigint[], $23::bytea[], $24::bytea[],
    $25::text[], $26::jsonb[]) AS u
  ON CONFLICT (exchange_id) DO NOTHING
  RETURNING exchange_id`;

function insertValues(
  origin: Origin,
  deliveries: readonly NewDelivery[],
  nowMs: number,
): readonly unknown[] {
  const entries = deliveries.map(({ candidate }) => candidate.entry);
  return [
    origin.bundleId,
    origin.lane,
    origin.stream,
    origin.sequence,
    origin.expiresMs,
    nowMs,
    entries.map((entry) => entry.exchangeId),
    deliveries.map(({ candidate }) => candidate.index),
    entries.map((entry) => entry.kind),
    entries.map((entry) => entry.service),
    entries.map((entry) => entry.caller),
    entries.map((entry) => entry.grade),
    entries.map((entry) => entry.orderingKey),
    deliveries.map(({ candidate }) => candidate.entryBytes),
    entries.map((entry) => entry.size),
    entries.map((entry) => entry.digest),
    entries.map((entry) => entry.submittedMs),
    deliveries.map(({ state }) => state),
    deliveries.map(({ code }) => code ?? null),
    deliveries.map(({ rule }) => rule),
    deliveries.map(({ reason }) => reason),
    // Fresh deliveries are due in the order in which they came.
    deliveries.map(() => nowMs),
    deliveries.map(({ kept }) => kept?.wrapped ?? null),
    deliveries.map(({ kept }) => kept?.content ?? null),
    deliveries.map(({ kept }) => kept?.file ?? null),
    deliveries.map(({ timeline }) => JSON.stringify(timeline)),
  ];
}
