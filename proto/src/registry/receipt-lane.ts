/**
 * Guarantee: what a lane of receipts is (proto/SPEC.md §17.6): it takes receipts
 * and nothing else, and what is sealed for it the sending node can open again.
 */
import type { LaneEntry } from "./document.ts";
import type { Registry } from "./registry.ts";

/** The document's reader refuses receipts beside anything else. */
export const isReceiptLane = ({ kinds }: Pick<LaneEntry, "kinds">): boolean =>
  kinds.includes("receipt");

/** Nodes that a bundle of this lane is sealed for, ascending; empty when nobody is at its far end. */
export function recipientsOf(registry: Registry, lane: LaneEntry): readonly string[] {
  const far = registry.nodeOfZone(lane.to)?.id;
  if (far === undefined) return [];
  const own = isReceiptLane(lane) ? registry.nodeOfZone(lane.from)?.id : undefined;
  return own === undefined ? [far] : [own, far].sort();
}
