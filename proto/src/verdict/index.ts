/**
 * Guarantee: what policy permits is bound to one item and can be checked by
 * anyone who has the policy key: sealer, ferry and far side alike. proto/SPEC.md §7.
 */
export {
  type SignedVerdict,
  type SignedVerdictBatch,
  signVerdictBatch,
  verdictBatchMessage,
} from "./batch.ts";
export {
  BatchVerifier,
  type CheckedVerdict,
  type VerdictProof,
  verifyVerdict,
} from "./check.ts";
export { itemCommitment } from "./commitment.ts";
export { assertVerdictCovers, type VerdictUse } from "./covers.ts";
export { VERDICT_BATCH_MAX, VERDICT_MAX_BYTES, VERDICT_PATH_MAX } from "./limits.ts";
