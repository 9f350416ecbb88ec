/**
 * Guarantee: every refusal of the API is application/problem+json (RFC 9457)
 * with its code, who must act and what to do, in Chinese and English; never a
 * stack, never content.
 */
import { type ErrorCode, errorRow, type GatewayError, isErrorCode } from "@lightferry/proto/errors";
import type { FastifyReply } from "fastify";
import { refusalView } from "../egress/exchange-view.ts";

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly titleZh: string;
  readonly status: number;
  readonly code: string;
  readonly detail?: string;
  readonly exchangeId?: string;
  readonly rule?: string;
  readonly reason: { readonly zh: string; readonly en: string };
  readonly actor: string;
  readonly do: { readonly zh: string; readonly en: string };
  readonly statusUrl?: string;
}

/** Seconds after which a caller may try again: the pace at which each condition usually passes. */
const RETRY_AFTER_SECONDS: Readonly<Partial<Record<ErrorCode, number>>> = {
  "api.busy": 1,
  "upload.share-used": 60,
  "spool.disk-full": 30,
  "journal.full": 30,
};
/** Any other passing condition: a service of the zone restarts in about this time. */
const RETRY_AFTER_DEFAULT_SECONDS = 5;
/** Conditions that pass by themselves or by an administrator's work, without a change of the request. */
const PASSING: ReadonlySet<number> = new Set([429, 503, 507]);

export interface ProblemNotes {
  readonly detail?: string;
  readonly exchangeId?: string;
  readonly rule?: string;
  /** For people, zh-CN, as the deciding rule words it. */
  readonly reason?: string;
}

export function problemOf(code: ErrorCode, notes: ProblemNotes = {}): Problem {
  const row = errorRow(code);
  const { reason, actor, do: todo } = refusalView(code, notes.rule ?? "", notes.reason ?? "");
  return {
    type: `urn:lightferry:error:${code}`,
    title: row.en,
    titleZh: row.zh,
    status: row.http,
    code,
    ...(notes.detail ? { detail: notes.detail } : {}),
    ...(notes.exchangeId === undefined
      ? {}
      : { exchangeId: notes.exchangeId, statusUrl: `/v1/exchanges/${notes.exchangeId}` }),
    ...(notes.rule ? { rule: notes.rule } : {}),
    reason,
    actor,
    do: todo,
  };
}

export function sendProblem(
  reply: FastifyReply,
  code: ErrorCode,
  notes: ProblemNotes = {},
  retryAfterSeconds = RETRY_AFTER_SECONDS[code] ?? RETRY_AFTER_DEFAULT_SECONDS,
): FastifyReply {
  const problem = problemOf(code, notes);
  if (PASSING.has(problem.status)) {
    reply.header("retry-after", String(retryAfterSeconds));
  }
  if (problem.status === 401) reply.header("www-authenticate", 'Bearer realm="lightferry"');
  return reply
    .code(problem.status)
    .header("content-type", "application/problem+json; charset=utf-8")
    .send(JSON.stringify(problem));
}

/** @param retryAfterSeconds when more is known of the end of a passing condition than its usual pace. */
export function sendGatewayError(
  reply: FastifyReply,
  error: GatewayError,
  retryAfterSeconds?: number,
): FastifyReply {
  return sendProblem(reply, error.code, { detail: error.detail }, retryAfterSeconds);
}

/** A refusal by policy or registry: the exchange exists, and says the same when asked. */
export function sendRefusal(
  reply: FastifyReply,
  exchangeId: string,
  refusal: { readonly code: string; readonly rule: string; readonly reason: string },
): FastifyReply {
  const code = isErrorCode(refusal.code) ? refusal.code : "internal.fault";
  return sendProblem(reply, code, {
    exchangeId,
    rule: refusal.rule,
    reason: refusal.reason,
  });
}
