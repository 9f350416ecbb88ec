/** Guarantee: every step of a delivery at its target has one audit event of one shape. */
import type { EventInput } from "@lightferry/proto/event";
import type { Outcome } from "./outcome.ts";
import type { ClaimedRow } from "./queue-rows.ts";

export function dispatchingEvent(row: ClaimedRow): EventInput {
  return {
    type: "exchange.dispatching",
    outcome: "ok",
    ...base(row),
    attributes: { attempt: String(row.attempts) },
  };
}

export function outcomeEvent(row: ClaimedRow, outcome: Outcome): EventInput {
  const attributes = { attempt: String(row.attempts), detail: outcome.detail };
  switch (outcome.state) {
    case "delivered":
      return { type: "exchange.delivered", outcome: "ok", ...base(row), attributes };
    case "permitted":
      return {
        type: "exchange.retried",
        outcome: "error",
        code: outcome.code,
        ...base(row),
        attributes: { ...attributes, "next-ms": String(outcome.nextAttemptMs) },
      };
    case "failed":
    case "in-doubt":
      return {
        type: outcome.state === "failed" ? "exchange.failed" : "exchange.in-doubt",
        outcome: "error",
        code: outcome.code,
        ...base(row),
        attributes,
      };
  }
}

function base(row: ClaimedRow) {
  return {
    exchangeId: row.exchange_id,
    bundleId: row.bundle_id,
    lane: row.lane,
    service: row.service,
    actor: row.caller,
    grade: row.grade,
    digest: row.digest,
    size: row.size,
  };
}
