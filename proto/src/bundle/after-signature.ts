/** Guarantee: of a refusal one place says whether the header signature had been found good before (SPEC §8.2). */
import type { ErrorCode } from "../errors/index.ts";

/** Steps 4 to 12 of §8.2, and §8.3; codes that also stand for an earlier step are not among them. */
const AFTER_SIGNATURE =
  /^(?:verdict\..*|bundle\.(?:table-mismatch|item-root-mismatch|duplicate-item|grade-mismatch|expired|lifetime-too-long|wrong-recipient|chunk-digest))$/;

/** Whether a bundle that was refused with this code is its sender's, whatever else is wrong with it. */
export const isSendersOwn = (code: ErrorCode): boolean => AFTER_SIGNATURE.test(code);
