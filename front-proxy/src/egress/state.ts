/**
 * Guarantee: the only place that says which state may follow which on the
 * sending side. Every statement that moves an exchange asks this table.
 *
 *   received ─▶ refused
 *      ├─▶ held ─▶ (permitted | refused | cancelled | expired)
 *      └─▶ permitted ─▶ sealed ─▶ queued ─▶ emitted        (unconfirmed, 对端未知)
 *               └─▶ expired ─▶ received (decided anew) | failed
 */
import { GatewayError } from "@lightferry/proto/errors";

export const EXCHANGE_STATES = [
  "received",
  "refused",
  "held",
  "permitted",
  "sealed",
  "queued",
  "emitted",
  "cancelled",
  "expired",
  "failed",
] as const;
export type ExchangeState = (typeof EXCHANGE_STATES)[number];

const NEXT: Readonly<Record<ExchangeState, readonly ExchangeState[]>> = {
  received: ["refused", "held", "permitted", "cancelled", "failed"],
  held: ["received", "refused", "permitted", "cancelled", "expired"],
  permitted: ["sealed", "cancelled", "expired", "failed"],
  sealed: ["queued"],
  queued: ["emitted", "expired", "failed"],
  expired: ["received", "cancelled", "failed"],
  failed: ["received"],
  refused: [],
  emitted: [],
  cancelled: [],
};

/** States out of which nothing leads by itself. */
export const END_STATES: readonly ExchangeState[] = ["refused", "emitted", "cancelled", "failed"];

export function mayFollow(from: ExchangeState, to: ExchangeState): boolean {
  return NEXT[from].includes(to);
}

/** The states from which `to` may be reached in one step. */
export function statesBefore(to: ExchangeState): readonly ExchangeState[] {
  return EXCHANGE_STATES.filter((state) => mayFollow(state, to));
}

/**
 * Checks a walk of several steps that is stored in one statement.
 * @throws GatewayError `exchange.wrong-state` when a step is not in the table.
 */
export function assertWalk(steps: readonly ExchangeState[]): void {
  for (const [index, to] of steps.entries()) {
    const from = steps[index - 1];
    if (from !== undefined && !mayFollow(from, to)) {
      throw new GatewayError("exchange.wrong-state", { detail: `${from} to ${to}` });
    }
  }
}
