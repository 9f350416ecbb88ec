/** Guarantee: whatever a target is, an attempt ends in exactly one of four results. */
import type { ItemEntry } from "@lightferry/proto/bundle";
import type { ErrorCode } from "@lightferry/proto/errors";

/** One exchange as it is handed to its target. */
export interface Parcel {
  readonly exchangeId: Uint8Array;
  /** Text form, for headers and file names. */
  readonly id: string;
  readonly entry: ItemEntry;
  readonly size: number;
  /** SM3 of the content. */
  readonly digest: Uint8Array;
  /** Present when the content is small enough for memory. */
  readonly bytes: Uint8Array | undefined;
  /** Decrypts the content anew on each call; throws when it was altered at rest. */
  content(): AsyncIterable<Uint8Array>;
}

export type AttemptResult =
  /** The target has it. */
  | { readonly kind: "delivered"; readonly detail: string }
  /** The target, or what it would need, says no: trying again would change nothing. */
  | { readonly kind: "rejected"; readonly code: ErrorCode; readonly detail: string }
  /** It surely did not act on it: trying again is always safe. */
  | { readonly kind: "not-received"; readonly detail: string; readonly retryAfterMs?: number }
  /** It may have acted on it. */
  | { readonly kind: "unknown"; readonly detail: string; readonly retryAfterMs?: number };

export interface Target {
  /** True when a second attempt cannot act twice, or the operator registered `onDoubt: retry`. */
  readonly repeatable: boolean;
  attempt(parcel: Parcel): Promise<AttemptResult>;
  /** Called once the outcome is committed. */
  settled(exchangeId: Uint8Array): Promise<void>;
  /** Called once at start with the exchanges that are still open at this target. */
  prepare(isOpen: (id: string) => Promise<boolean>): Promise<void>;
  close(): void;
}
