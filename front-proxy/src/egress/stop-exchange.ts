/**
 * Guarantee: a single exchange is moved by hand or by the clock in one
 * transaction with its event, and its content goes when its state lets go of it.
 */
import { GatewayError } from "@lightferry/proto/errors";
import type { EventInput } from "@lightferry/proto/event";
import { formatId } from "@lightferry/proto/ids";
import type { FrontProxyContext } from "../context.ts";
import { inTransaction } from "../database.ts";
import type { StoredStores } from "./decide-stored.ts";
import { carriedEvent, stoppedEvent, subjectOf } from "./events.ts";
import { isShredding, type Moved, moveExchanges, type Refusal } from "./exchange-rows.ts";
import { findExchange } from "./exchange-view.ts";
import type { ExchangeState } from "./state.ts";

type EndState = "cancelled" | "expired" | "failed";

/** A person who decided it. The log then names him as actor and the caller beside. */
export interface Intervention {
  readonly actor: string;
  readonly reason: string;
}

/**
 * Ends or expires one exchange.
 * @returns true when it was in a state that allows it.
 */
export async function stopExchange(
  context: FrontProxyContext,
  stores: StoredStores,
  id: string,
  to: EndState,
  refusal: Refusal,
  by?: Intervention,
): Promise<boolean> {
  const moved = await move(context, id, [to], refusal, by, (row) =>
    stoppedEvent(subjectOf(row), `exchange.${to}`, refusal),
  );
  if (moved === undefined) return false;
  if (isShredding(to)) {
    if (moved.file !== null) await stores.spool.remove(moved.file);
    await stores.segments.drop(id);
  }
  return true;
}

/** Puts an exchange back to be decided anew; false when its state does not allow it. */
export async function decideAnew(
  context: FrontProxyContext,
  id: string,
  by?: Intervention,
): Promise<boolean> {
  const moved = await move(context, id, ["received"], undefined, by, (row) =>
    carriedEvent(subjectOf(row), "exchange.retried"),
  );
  return moved !== undefined;
}

async function move(
  context: FrontProxyContext,
  id: string,
  steps: readonly ExchangeState[],
  refusal: Refusal | undefined,
  by: Intervention | undefined,
  eventOf: (row: Moved) => EventInput,
): Promise<Moved | undefined> {
  const detail = by?.reason ?? refusal?.reason ?? "";
  return inTransaction(context.pool, async (client) => {
    const [moved] = await moveExchanges(client, [id], {
      steps,
      nowMs: Date.now(),
      ...(refusal === undefined ? {} : { refusal }),
      ...(detail === "" ? {} : { detail }),
    });
    if (moved !== undefined) {
      const event = eventOf(moved);
      await context.shell.journal.record([
        by === undefined
          ? event
          : {
              ...event,
              actor: by.actor,
              attributes: { caller: moved.caller, reason: by.reason },
            },
      ]);
    }
    return moved;
  });
}

/** Why an exchange could not be moved: there is none, or its state forbids it. */
export async function whyNot(
  context: FrontProxyContext,
  exchangeId: Uint8Array,
): Promise<GatewayError> {
  const found = await findExchange(context.pool, exchangeId);
  if (found === undefined) {
    return new GatewayError("exchange.not-found", { detail: formatId(exchangeId) });
  }
  return new GatewayError("exchange.wrong-state", { detail: found.state });
}
