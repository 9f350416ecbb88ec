/** Guarantee: the one place that says what the receiver and its hashing thread tell each other. */

/** Why a span was not written although it may be right: an error of the system. */
export interface WriteFault {
  readonly code: string | undefined;
  readonly message: string;
}

/** By which a chunk may be known (SPEC.md §13.6). */
export interface TagCheck {
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  /** Expected. */
  readonly tag: Uint8Array;
}

/** Spans to look at, one after the other; all arrays have one entry for each. */
export interface CheckTask {
  readonly id: number;
  /** A head has the plain digest, a chunk that of a leaf (SPEC.md §3.3). */
  readonly head: readonly boolean[];
  /** Shared memory that nobody changes meanwhile; undefined: to be read from the file. */
  readonly bytes: readonly (Uint8Array | undefined)[];
  readonly lengths: readonly number[];
  /** Expected, 32 bytes each. */
  readonly digests: Uint8Array;
  /** Looked at first; undefined, or wrong: the digest says what the span is. */
  readonly tags: readonly (TagCheck | undefined)[];
  /** Where a right one is written, or what lies there is read; -1: nowhere. */
  readonly files: readonly number[];
  readonly offsets: readonly number[];
}

/** What was found of a span. */
export const VERDICT = { good: 0, wrong: 1, fault: 2 } as const;
/** By what it was found. */
export const BY = { digest: 0, tag: 1, digestAfterWrongTag: 2 } as const;

export interface CheckAnswer {
  readonly id: number;
  /** One {@link VERDICT} for each span. */
  readonly verdicts: Uint8Array;
  /** One {@link BY} for each, likewise; empty where none was judged. */
  readonly by: Uint8Array;
  readonly fault?: WriteFault;
}
