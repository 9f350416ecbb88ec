/**
 * Guarantee: items of one import are judged as if they had come one after
 * another in an order that lets them verify: a CA before what it issued, lists
 * last, each against the lists before it. For certificates the answer does not
 * depend on the order in which they were handed in, unless their zone's share of
 * the store is used up: then those that no longer fit are refused, and nothing else.
 */
import { parseCertificate, pkiKind } from "@lightferry/proto/pki";
import {
  type Judgement,
  MAX_ZONE_TRUST_BYTES,
  type TrustItem,
  type TrustStore,
} from "@lightferry/proto/trust";

export interface JudgedAll {
  /** One per item, in the order of the items. */
  readonly results: readonly Judgement[];
  readonly taken: readonly TrustItem[];
  /** The present store with what was taken; the present one itself when nothing was. */
  readonly store: TrustStore;
}

/**
 * @param build a store of these items, in the place of the present one
 * @param zoneBytes of the store for the node certificates of one zone
 */
export function judgeAll(
  present: TrustStore,
  items: readonly Uint8Array[],
  nowMs: number,
  build: (certificates: Uint8Array[], revocationLists: Uint8Array[]) => TrustStore,
  zoneBytes: number = MAX_ZONE_TRUST_BYTES,
): JudgedAll {
  const results = new Map<number, Judgement>();
  const taken: TrustItem[] = [];
  let store = present;
  const take = (fresh: readonly TrustItem[]): void => {
    taken.push(...fresh);
    const ders = (kind: TrustItem["kind"]) => fresh.filter((item) => item.kind === kind);
    store = build(
      [...store.certificates, ...ders("certificate")].map(({ der }) => der),
      [...store.revocationLists, ...ders("revocation-list")].map(({ der }) => der),
    );
  };
  const waiting = new Set(items.keys());
  const full = new Set<number>();
  const at = (index: number): Uint8Array => items[index] ?? new Uint8Array();
  const judge = (index: number): Judgement => {
    const judgement = store.judge(at(index), nowMs);
    results.set(index, judgement);
    return judgement;
  };
  const shares = new Shares(present, zoneBytes);
  // A chain is as long as root, issuer, node: each round may bring the issuer of the next.
  for (let progress = true; progress; ) {
    const fresh = new Map<string, TrustItem>();
    for (const index of waiting) {
      // A list brings no issuer, and to read a large one takes a tenth of a second: once, at the end.
      if (pkiKind(at(index)) !== "certificate") continue;
      const { status } = judge(index);
      const name = Buffer.from(at(index)).toString("latin1");
      // Handed in twice: the second one is judged when the first is known.
      if (fresh.has(name)) continue;
      if (status === "new") {
        if (shares.take(at(index))) fresh.set(name, { kind: "certificate", der: at(index) });
        else full.add(index);
      }
      if (status !== "refused") waiting.delete(index);
    }
    progress = fresh.size > 0;
    if (progress) take([...fresh.values()]);
  }
  for (const index of waiting) {
    const { kind, status } = judge(index);
    if (kind === "revocation-list" && status === "new") take([{ kind, der: at(index) }]);
  }
  const inOrder = [...results]
    .sort(([a], [b]) => a - b)
    .map(
      ([index, judgement]): Judgement =>
        full.has(index) ? { ...judgement, status: "refused", code: "trust.store-full" } : judgement,
    );
  return { results: inOrder, taken, store };
}

/** Bytes that node certificates take, by zone. */
class Shares {
  readonly #used = new Map<string, number>();

  readonly #zoneBytes: number;

  constructor({ certificates }: TrustStore, zoneBytes: number) {
    this.#zoneBytes = zoneBytes;
    for (const { role, zone, der } of certificates) {
      if (role === "node") this.#add(zone ?? "", der.length);
    }
  }

  /** Takes room for a certificate that was judged new; false when its zone has none left. */
  take(der: Uint8Array): boolean {
    const { role, zone = "" } = parseCertificate(der);
    if (role !== "node") return true;
    if ((this.#used.get(zone) ?? 0) + der.length > this.#zoneBytes) return false;
    this.#add(zone, der.length);
    return true;
  }

  #add(zone: string, bytes: number): void {
    this.#used.set(zone, (this.#used.get(zone) ?? 0) + bytes);
  }
}
