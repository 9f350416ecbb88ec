/**
 * Guarantee: a checkpoint of the other zone is called consistent only when a
 * proof links it to one recorded before; bundles may arrive late, in another
 * order or never, and that alone is no accusation.
 */
import { type Sm3Function, verifyConsistency } from "@lightferry/proto/merkle";
import type { WitnessVerdict } from "../store/batch.ts";

/** A checkpoint with the proof it came with. */
export interface ProvenCheckpoint {
  readonly size: number;
  readonly root: Uint8Array;
  /** The proof leads from here; 0 = it came without one. */
  readonly oldSize: number;
  readonly consistency: readonly Uint8Array[];
}

/** A checkpoint recorded before. */
export interface KnownCheckpoint extends ProvenCheckpoint {
  readonly verdict: WitnessVerdict;
}

export interface Judgement {
  readonly verdict: WitnessVerdict;
  /** Already recorded exactly so. */
  readonly known: boolean;
}

/**
 * @param known the recorded checkpoints of that zone of size `size` or `oldSize`, and those whose
 *   own proof starts at `size`; and the newest one.
 */
export function judge(
  sm3: Sm3Function,
  checkpoint: ProvenCheckpoint,
  known: readonly KnownCheckpoint[],
): Judgement {
  const { size, root, oldSize, consistency } = checkpoint;
  const same = known.find((k) => k.size === size && Buffer.compare(k.root, root) === 0);
  if (same !== undefined) return { verdict: same.verdict, known: true };
  const trusted = known.filter((k) => k.verdict !== "inconsistent");
  // Two roots for one size: a fork, whatever the proofs say.
  if (trusted.some((k) => k.size === size)) return { verdict: "inconsistent", known: false };
  let linked = false;
  for (const earlier of trusted) {
    if (oldSize === 0 || earlier.size !== oldSize) continue;
    if (!verifyConsistency(sm3, oldSize, earlier.root, size, root, consistency)) {
      return { verdict: "inconsistent", known: false };
    }
    linked = true;
  }
  for (const later of trusted) {
    if (later.oldSize !== size) continue;
    if (!verifyConsistency(sm3, size, root, later.size, later.root, later.consistency)) {
      return { verdict: "inconsistent", known: false };
    }
    linked = true;
  }
  if (linked) return { verdict: "linked", known: false };
  return { verdict: trusted.length === 0 ? "first" : "unlinked", known: false };
}
