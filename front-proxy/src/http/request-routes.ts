/** Guarantee: POST /v1/requests answers 202 only for what is committed, with where to ask. */
import { GatewayError } from "@lightferry/proto/errors";
import { formatId } from "@lightferry/proto/ids";
import type { FastifyInstance } from "fastify";
import type { FrontProxyContext } from "../context.ts";
import { parseJsonExactly } from "./exact-json.ts";
import { callerOf } from "./guard.ts";
import { claimFor, readKey } from "./idempotency-key.ts";
import type { ApiParts } from "./parts.ts";
import { sendRefusal } from "./problem.ts";
import { limitBodies } from "./reading-budget.ts";
import { type RequestBody, readContent, readHttp } from "./request-body.ts";
import { ACCEPTED, PROBLEMS, REQUEST_BODY } from "./schemas.ts";

export async function requestRoutes(
  app: FastifyInstance,
  { context, parts }: { readonly context: FrontProxyContext; readonly parts: ApiParts },
): Promise<void> {
  const { provider } = context.shell;
  limitBodies(app);
  parseJsonExactly(app);
  app.post<{ Body: RequestBody }>(
    "/v1/requests",
    {
      schema: {
        summary: "提交请求 Submit an HTTP request for a registered far-side service",
        body: REQUEST_BODY,
        response: { 202: ACCEPTED, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { body } = request;
      const { content, impliedType } = readContent(body);
      const http = readHttp(body, impliedType);
      const head = {
        caller: callerOf(request),
        clientAddress: request.ip,
        lane: body.lane,
        service: body.service,
        grade: wellFormed(body.grade),
        purpose: wellFormed(body.purpose),
        orderingKey: wellFormed(body.orderingKey),
      };
      const key = readKey(request.headers["idempotency-key"]);
      const receipt = await parts.submitter.submit({
        ...head,
        http,
        content,
        ...(key === undefined
          ? {}
          : { idempotency: claimFor(provider, key, head, { http, content }) }),
      });
      const exchangeId = formatId(receipt.exchangeId);
      if (receipt.refusal !== undefined) return sendRefusal(reply, exchangeId, receipt.refusal);
      const statusUrl = `/v1/exchanges/${exchangeId}`;
      reply.code(202).header("location", statusUrl);
      return { exchangeId, state: receipt.state, statusUrl };
    },
  );
}

/** JSON can spell half a surrogate pair, which no later stage could write down. */
export function wellFormed(text: string | undefined): string {
  if (text === undefined) return "";
  if (!text.isWellFormed()) throw new GatewayError("api.bad-request", { detail: "text encoding" });
  return text;
}
