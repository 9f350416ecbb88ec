/**
 * Guarantee: the bodies that are held in memory, from their announcement to the answer, stay within a
 * budget, and those of one caller within a share of it: who sends slowly, and much at once, holds up himself.
 */
import { GatewayError } from "@lightferry/proto/errors";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { callerOf } from "./guard.ts";
import { MAX_REQUEST_BODY } from "./request-body.ts";

export const BODIES = {
  /** As text, parsed and as content at once a body takes up to four times this. */
  inAll: 256 * 1_048_576,
  /** What the submitter lets wait in all (egress/submit.ts): more of one caller would only be put off there. */
  perCaller: 64 * 1_048_576,
} as const;

/** Adds the budget to the routes registered in `app`; they answer `api.busy` beyond it. */
export function limitBodies(app: FastifyInstance): void {
  const byCaller = new Map<string, number>();
  let inAll = 0;
  app.addHook("preParsing", async (request, reply) => {
    // Gone while he was being recognised: nothing would ever be given back.
    if (reply.raw.closed)
      throw new GatewayError("api.bad-request", { detail: "connection closed" });
    const caller = callerOf(request);
    const bytes = announced(request);
    const theirs = byCaller.get(caller) ?? 0;
    if (inAll + bytes > BODIES.inAll || theirs + bytes > BODIES.perCaller) {
      throw new GatewayError("api.busy", { detail: `${theirs} bytes of requests are being read` });
    }
    inAll += bytes;
    byCaller.set(caller, theirs + bytes);
    // Answered or broken off.
    reply.raw.once("close", () => {
      inAll -= bytes;
      const left = (byCaller.get(caller) ?? bytes) - bytes;
      if (left === 0) byCaller.delete(caller);
      else byCaller.set(caller, left);
    });
  });
}

/** Bytes of the body; without a length, or with one over the limit, as many as are read of one at most. */
function announced(request: FastifyRequest): number {
  const length = request.headers["content-length"];
  if (length === undefined && request.headers["transfer-encoding"] === undefined) return 0;
  return Math.min(Number(length ?? MAX_REQUEST_BODY), MAX_REQUEST_BODY);
}
