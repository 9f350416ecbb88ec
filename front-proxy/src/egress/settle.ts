/**
 * Guarantee: of every exchange named in flight the database in the end says
 * either that it was accepted or that it never will be, and the log says so too.
 *
 * The row that closes an exchange has its primary key: an INSERT of the batch
 * that PostgreSQL is still working on after we died is waited for, and one that
 * would come later fails. So nobody is told "never accepted" of what is accepted.
 */
import { priorityOf } from "@lightferry/proto/registry";
import type { FrontProxyContext } from "../context.ts";
import { inTransaction } from "../database.ts";
import { stoppedEvent } from "./events.ts";
import { insertUnlessPresent, type NewExchange, type Refusal } from "./exchange-rows.ts";
import type { InFlight, InFlightFile } from "./in-flight.ts";

const NEVER_ACCEPTED: Refusal = { code: "exchange.not-accepted", rule: "", reason: "" };

/**
 * Closes what `file` names and the database does not know.
 * @returns how many were closed.
 * @throws GatewayError `database.unavailable`, `journal.full`: still open, to be tried again.
 */
export async function settleInFlight(
  context: FrontProxyContext,
  file: InFlightFile,
): Promise<number> {
  const { named } = file;
  if (named.length === 0) return 0;
  const closed = await inTransaction(context.pool, async (client) => {
    const absent = new Set(
      await insertUnlessPresent(
        client,
        named.map((one) => closedRow(context, one)),
      ),
    );
    const lost = named.filter((_, index) => absent.has(index));
    await context.shell.journal.record(
      lost.map((one) => stoppedEvent(one, "exchange.failed", NEVER_ACCEPTED)),
    );
    return lost.length;
  });
  await file.forget();
  return closed;
}

function closedRow(context: FrontProxyContext, one: InFlight): NewExchange {
  const nowMs = Date.now();
  return {
    id: one.exchangeId,
    kind: "request",
    caller: one.caller,
    lane: one.lane,
    service: one.service,
    grade: one.grade,
    priority: priorityOf(context.registry(), "request", one.service),
    clientAddress: one.clientAddress,
    size: one.size,
    submittedMs: one.submittedMs,
    expiresMs: nowMs,
    decided: 0,
    policyVersion: "",
    steps: ["received", "failed"],
    nowMs,
    refusal: NEVER_ACCEPTED,
    stored: {},
  };
}
