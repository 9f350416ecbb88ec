/** Guarantee: what came out of a verified bundle, before import policy has spoken about it. */
import type { ItemEntry } from "@lightferry/proto/bundle";
import type { ErrorCode } from "@lightferry/proto/errors";

/** The accepted bundle that an item belongs to. */
export interface Origin {
  readonly bundleId: Uint8Array;
  readonly lane: string;
  readonly stream: string;
  readonly sequence: number;
  /** Node id. */
  readonly sender: string;
  readonly senderZone: string;
  readonly expiresMs: number;
}

/** Content at rest: encrypted under a key of its own, in the row or in the staging folder. */
export interface Kept {
  readonly wrapped: Uint8Array;
  readonly content?: Uint8Array;
  readonly file?: string;
}

export interface Candidate {
  /** Position in the bundle. */
  readonly index: number;
  readonly entry: ItemEntry;
  readonly entryBytes: Uint8Array;
  readonly salt: Uint8Array;
  readonly commitment: Uint8Array;
  /** Canonical events: the sender's half. */
  readonly trail: readonly Uint8Array[];
  /** Canonical export verdict. */
  readonly exportVerdict: Uint8Array;
}

/** Small content stays in memory until it is decided, then it is encrypted into its row. */
export type InlineCandidate = Candidate & { readonly bytes: Uint8Array };

/** Large content was streamed into encrypted staging while its digest was checked. */
export type StagedCandidate = Candidate & { readonly kept: Kept };

/** Its content did not verify; the other items of the bundle go on. */
export type FaultyCandidate = Candidate & { readonly fault: ErrorCode };

export type Ruling =
  | { readonly permit: true; readonly ruleIds: readonly string[]; readonly policyVersion: string }
  | {
      readonly permit: false;
      readonly code: ErrorCode;
      readonly rule: string;
      readonly reason: string;
      readonly held: boolean;
      /** Suspected secret: our copy is destroyed, policy keeps the sealed-away one. */
      readonly sealedAway: boolean;
      readonly policyVersion: string;
    };
