/**
 * Guarantee: what follows an attempt is a pure function of its result, of what
 * the target promises and of how often it was tried; a call that may have been
 * acted on is repeated only where repeating is harmless or ordered.
 */
import type { ErrorCode } from "@lightferry/proto/errors";
import type { AttemptResult } from "../targets/target.ts";
import type { IngressTuning } from "../tuning.ts";

export type Outcome =
  | { readonly state: "delivered"; readonly detail: string }
  | { readonly state: "failed" | "in-doubt"; readonly code: ErrorCode; readonly detail: string }
  | {
      /** Goes back into the queue. */
      readonly state: "permitted";
      readonly code: ErrorCode;
      readonly detail: string;
      readonly nextAttemptMs: number;
    };

export interface AttemptContext {
  readonly repeatable: boolean;
  /** Attempts made, this one included. */
  readonly attempts: number;
  readonly nowMs: number;
  /** 0..1 */
  readonly random: number;
  readonly tuning: Pick<IngressTuning, "retryFirstMs" | "retryLongestMs" | "attempts">;
}

export function outcomeOf(result: AttemptResult, context: AttemptContext): Outcome {
  switch (result.kind) {
    case "delivered":
      return { state: "delivered", detail: result.detail };
    case "rejected":
      return { state: "failed", code: result.code, detail: result.detail };
    case "unknown":
      if (!context.repeatable) {
        return { state: "in-doubt", code: "target.in-doubt", detail: result.detail };
      }
      return again(result, context);
    case "not-received":
      return again(result, context);
  }
}

function again(
  result: Extract<AttemptResult, { kind: "unknown" | "not-received" }>,
  context: AttemptContext,
): Outcome {
  const code = "target.unavailable";
  const { detail } = result;
  if (context.attempts >= context.tuning.attempts) return { state: "failed", code, detail };
  const pause = Math.max(result.retryAfterMs ?? 0, backOffMs(context));
  return { state: "permitted", code, detail, nextAttemptMs: context.nowMs + pause };
}

/** Exponential with half jitter: never below half the step, so that a down target is not hammered. */
export function backOffMs(context: Omit<AttemptContext, "repeatable" | "nowMs">): number {
  const { retryFirstMs, retryLongestMs } = context.tuning;
  // 2^30 steps overflow nothing and lie far above any longest pause.
  const step = Math.min(retryLongestMs, retryFirstMs * 2 ** Math.min(context.attempts - 1, 30));
  return Math.round(step / 2 + (step / 2) * context.random);
}
