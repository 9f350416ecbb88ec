/** Guarantee: what a receiver remembers of earlier bundles decides about later ones (SPEC §11). */

import { DAY, type ForgedItem, type Forgery, id, NOW } from "../forge.ts";
import type { StreamVector } from "../vector.ts";
import { record } from "./case.ts";

export interface StreamCase {
  readonly name: string;
  readonly changed: string;
  readonly forgeries: readonly Forgery[];
  readonly deliveries: StreamVector["deliveries"];
}

/** A receiver keeps a window of so many numbers below the highest (front-proxy/README.md). */
const WINDOW = 65_536;

/** One item whose exchange and verdict are not those of another bundle. */
function item(number: number): ForgedItem {
  return {
    ...record,
    entry: { exchangeId: id(10_000 + number) },
    // An inbox refuses a bundle that outlasts a verdict (§7.3); these last as long.
    verdict: { verdictId: id(20_000 + number), expiresMs: NOW + 7 * DAY },
  };
}

/** A bundle of its own with this number in the stream. */
function bundle(number: number, sequence: number, over: Partial<Forgery> = {}): Forgery {
  const previousDigest = sequence === 1 ? Buffer.alloc(32) : Buffer.alloc(32, sequence % 251 || 1);
  return {
    bundleId: id(100 + number),
    items: [item(number)],
    early: { sequence, previousDigest },
    ...over,
  };
}

const accepted = (index: number) => ({ bundle: index, expect: "accepted" as const });
const refused = (index: number, code: string) => ({ bundle: index, expect: { code } });

export const STREAMS: readonly StreamCase[] = [
  {
    name: "in-order",
    changed: "nothing",
    forgeries: [bundle(1, 1), bundle(2, 2)],
    deliveries: [accepted(0), accepted(1)],
  },
  {
    name: "out-of-order",
    changed: "the second arrives first, the fourth never",
    forgeries: [bundle(1, 1), bundle(2, 2), bundle(3, 3), bundle(5, 5)],
    deliveries: [accepted(1), accepted(3), accepted(0), accepted(2)],
  },
  {
    name: "valid-but-replayed",
    changed: "the same bytes once more, at once and after another",
    forgeries: [bundle(1, 1), bundle(2, 2)],
    deliveries: [
      accepted(0),
      { bundle: 0, expect: "duplicate" },
      accepted(1),
      { bundle: 0, expect: "duplicate" },
    ],
  },
  {
    name: "two-headers-for-one-number",
    changed: "another bundle under a number that was accepted; the stream is stopped",
    forgeries: [bundle(1, 1), bundle(2, 1), bundle(3, 2)],
    deliveries: [
      accepted(0),
      refused(1, "bundle.sequence-conflict"),
      refused(2, "bundle.stream-quarantined"),
      { bundle: 0, expect: "duplicate" },
    ],
  },
  {
    name: "two-bundles-with-one-id",
    changed: "another header under a bundle id that was accepted",
    forgeries: [bundle(1, 1), bundle(2, 2, { bundleId: id(101) })],
    deliveries: [accepted(0), refused(1, "bundle.id-conflict")],
  },
  {
    name: "verdict-used-by-an-earlier-bundle",
    changed: "an item that was sealed again under the verdict of its first bundle",
    forgeries: [bundle(1, 1), bundle(2, 2, { items: [item(1)] })],
    deliveries: [accepted(0), refused(1, "verdict.reused")],
  },
  {
    name: "below-the-window",
    changed: "a number that lies further back than the receiver remembers",
    forgeries: [bundle(1, WINDOW + 10), bundle(2, 9), bundle(3, 11)],
    deliveries: [accepted(0), refused(1, "bundle.out-of-window"), accepted(2)],
  },
];
