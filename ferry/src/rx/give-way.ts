/**
 * Guarantee: bytes held for objects under way stay within their bound. What costs least gives way first: bytes that lie
 * on disk too, then what is unfinished of the oldest objects, in the end whole objects.
 */
import type { Budget } from "./budget.ts";
import type { Incoming } from "./incoming.ts";

/** Heads, unfinished chunks, parity shards, tags and short objects together. */
export const MAX_HELD_BYTES = 256 << 20;

/**
 * When more than {@link MAX_HELD_BYTES} are held.
 * @param objects the oldest first
 * @param count hears of each loss, under `memory`
 * @param drop lets go of a whole object
 */
export function giveWay(
  objects: Iterable<Incoming>,
  budget: Budget,
  count: (reason: string, by?: number) => void,
  drop: (object: Incoming) => void,
): void {
  const enough = (): boolean => budget.used <= MAX_HELD_BYTES / 2;
  const open = [...objects].filter(({ finishing }) => !finishing);
  for (const object of open) if (!enough()) object.dropKept();
  for (const object of open) {
    if (enough()) return;
    if (object.file === undefined) {
      count("memory");
      drop(object);
    } else {
      const dropped = object.dropUnfinished();
      if (dropped > 0) count("memory", dropped);
    }
  }
  // Only heads are left: thousands of gigabytes are announced.
  for (const object of open) {
    if (budget.used <= MAX_HELD_BYTES) return;
    count("memory");
    drop(object);
  }
}
