/**
 * Guarantee: an answer of policy is taken only whole. What is missing, unknown
 * or contradictory counts as no answer, and no answer is no permission.
 */
import { GatewayError, isErrorCode } from "@lightferry/proto/errors";
import { lightferry } from "@lightferry/proto/gen";
import type { Refusal } from "./exchange-rows.ts";

const { Decision, Verdict } = lightferry.policy.v1;
const { SealItem } = lightferry.seal.v1;
const { VerdictBatch } = lightferry.bundle.v1;

/** Salt of an item commitment (DESIGN §5). */
const SALT_BYTES = 32;

export type Decided =
  | {
      readonly state: "permitted";
      /** seal.v1.SealItem without content. */
      readonly item: Uint8Array;
      readonly batch: Uint8Array;
      readonly expiresMs: number;
      readonly ruleIds: readonly string[];
      readonly grade: string;
    }
  | { readonly state: "held"; readonly refusal: Refusal }
  | { readonly state: "refused"; readonly refusal: Refusal; readonly sealedAway: boolean };

/**
 * @param size bytes of the content as it will leave.
 * @throws GatewayError `policy.answer-invalid`.
 */
export function readOutcome(
  exchangeId: Uint8Array,
  outcome: lightferry.policy.v1.Outcome.$Properties | undefined,
  batch: Uint8Array | undefined,
  size: number,
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
      const { expiresMs, ruleIds, grade } = Verdict.decode(verdict);
      const item = SealItem.encode({
        exchangeId,
        salt,
        entry,
        verdict,
        leaf: outcome.leaf ?? 0,
        path: outcome.path ?? [],
        size,
      }).finish();
      return { state: "permitted", item, batch, expiresMs, ruleIds, grade };
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
