/**
 * Guarantee: a bundle that a repair ticket asks for goes on as the object that
 * the far side has begun only where that is this sender's, cut and coded as it
 * would be now, and no other bundle's; else all of it is sent, as a new object.
 */
import { type Code, Geometry } from "../object.ts";
import { type Range, RangeSet } from "../ranges.ts";
import type { Carried, Repair, TxJournal } from "./journal.ts";

/** The object that the far side has begun, how it is cut, and what it lacks of it. */
export interface AskedObject {
  readonly objectId: number;
  readonly shardSize: number;
  readonly code: Code;
  /** None = all. */
  readonly groups: readonly Range[];
}

/** What a repair ticket says of a bundle. */
export interface Asked {
  /** Hex. */
  readonly ticket: string;
  /** Absent when the far side has nothing of it. */
  readonly object?: AskedObject | undefined;
}

/** How a recalled bundle is sent; its object id becomes the one asked for where that can be. */
export function repairOf(
  bundle: Carried,
  asked: Asked | undefined,
  journal: TxJournal,
  live: Iterable<Carried>,
): Repair {
  if (asked === undefined) return { ticket: "", groups: [] };
  const { ticket, object } = asked;
  if (object === undefined) return { ticket, groups: [] };
  const { objectId, groups, shardSize, code } = object;
  let same = shardSize === bundle.shardSize && sameCode(code, bundle.code);
  same &&= journal.gaveOut(objectId);
  for (const other of live) same &&= other.objectId !== objectId || other === bundle;
  if (!same) return { ticket, groups: [] };
  bundle.objectId = objectId;
  const { groups: count } = new Geometry(bundle.size, shardSize, code);
  return { ticket, groups: new RangeSet(groups).within([0, count - 1]) };
}

/** The journal of an older program names no code. */
export function sameCode(one: Code | undefined, other: Code): boolean {
  return one?.groupShards === other.groupShards && one.parityShards === other.parityShards;
}
