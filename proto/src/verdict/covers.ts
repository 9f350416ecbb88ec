/**
 * Guarantee: a verdict speaks for exactly one item, lane, direction, sender and
 * set of recipients, and only until it expires (proto/SPEC.md §7.3).
 */
import { GatewayError } from "../errors/index.ts";
import { lightferry } from "../gen/index.js";
import type { CheckedVerdict } from "./check.ts";
import { VERDICT_CLOCK_SKEW_MS } from "./limits.ts";

const { Decision } = lightferry.policy.v1;

/** What a verdict is about to be used for. */
export interface VerdictUse {
  /** 32 bytes. */
  readonly commitment: Uint8Array;
  readonly lane: string;
  /** Sending node. */
  readonly sender: string;
  /** Each of these must be named by the verdict. */
  readonly recipients: readonly string[];
  readonly direction: lightferry.policy.v1.Direction;
  /** Unix milliseconds of the use. */
  readonly atMs: number;
}

/**
 * SPEC §7.3, in its order.
 * @throws GatewayError `verdict.not-permit`, `.wrong-direction`, `.wrong-item`, `.wrong-lane`,
 * `.wrong-sender`, `.wrong-recipient`, `.not-yet-valid`, `.expired`.
 */
export function assertVerdictCovers(verdict: CheckedVerdict, use: VerdictUse): void {
  if (verdict.decision !== Decision.DECISION_PERMIT) throw new GatewayError("verdict.not-permit");
  if (verdict.direction !== use.direction) throw new GatewayError("verdict.wrong-direction");
  if (Buffer.compare(verdict.commitment, use.commitment) !== 0) {
    throw new GatewayError("verdict.wrong-item");
  }
  if (verdict.lane !== use.lane) {
    throw new GatewayError("verdict.wrong-lane", { detail: verdict.lane });
  }
  if (verdict.sender !== use.sender) {
    throw new GatewayError("verdict.wrong-sender", { detail: verdict.sender });
  }
  const missing = use.recipients.find((recipient) => !verdict.recipients.includes(recipient));
  if (missing !== undefined) throw new GatewayError("verdict.wrong-recipient", { detail: missing });
  if (verdict.decidedMs > use.atMs + VERDICT_CLOCK_SKEW_MS) {
    throw new GatewayError("verdict.not-yet-valid");
  }
  if (verdict.expiresMs <= use.atMs) throw new GatewayError("verdict.expired");
}
