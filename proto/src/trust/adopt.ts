/**
 * Guarantee: the items of one import may come in any order and more than once;
 * CAs are taken before what they signed, and of several lists the highest number
 * stays.
 */
import { pkiKind } from "../pki/index.ts";
import type { Judgement } from "./types.ts";

interface Adopting {
  judge(item: Uint8Array, nowMs: number): Judgement;
}

export interface FreshItems {
  readonly certificates: Uint8Array[];
  readonly lists: Uint8Array[];
}

/**
 * @param plus the store before, with fresh items.
 * @returns the judgement of each item, in order, and the store with what is new.
 */
export function adoptItems<S extends Adopting>(
  before: S,
  items: readonly Uint8Array[],
  nowMs: number,
  plus: (fresh: FreshItems) => S,
): { results: Judgement[]; store: S } {
  const fresh: FreshItems = { certificates: [], lists: [] };
  const results = new Map<Uint8Array, Judgement>();
  let store = before;
  const take = (item: Uint8Array): Judgement => {
    const judgement = store.judge(item, nowMs);
    if (judgement.status === "new") {
      (judgement.kind === "certificate" ? fresh.certificates : fresh.lists).push(item);
      store = plus(fresh);
    }
    return judgement;
  };
  const lists = items.filter((item) => pkiKind(item) === "revocation-list");
  const others = items.filter((item) => !lists.includes(item));
  for (const item of others) results.set(item, take(item));
  // A node may have stood before its CA; the lists need all of them.
  for (const item of others)
    if (results.get(item)?.status === "refused") results.set(item, take(item));
  for (const item of lists) results.set(item, take(item));
  return { results: items.flatMap((item) => results.get(item) ?? []), store };
}
