/**
 * Guarantee: the other zone hears of our certificates and our revocation list
 * even when a gate loses bundles: they ride in the first bundle of each stream
 * after a start, in the first after every change, and again at least every
 * minute in which a bundle leaves.
 *
 * Not in every bundle: they are some kilobytes, and a bundle may hold one small
 * request. Not once: nobody can say that a bundle was received, and a key that
 * the far side does not know of, or still trusts, is what this prevents.
 */
import { TRUST_ITEM_MAX, TRUST_ITEMS_MAX } from "@lightferry/proto/bundle";
import type { TrustStore } from "@lightferry/proto/trust";

const REPEAT_MS = 60_000;

interface Announced {
  readonly version: number;
  readonly atMs: number;
}

export class Announcements {
  readonly #zone: string;
  /** By stream; there are two for each lane. */
  readonly #last = new Map<string, Announced>();

  constructor(zone: string) {
    this.#zone = zone;
  }

  /** What the next bundle of the stream carries; empty when it was said a moment ago. */
  due(stream: string, trust: TrustStore, nowMs: number): readonly Uint8Array[] {
    const last = this.#last.get(stream);
    const sinceMs = nowMs - (last?.atMs ?? 0);
    // A clock that was put back must not silence it.
    const recent = sinceMs >= 0 && sinceMs < REPEAT_MS;
    if (last?.version === trust.version && recent) return [];
    // A longer revocation list travels by medium; it must not stop the rest, nor the bundle.
    const items = trust.ownTrustItems(this.#zone, nowMs);
    return items.filter((item) => item.length <= TRUST_ITEM_MAX).slice(0, TRUST_ITEMS_MAX);
  }

  /** The bundle was committed: it will leave. One that was given up has announced nothing. */
  said(stream: string, version: number, nowMs: number): void {
    this.#last.set(stream, { version, atMs: nowMs });
  }
}
