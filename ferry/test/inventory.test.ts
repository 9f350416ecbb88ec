/** Guarantee tested: inventories leave in pages within their limits, in time and on demand; at the far side only true, new ones of this lane count, and the others are counted by what is wrong with them. */
import { randomBytes } from "node:crypto";
import { decodeCanonical } from "@lightferry/proto/canonical";
import { GatewayError } from "@lightferry/proto/errors";
import { lightferry } from "@lightferry/proto/gen";
import fc from "fast-check";
import { expect, test } from "vitest";
import { FRAME_TYPE } from "../src/frame.ts";
import { MAX_STREAMS, PAGE_BYTES, SIGNED_PAGE_BYTES } from "../src/inventory.ts";
import { SET_ID_BYTES, splitManifest } from "../src/manifest-parts.ts";
import { HEARTBEAT_LABEL, INVENTORY_LABEL, MANIFEST_LABEL, signMessage } from "../src/signed.ts";
import { InventorySource } from "../src/tx/inventory.ts";
import { cursorAfter, Pages } from "../src/tx/inventory-pages.ts";
import { frame } from "./datagrams.ts";
import { eventually, FROM, keys, LANE, linkOf, namedKey, provider, quiet } from "./fixture.ts";
import { linkRig } from "./link-rig.ts";

const { Inventory, SignedMessage } = lightferry.ferry.v1;
type Answer = lightferry.ferry.v1.ListEmittedResponse.$Properties;
type Message = lightferry.ferry.v1.Inventory.$Properties;

const STREAM = `${LANE}/${FROM}/normal`;
const link = linkOf(keys.ferry);
const honest: Message = {
  ...{
    version: 1,
    sender: FROM,
    lane: LANE,
    epoch: 7,
    number: 1,
    page: 0,
    last: true,
    full: false,
  },
  ...{ timeMs: Date.now(), sinceMs: 1, passDelayMs: 30_000, givenUp: [] },
  held: [{ stream: STREAM, ranges: [{ first: 2, last: 3 }] }],
};

function signed(change: Message = {}, label = INVENTORY_LABEL, signer = link): Uint8Array {
  return signMessage(signer, label as typeof INVENTORY_LABEL, Inventory, { ...honest, ...change });
}

function framesOf(bytes: Uint8Array, epoch = 7, frameSize = 1456): Uint8Array[] {
  const parts = splitManifest(provider, bytes, frameSize);
  const type = FRAME_TYPE.INVENTORY;
  return parts.map((part, shard) => frame({ type, epoch, shard, k: parts.length }, part));
}

test("forged, foreign and senseless inventories change nothing and are counted by what is wrong", async () => {
  const rig = await linkRig();
  rig.beat(7, 1, 0);
  const stranger = namedKey();
  const flipped = signed();
  flipped[flipped.length - 1] = (flipped.at(-1) as number) ^ 1;
  const held = (stream: string, ...ranges: [number, number][]) => ({
    held: [{ stream, ranges: ranges.map(([first, last]) => ({ first, last })) }],
  });
  const many = Array.from({ length: MAX_STREAMS + 1 }, (_, at) => ({
    stream: `${LANE}/${at}`,
    ranges: [{ first: 1, last: 1 }],
  }));
  const long = Array.from({ length: 8_000 }, (_, at) => ({ first: 2 * at + 1, last: 2 * at + 1 }));
  const cases: [string, Uint8Array, number?][] = [
    ["inventory-unknown-key", signed({}, INVENTORY_LABEL, linkOf(stranger))],
    [
      "inventory-signature",
      signed({}, INVENTORY_LABEL, linkOf({ ...stranger, keyId: keys.ferry.keyId })),
    ],
    ["inventory-signature", flipped],
    // The right key, but for another purpose.
    ["inventory-signature", signed({}, MANIFEST_LABEL)],
    ["inventory-signature", signed({}, HEARTBEAT_LABEL)],
    ["inventory-malformed", randomBytes(400)],
    [
      "inventory-malformed",
      signMessage(
        { ...link, chain: () => [randomBytes(9)] },
        INVENTORY_LABEL,
        Inventory,
        honest,
        true,
      ),
    ],
    ["inventory-version", signed({ version: 2 })],
    ["inventory-sender", signed({ sender: "node-other" })],
    ["inventory-lane", signed({ lane: "outbound" })],
    // Of another epoch; in a frame of another epoch; of an epoch that no heartbeat announced.
    ["inventory-epoch", signed({ epoch: 6 })],
    ["inventory-epoch", signed(), 6],
    ["inventory-epoch", signed({ epoch: 8 }), 8],
    ["inventory-numbers", signed({ number: 0 })],
    ["inventory-numbers", signed({ passDelayMs: 86_400_001 })],
    ["inventory-streams", signed(held("outbound/x/normal", [1, 2]))],
    ["inventory-streams", signed(held(`${LANE}/${"x".repeat(200)}`, [1, 2]))],
    ["inventory-streams", signed(held(STREAM, [0, 2]))],
    ["inventory-streams", signed(held(STREAM, [5, 4]))],
    ["inventory-streams", signed(held(STREAM, [3, 4], [4, 6]))],
    ["inventory-streams", signed(held(STREAM))],
    ["inventory-streams", signed({ held: [...(honest.held ?? []), ...(honest.held ?? [])] })],
    ["inventory-streams", signed({ held: many })],
    // Longer than a page, in as many parts as it takes.
    ["inventory-length", signed({ held: [{ stream: STREAM, ranges: long }] })],
  ];
  const counted: Record<string, number> = {};
  for (const [reason, bytes, epoch] of cases) {
    const parts = framesOf(bytes, epoch);
    const by = reason === "inventory-length" ? parts.length - 1 : 1;
    counted[reason] = (counted[reason] ?? 0) + by;
    for (const datagram of parts) rig.receiver.datagram(datagram);
    // A flood of them is another case.
    rig.inventories.tick();
    expect(rig.rejections.totals()).toEqual(counted);
  }
  expect(rig.done.streams.open()).toEqual([]);
  await rig.rejections.report(rig.events, LANE, quiet);
  const told = rig.events.of("gate.frame-rejected");
  expect(
    Object.fromEntries(
      told.map(({ attributes }) => [attributes?.reason, Number(attributes?.count)]),
    ),
  ).toEqual(counted);
  expect(told.every(({ code }) => code === "ferry.frame-rejected")).toBe(true);
  // The true one counts once; a copy of it is none, the same number said otherwise is a repetition.
  for (const datagram of framesOf(signed())) rig.receiver.datagram(datagram);
  for (const datagram of framesOf(signed())) rig.receiver.datagram(datagram);
  rig.gaps.tick();
  expect(rig.rejections.totals()).toEqual({ ...counted, "inventory-repeated": 1 });
  await eventually(() => {
    rig.gaps.tick();
    return rig.done.streams.open();
  }).toMatchObject([{ stream: STREAM, missing: "2-3" }]);
  await rig.close();
});

test("a flood of true pages costs a bounded number of signatures a second", async () => {
  const rig = await linkRig();
  rig.beat(7, 1, 0);
  for (let number = 1; number <= 100; number += 1) {
    for (const datagram of framesOf(signed({ number }))) rig.receiver.datagram(datagram);
  }
  expect(rig.rejections.totals()).toEqual({ "inventory-flood": 40 });
  await rig.close();
});

const ranges = fc
  .uniqueArray(fc.integer({ min: 1, max: 2 ** 50 }), { minLength: 1, maxLength: 60 })
  .map((numbers) => numbers.sort((a, b) => a - b).map((first) => ({ first, last: first })));
const listed = fc
  .uniqueArray(fc.string({ minLength: 1, maxLength: 20 }), { maxLength: 80 })
  .chain((names) =>
    fc.tuple(...names.sort().map((stream) => ranges.map((of) => ({ stream, ranges: of })))),
  );

test("pages are within their limit and hold everything that was listed once, in its order", () => {
  fc.assert(
    fc.property(listed, listed, fc.integer({ min: 700, max: 3_000 }), (held, givenUp, limit) => {
      const pages = new Pages(limit);
      const all = [
        ...pages.add({ held: held.slice(0, 3) }),
        ...pages.add({ held: held.slice(3), givenUp }),
      ];
      all.push(pages.rest());
      const flat = (kind: "held" | "givenUp", of: readonly Answer[]) =>
        of.flatMap(({ [kind]: streams }) =>
          (streams ?? []).flatMap(({ stream, ranges: some }) =>
            (some ?? []).map(({ first }) => `${stream} ${first}`),
          ),
        );
      expect(flat("held", all)).toEqual(flat("held", [{ held }]));
      expect(flat("givenUp", all)).toEqual(flat("givenUp", [{ givenUp }]));
      for (const page of all) {
        expect(Inventory.encode({ ...honest, ...page }).finish().length).toBeLessThanOrEqual(limit);
        expect(page.held.length).toBeLessThanOrEqual(MAX_STREAMS);
      }
    }),
    { numRuns: 50 },
  );
});

test("the outbox is asked on behind the last number of the last stream that it named", () => {
  const of = (stream: string, ...lasts: number[]) => ({
    stream,
    ranges: lasts.map((last) => ({ first: last, last })),
  });
  expect(cursorAfter({})).toBeUndefined();
  expect(cursorAfter({ held: [of("a", 3), of("b", 5)], givenUp: [of("a", 9)] })).toBe("b#5");
  expect(cursorAfter({ held: [of("a", 3), of("b", 5)], givenUp: [of("b", 2, 9)] })).toBe("b#9");
  expect(cursorAfter({ givenUp: [of("c", 7)], held: [of("b", 9)] })).toBe("c#7");
});

/** A source whose outbox and gate are here. */
function source(
  list: (request: lightferry.ferry.v1.ListEmittedRequest.$Properties) => Promise<Answer>,
) {
  const stop = new AbortController();
  const said: { message: lightferry.ferry.v1.Inventory; bytes: number }[] = [];
  const made = new InventorySource({
    ...{ lane: LANE, node: FROM, epoch: 7, frameSize: 1456, passDelayMs: 30_000, signer: link },
    times: { recentMs: 40, windowMs: 600_000, fullMs: 3_600_000 },
    list,
    say: async (parts) => {
      const whole = Buffer.concat(parts.map((part) => part.subarray(SET_ID_BYTES)));
      const { payload } = decodeCanonical(SignedMessage, whole);
      said.push({ message: decodeCanonical(Inventory, payload), bytes: whole.length });
    },
    ...{ clock: () => 10_000_000, log: quiet, signal: stop.signal },
  });
  const run = made.run();
  return {
    made,
    said,
    end: async () => {
      stop.abort();
      await run;
    },
  };
}

test("everything first and on demand, then what is recent; an outbox that is away costs one inventory", async () => {
  const asked: number[] = [];
  let away = false;
  const { made, said, end } = source(async ({ sinceMs }) => {
    asked.push(sinceMs ?? -1);
    if (away) throw new GatewayError("rpc.unavailable");
    return { held: honest.held ?? [], more: false };
  });
  await eventually(() => said.length).toBeGreaterThan(2);
  expect(asked[0]).toBe(0);
  expect(asked.slice(1, 3)).toEqual([9_400_000, 9_400_000]);
  expect(said[0]?.message).toMatchObject({ full: true, last: true, page: 0, number: 1, epoch: 7 });
  expect(said[1]?.message).toMatchObject({
    full: false,
    last: true,
    number: 2,
    sinceMs: 9_400_000,
  });
  away = true;
  const before = asked.length;
  await eventually(() => asked.length).toBeGreaterThan(before + 1);
  away = false;
  made.demand();
  await eventually(() => said.filter(({ message }) => message.full).length).toBe(2);
  expect(
    said.every(({ message }, at) => message.number > (said[at - 1]?.message.number ?? 0)),
  ).toBe(true);
  await end();
});

test("many pages are one inventory, each in bounds and at a bounded rate; an empty one of everything is told", async () => {
  const answers: Answer[] = Array.from({ length: 3 }, (_, page) => ({
    held: [
      {
        stream: STREAM,
        ranges: Array.from({ length: 5_000 }, (__, at) => {
          const first = 2 * (page * 5_000 + at) + 1;
          return { first, last: first };
        }),
      },
    ],
    more: page < 2,
  }));
  const cursors: string[] = [];
  const many = source(async ({ sinceMs, afterStream }) => {
    if (sinceMs !== 0) return {};
    cursors.push(afterStream ?? "");
    return answers[cursors.length - 1] ?? {};
  });
  const started = performance.now();
  await eventually(() => many.said.some(({ message }) => message.last)).toBe(true);
  expect(cursors).toEqual(["", `${STREAM}#9999`, `${STREAM}#19999`]);
  const pages = many.said.map(({ message }) => message);
  expect(pages.map(({ page, last }) => `${page} ${last}`)).toEqual(
    pages.map((_, at) => `${at} ${at === pages.length - 1}`),
  );
  expect(new Set(pages.map(({ number }) => number)).size).toBe(1);
  expect(many.said.every(({ bytes }) => bytes <= SIGNED_PAGE_BYTES)).toBe(true);
  expect(pages.length).toBeGreaterThan((15_000 * 8) / PAGE_BYTES);
  expect(performance.now() - started).toBeGreaterThan(45 * (pages.length - 1));
  await many.end();
  let listings = 0;
  const none = source(async () => {
    listings += 1;
    return {};
  });
  // Nothing of what is recent is nothing to tell.
  await eventually(() => listings).toBeGreaterThan(2);
  expect(none.said.map(({ message }) => message.full)).toEqual([true]);
  await none.end();
});
