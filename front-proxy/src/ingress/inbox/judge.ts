/**
 * Guarantee: what becomes of a verified bundle is a pure function of what the
 * database knows, read under the lock of its stream.
 */
import type { ErrorCode } from "@lightferry/proto/errors";
import { positionOf, type Window } from "./window.ts";

export interface Facts {
  /** Header digest of the accepted bundle with the same bundle id, if any. */
  readonly digestById: Uint8Array | undefined;
  /** Header digest of the accepted bundle with the same (stream, sequence), if any. */
  readonly digestBySequence: Uint8Array | undefined;
  readonly window: Window;
  readonly streamQuarantined: boolean;
  /** One of its verdicts was used by a bundle accepted earlier. */
  readonly verdictUsed: boolean;
}

export type Judgement =
  | { readonly kind: "accept" }
  | { readonly kind: "duplicate" }
  | { readonly kind: "refuse"; readonly code: ErrorCode; readonly quarantineStream: boolean };

/** In this order: a bundle taken before is a duplicate even when its stream was quarantined since. */
export function judge(digest: Uint8Array, sequence: number, facts: Facts): Judgement {
  if (facts.digestById !== undefined) {
    if (Buffer.compare(facts.digestById, digest) === 0) return { kind: "duplicate" };
    return refuse("bundle.id-conflict");
  }
  if (facts.digestBySequence !== undefined) {
    return { kind: "refuse", code: "bundle.sequence-conflict", quarantineStream: true };
  }
  if (facts.streamQuarantined) return refuse("bundle.stream-quarantined");
  if (positionOf(facts.window, sequence) !== "free") return refuse("bundle.out-of-window");
  if (facts.verdictUsed) return refuse("verdict.reused");
  return { kind: "accept" };
}

function refuse(code: ErrorCode): Judgement {
  return { kind: "refuse", code, quarantineStream: false };
}
