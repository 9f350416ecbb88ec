/** Guarantee: the limits of verdicts and their batches (proto/SPEC.md §9), once, with reasons. */

/** What one Decide call takes (policy.proto); one signature covers all of it. */
export const VERDICT_BATCH_MAX = 1024;
/** ceil(log2 VERDICT_BATCH_MAX): no longer path can be honest. */
export const VERDICT_PATH_MAX = 10;
/** A verdict names rules and obligations; a hundred of each fit. */
export const VERDICT_MAX_BYTES = 8 * 1024;
/** Policy and seal may run on machines whose clocks differ by this much. */
export const VERDICT_CLOCK_SKEW_MS = 5 * 60 * 1000;
/** Batch signatures remembered as good: 4,096 × ~100 bytes; one bundle names at most 1,024. */
export const VERIFIED_BATCH_CACHE_MAX = 4096;
