/** Guarantee: every limit of the receiving side stands here with its reason; tests pass smaller ones. */

const KIB = 1024;
const MIB = 1024 * KIB;

export interface IngressTuning {
  /** First pause before a target is tried again; doubles each time. */
  readonly retryFirstMs: number;
  /** Longest pause between two tries. */
  readonly retryLongestMs: number;
  /** Tries before an exchange becomes a dead letter. */
  readonly attempts: number;
  /** Calls under way to one target at a time. */
  readonly concurrency: number;
  /** Pause before work stopped by our own database, policy or journal is taken up again. */
  readonly faultPauseMs: number;
  /** How often retention is enforced. */
  readonly sweepEveryMs: number;
}

export const DEFAULT_TUNING: IngressTuning = {
  // A restart of a target takes seconds: the first tries come quickly, jitter spreads them.
  retryFirstMs: 500,
  // Five minutes bound how long a recovered target waits for its backlog.
  retryLongestMs: 300_000,
  // With the pauses above about five hours: a night shift can bring a target back before anything is dead.
  attempts: 64,
  // Enough to hide 10 ms of latency at 3,000 requests a second; small enough for a modest target.
  concurrency: 32,
  faultPauseMs: 500,
  sweepEveryMs: 60_000,
};

/** Content decided inline; larger items are staged and streamed so that memory stays bounded. */
export const INLINE_ITEM_BYTES = 1 * MIB;

/** Content in one Decide call: the RPC shell carries 8 MiB, policy.proto promises 4 MiB of content. */
export const DECIDE_BATCH_BYTES = 4 * MIB;

/** Items in one Decide call, as policy.proto says. */
export const DECIDE_BATCH_ITEMS = 1_024;

/** Content bytes in one message of a stream, as policy.proto says. */
export const STREAM_CHUNK_BYTES = 256 * KIB;

/** Payloads up to here lie in their row; larger ones in a staged file, so that rows stay cheap to rewrite. */
export const ROW_PAYLOAD_BYTES = 64 * KIB;

/** Bundles opened at the same time: small ones pass while a large one streams. */
export const OPEN_PARALLEL = 4;

/** Of these at most so many large ones: two can wait for the disk while two slots stay for small bundles. */
export const OPEN_PARALLEL_LARGE = 2;

/** Plaintext above which a bundle counts as large. */
export const LARGE_BUNDLE_BYTES = 8 * MIB;

/** Deliveries claimed ahead of their calls where repeating is harmless; with 64 KiB a row at most 16 MiB. */
export const CLAIM_AHEAD = 256;

/** A response body is read to its end only up to here so that the connection can be kept; then it is closed. */
export const RESPONSE_DRAIN_BYTES = 64 * KIB;

/** Longest Retry-After that is honoured. */
export const RETRY_AFTER_LONGEST_MS = 300_000;

/** Deadline of one Decide call: 4 MiB of inspection and queueing behind others. */
export const DECIDE_DEADLINE_MS = 60_000;

/** How long used verdict ids outlive their verdict, for clocks that disagree. */
export const VERDICT_MARGIN_MS = 24 * 3_600_000;

/** Refused files are kept this long for examination (the repair horizon of DESIGN §5). */
export const QUARANTINE_RETENTION_MS = 7 * 24 * 3_600_000;

/**
 * Staging is bounded by the disk, not by a figure: what has arrived cannot be sent back. The
 * reserve keeps room for the database's own log.
 */
export const STAGING_LIMITS = {
  highWaterBytes: Number.POSITIVE_INFINITY,
  reserveBytes: 256 * MIB,
} as const;

/** Contents handed from opening to dispatch in memory: four full Decide calls. */
export const HANDOFF_BYTES = 16 * MIB;

/** Headers handed from acceptance to opening; each is at most 1 MiB. */
export const HANDOFF_HEADERS = 16;
