/**
 * Guarantee: an exchange that ended badly moves again only by the journalled
 * decision of a named person, and one that was given back can never move again.
 */
import { GatewayError } from "@lightferry/proto/errors";
import type { PoolClient } from "pg";
import type { FrontProxyContext } from "../context.ts";
import { inTransaction, query } from "../database.ts";
import type { Spool } from "../payload/spool.ts";

interface Row {
  readonly exchange_id: Buffer;
  readonly bundle_id: Buffer;
  readonly lane: string;
  readonly service: string;
  readonly state: string;
  readonly has_content: boolean;
  readonly staged_file: string | null;
}

const OPEN_TO_PERSONS: ReadonlySet<string> = new Set(["failed", "in-doubt"]);

/**
 * @returns the new state.
 * @throws GatewayError `exchange.not-found`, `exchange.not-retryable`, `exchange.payload-gone`, `target.unknown`.
 */
export async function retryDelivery(
  context: FrontProxyContext,
  exchangeId: Uint8Array,
  actor: string,
): Promise<string> {
  return inTransaction(context.pool, async (client) => {
    const row = await lockRow(client, exchangeId);
    if (!OPEN_TO_PERSONS.has(row.state)) {
      throw new GatewayError("exchange.not-retryable", { detail: row.state });
    }
    if (!row.has_content) throw new GatewayError("exchange.payload-gone");
    if (!Object.hasOwn(context.config.targets, row.service)) {
      throw new GatewayError("target.unknown", { detail: row.service });
    }
    await journal(context, row, "exchange.retried", actor, "");
    const nowMs = Date.now();
    await query(
      client,
      "ingress.revive",
      `UPDATE delivery SET state = 'permitted', code = NULL, attempts = 0, next_attempt_ms = $2,
         updated_ms = $2, timeline = timeline || $3::jsonb
       WHERE exchange_id = $1`,
      [exchangeId, nowMs, step(nowMs, "permitted", `retry: ${actor}`)],
    );
    return "permitted";
  });
}

/**
 * @returns the new state.
 * @throws GatewayError `exchange.not-found`, `exchange.not-returnable`.
 */
export async function giveBackDelivery(
  context: FrontProxyContext,
  staging: Spool,
  exchangeId: Uint8Array,
  reason: string,
  actor: string,
): Promise<string> {
  const row = await inTransaction(context.pool, async (client) => {
    const found = await lockRow(client, exchangeId);
    if (!OPEN_TO_PERSONS.has(found.state)) {
      throw new GatewayError("exchange.not-returnable", { detail: found.state });
    }
    await journal(context, found, "exchange.returned", actor, reason);
    const nowMs = Date.now();
    await query(
      client,
      "ingress.give-back",
      `UPDATE delivery SET state = 'returned', reason = $4, updated_ms = $2,
         timeline = timeline || $3::jsonb, wrapped_key = NULL, ciphertext = NULL, staged_file = NULL
       WHERE exchange_id = $1`,
      [exchangeId, nowMs, step(nowMs, "returned", `${actor}: ${reason}`), reason],
    );
    return found;
  });
  if (row.staged_file !== null) await staging.remove(row.staged_file);
  return "returned";
}

async function lockRow(client: PoolClient, exchangeId: Uint8Array): Promise<Row> {
  const { rows } = await query<Row>(
    client,
    "ingress.lock-delivery",
    `SELECT exchange_id, bundle_id, lane, service, state, wrapped_key IS NOT NULL AS has_content,
       staged_file FROM delivery WHERE exchange_id = $1 FOR UPDATE`,
    [exchangeId],
  );
  const row = rows[0];
  if (row === undefined) throw new GatewayError("exchange.not-found");
  return row;
}

async function journal(
  context: FrontProxyContext,
  row: Row,
  type: "exchange.retried" | "exchange.returned",
  actor: string,
  reason: string,
): Promise<void> {
  await context.shell.journal.record([
    {
      type,
      outcome: "ok",
      exchangeId: row.exchange_id,
      bundleId: row.bundle_id,
      lane: row.lane,
      service: row.service,
      actor,
      attributes: { from: row.state, ...(reason === "" ? {} : { reason }) },
    },
  ]);
}

function step(atMs: number, state: string, detail: string): string {
  return JSON.stringify({ atMs, state, detail });
}
