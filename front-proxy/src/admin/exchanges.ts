/** Guarantee: an operator sees both directions of this zone's exchanges in the API's own documents. */
import { GatewayError } from "@lightferry/proto/errors";
import type { EgressDesk, IngressDesk } from "../context.ts";
import { type ExchangeDocument, type ExchangeFilter, MAX_PAGE } from "../document.ts";
import { readCursor, writeCursor } from "../http/exchange-routes.ts";

/** Without a wish: one screen of a terminal. */
const DEFAULT_PAGE = 50;

export interface ListWish {
  readonly state: string;
  readonly lane: string;
  readonly service: string;
  /** 0 = default. */
  readonly limit: number;
  /** Cursor of the page before; empty = newest. */
  readonly after: string;
}

/** @throws GatewayError `exchange.not-found`. */
export async function showExchange(
  egress: EgressDesk,
  ingress: IngressDesk,
  exchangeId: Uint8Array,
): Promise<ExchangeDocument> {
  const found = (await egress.find(exchangeId)) ?? (await ingress.findDelivery(exchangeId));
  if (found === undefined) throw new GatewayError("exchange.not-found");
  return found;
}

/** The same document as `GET /v1/exchanges`. @throws GatewayError `api.cursor-invalid`. */
export async function pageOfExchanges(
  egress: EgressDesk,
  ingress: IngressDesk,
  wish: ListWish,
): Promise<{ exchanges: readonly ExchangeDocument[]; next?: string }> {
  const limit = Math.min(wish.limit === 0 ? DEFAULT_PAGE : wish.limit, MAX_PAGE);
  const filter: ExchangeFilter = {
    limit,
    ...(wish.state === "" ? {} : { state: wish.state }),
    ...(wish.lane === "" ? {} : { lane: wish.lane }),
    ...(wish.service === "" ? {} : { service: wish.service }),
    ...(wish.after === "" ? {} : { before: readCursor(wish.after) }),
  };
  const both = await Promise.all([egress.list(filter), ingress.listDeliveries(filter)]);
  // Ids ascend in time, so their text sorts newest first when reversed.
  const exchanges = both
    .flat()
    .sort((a, b) => (a.exchangeId < b.exchangeId ? 1 : -1))
    .slice(0, limit);
  const last = exchanges.at(-1);
  if (exchanges.length < limit || last === undefined) return { exchanges };
  return { exchanges, next: writeCursor(last.exchangeId) };
}
