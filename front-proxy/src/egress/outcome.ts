/**
 * Guarantee: an answer of policy is taken only whole. What is missing, unknown
 * or contradictory counts as no answer, and no answer is no permission.
 */
import { GatewayError, isErrorCode } from "@lightferry/proto/errors";
import { lightferry } from "@lightferry/proto/gen";
import type { Refusal } from "./exchange-rows.ts";

const { Decision, Verdict } = lightferry.policy.v1;
const { VerdictBatch } = lightferry.bundle.v1;

/** Salt of an item commitment (DESIGN §5). */
const SALT_BYTES = 32;
/** Commitment, indices and field tags of one item record of a header, generously; and of one field. */
const RECORD_OVERHEAD = 64;
const FIELD_OVERHEAD = 2;

export type Decided =
  | {
      readonly state: "permitted";
      /** Without content. */
      readonly material: lightferry.seal.v1.SealMaterial.$Properties;
      /** What the item will take of a bundle's header. */
      readonly headerBytes: number;
      readonly batch: Uint8Array;
      readonly expiresMs: number;
      readonly ruleIds: readonly string[];
    }
  | { readonly state: "held"; readonly refusal: Refusal }
  | { readonly state: "refused"; readonly refusal: Refusal; readonly sealedAway: boolean };

/** @throws GatewayError `policy.answer-invalid`. */
export function readOutcome(
  outcome: lightferry.policy.v1.Outcome.$Properties | undefined,
  batch: Uint8Array | undefined,
): Decided {
  const refusal = {
    code: outcome?.code ?? "",
    rule: outcome?.ruleId ?? "",
    reason: outcome?.reason ?? "",
  };
  switch (outcome?.decision) {
    case Decision.DECISION_PERMIT: {
      const { verdict, entry, salt } = outcome;
      if (
        batch === undefined ||
        !verdict?.length ||
        !entry?.length ||
        salt?.length !== SALT_BYTES
      ) {
        throw new GatewayError("policy.answer-invalid", { detail: "permit without a verdict" });
      }
      const { expiresMs, ruleIds } = Verdict.decode(verdict);
      const path = outcome.path ?? [];
      const material = { salt, entry, verdict, leaf: outcome.leaf ?? 0, path };
      const headerBytes = path.reduce(
        (sum, step) => sum + step.length + FIELD_OVERHEAD,
        verdict.length + RECORD_OVERHEAD,
      );
      return { state: "permitted", material, headerBytes, batch, expiresMs, ruleIds };
    }
    case Decision.DECISION_HOLD:
      return { state: "held", refusal: checked(refusal) };
    case Decision.DECISION_DENY:
      return {
        state: "refused",
        refusal: checked(refusal),
        sealedAway: outcome.sealedAway === true,
      };
    default:
      throw new GatewayError("policy.answer-invalid", { detail: "no decision" });
  }
}

function checked(refusal: Refusal): Refusal {
  if (!isErrorCode(refusal.code)) {
    throw new GatewayError("policy.answer-invalid", { detail: `code ${refusal.code}` });
  }
  return refusal;
}

/** Bytes of the batch signature that permits of one answer share. */
export function batchBytes(
  batch: lightferry.bundle.v1.VerdictBatch.$Properties | null | undefined,
): Uint8Array | undefined {
  return batch === null || batch === undefined ? undefined : VerdictBatch.encode(batch).finish();
}
