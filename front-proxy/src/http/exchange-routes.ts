/** Guarantee: a caller sees the state of his own exchanges and nobody else's. */
import { GatewayError } from "@lightferry/proto/errors";
import { formatId, parseId } from "@lightferry/proto/ids";
import type { FastifyInstance } from "fastify";
import type { Direction, ExchangeDocument } from "../document.ts";
import { callerOf } from "./guard.ts";
import type { ApiParts } from "./parts.ts";
import { ID_PARAMS, LIST_QUERY, PROBLEMS, success } from "./schemas.ts";

interface ListQuery {
  readonly lane?: string;
  readonly service?: string;
  readonly state?: string;
  readonly direction?: Direction;
  readonly limit: string;
  readonly cursor?: string;
}

export async function exchangeRoutes(
  app: FastifyInstance,
  { parts }: { readonly parts: ApiParts },
): Promise<void> {
  app.get<{ Params: { id: string } }>(
    "/v1/exchanges/:id",
    {
      schema: {
        summary: "查询一次交换 One exchange: state, timeline, reason of refusal",
        params: ID_PARAMS,
        response: { 200: success("交换 the exchange", { $ref: "Exchange#" }), ...PROBLEMS },
      },
    },
    async (request) => {
      const id = parseId(request.params.id);
      const caller = callerOf(request);
      const found =
        (await parts.egress.find(id, caller)) ?? (await parts.ingress.findDelivery(id, caller));
      if (found === undefined) throw new GatewayError("exchange.not-found");
      return found;
    },
  );

  app.get<{ Querystring: ListQuery }>(
    "/v1/exchanges",
    {
      schema: {
        summary: "列出交换 Exchanges, newest first, page by page",
        querystring: LIST_QUERY,
        response: {
          200: success("一页；next 为下一页的 cursor one page; next is the cursor of the next", {
            type: "object",
            required: ["exchanges"],
            properties: {
              exchanges: { type: "array", items: { $ref: "Exchange#" } },
              next: { type: "string" },
            },
          }),
          ...PROBLEMS,
        },
      },
    },
    async (request) => {
      const { cursor, limit, ...narrowed } = request.query;
      const filter = {
        ...narrowed,
        limit: Number(limit),
        caller: callerOf(request),
        ...(cursor === undefined ? {} : { before: readCursor(cursor) }),
      };
      const [sent, received] = await Promise.all([
        filter.direction === "received" ? [] : parts.egress.list(filter),
        filter.direction === "sent" ? [] : parts.ingress.listDeliveries(filter),
      ]);
      const exchanges = newestFirst([...sent, ...received]).slice(0, filter.limit);
      const last = exchanges.at(-1);
      return exchanges.length < filter.limit || last === undefined
        ? { exchanges }
        : { exchanges, next: writeCursor(last.exchangeId) };
    },
  );
}

function newestFirst(documents: readonly ExchangeDocument[]): ExchangeDocument[] {
  return documents.toSorted((a, b) => (a.exchangeId < b.exchangeId ? 1 : -1));
}

/** Opaque to callers, so that paging may change without them. */
export function writeCursor(exchangeId: string): string {
  return Buffer.from(parseId(exchangeId)).toString("base64url");
}

/** @throws GatewayError `api.cursor-invalid`. */
export function readCursor(cursor: string): Uint8Array {
  const bytes = Buffer.from(cursor, "base64url");
  try {
    return parseId(formatId(bytes));
  } catch (cause) {
    throw new GatewayError("api.cursor-invalid", { cause });
  }
}
