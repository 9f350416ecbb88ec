/** Guarantee tested: two lanes of one link and two links of one lane over real sockets: each bundle once, at its own inbox, whatever happens to a link. */
import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { decodeCanonical } from "@lightferry/proto/canonical";
import { lightferry } from "@lightferry/proto/gen";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  DEFAULT_FRAME_SIZE,
  FLAG_PASS_END,
  FRAME_HEADER,
  FRAME_TYPE,
  type FrameHeader,
  MAX_FRAME_SIZE,
} from "../src/frame.ts";
import { digestOf, eventually, Inbox, keys, LANE, type Place, place, provider } from "./fixture.ts";
import { type Forwarder, startForwarder } from "./forwarder.ts";
import { ferryOf, type LaneEnd, stationOf } from "./ways.ts";

const { Heartbeat, SignedMessage } = lightferry.ferry.v1;

const NOTICES = "notices";
const RATE = 20e6;

let at: Place;
const open: { close(): Promise<unknown> }[] = [];
beforeEach(() => {
  at = place();
});
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.close();
  at.remove();
});

function laneEnd(name: string, number: number): LaneEnd {
  const dir = (what: string): string => {
    const path = join(at.root, `${what}-${name}`);
    mkdirSync(path);
    return path;
  };
  const arrivalsDir = dir("arrivals");
  return {
    name,
    number,
    arrivalsDir,
    inbox: new Inbox(arrivalsDir, dir("taken"), provider, keys.to.key),
  };
}

/** Lanes of the streams that a heartbeat tells of. */
function lanesTold(frame: Uint8Array): string[] {
  const { payload } = decodeCanonical(SignedMessage, frame.subarray(FRAME_HEADER));
  const { streams } = decodeCanonical(Heartbeat, payload);
  return streams.map(({ stream }) => stream?.split("/")[0] ?? "");
}

async function forwarded(
  port: number,
  pass: (header: FrameHeader, frame: Uint8Array) => boolean,
): Promise<Forwarder> {
  const forwarder = await startForwarder(port, pass);
  open.push(forwarder);
  return forwarder;
}

test("two lanes of one link: each has its inbox, its streams and its gaps, and the far side's numbers are checked", async () => {
  const first = laneEnd(LANE, 0);
  const second = laneEnd(NOTICES, 5);
  const { station, ports } = await stationOf(at, [first, second], [2]);
  open.push(station);
  const lanes = new Map<number, number>();
  const link = await forwarded(ports[0] as number, ({ type, lane }) => {
    if (type <= FRAME_TYPE.MANIFEST) lanes.set(lane, (lanes.get(lane) ?? 0) + 1);
    return true;
  });
  const ours: Awaited<ReturnType<Place["seal"]>>[] = [];
  const theirs: typeof ours = [];
  for (let count = 0; count < 5; count += 1) {
    ours.push(await at.seal(randomBytes(3_000 + 40_000 * count)));
    theirs.push(await at.seal(randomBytes(3_000 + 40_000 * count), "bulk", { lane: NOTICES }));
  }
  const [absent] = theirs.splice(2, 1);
  for (const bundle of [...ours, ...theirs]) at.outbox.put(bundle);
  const weighed = [
    { name: LANE, number: 0, weight: 1 },
    { name: NOTICES, number: 5, weight: 3, rateBytesPerSecond: 10e6 },
  ];
  const sender = await ferryOf(at, weighed, [{ number: 2, port: link.port, rate: RATE }]);
  open.push(sender);
  await first.inbox.until(ours.length);
  await second.inbox.until(theirs.length);
  for (const [end, bundles] of [[first, ours] as const, [second, theirs] as const]) {
    for (const bundle of bundles) {
      expect(digestOf(end.inbox.bytesOf(bundle))).toBe(digestOf(at.sealed(bundle)));
    }
    expect(end.inbox.answers).toEqual(bundles.map(() => "accepted"));
    expect(new Set(end.inbox.delivered.map(({ lane }) => lane))).toEqual(new Set([end.name]));
  }
  expect([...lanes.keys()].toSorted()).toEqual([0, 5]);
  // What one lane lacks is no gap of the other.
  await eventually(() => station.status()).toMatchObject({
    rejected: {},
    links: [{ link: 2, epoch: sender.epoch, accounted: { lost: 0 }, alarms: [] }],
    lanes: [
      { lane: LANE, bundles: { delivered: ours.length }, gaps: [] },
      {
        ...{ lane: NOTICES, bundles: { delivered: theirs.length } },
        gaps: [{ missing: String(absent?.sequence), count: 1 }],
      },
    ],
  });
  await eventually(() => sender.status()).toMatchObject({
    lanes: [{ bundles: { emitted: ours.length } }, { bundles: { emitted: theirs.length } }],
  });
});

test("two links of one lane: what a link swallowed comes by the other one in the next pass, once, and the dead one is named", async () => {
  const end = laneEnd(LANE, 0);
  const { station, ports } = await stationOf(at, [end], [0, 1]);
  open.push(station);
  const seen = [0, 0];
  let cut = false;
  let ends = 0;
  let swallowed = 0;
  const links = await Promise.all(
    ports.map((port, number) =>
      forwarded(port, ({ type, flags }) => {
        if ((flags & FLAG_PASS_END) !== 0) ends += 1;
        if (type <= FRAME_TYPE.PARITY) seen[number] = (seen[number] ?? 0) + 1;
        // In the middle of the first pass the second link goes dark, for good.
        cut ||= (seen[1] ?? 0) > 300;
        if (number === 0 || !cut) return true;
        swallowed += 1;
        return false;
      }),
    ),
  );
  const bundles = [await at.seal(randomBytes(2_500_000), "bulk")];
  for (let count = 0; count < 12; count += 1) bundles.push(await at.seal(randomBytes(20_000)));
  for (const bundle of bundles) at.outbox.put(bundle);
  const to = links.map(({ port }, number) => ({ number, port, rate: 4e6 }));
  const sender = await ferryOf(at, [{ name: LANE, number: 0, weight: 1 }], to, 200);
  open.push(sender);
  await end.inbox.until(bundles.length);
  for (const bundle of bundles) {
    expect(digestOf(end.inbox.bytesOf(bundle))).toBe(digestOf(at.sealed(bundle)));
  }
  await eventually(() => at.outbox.acks.filter((ack) => ack.finished).length).toBe(bundles.length);
  expect(end.inbox.answers).toEqual(bundles.map(() => "accepted"));
  expect(swallowed).toBeGreaterThan(0);
  // Half by each, and one end of a pass however many links it took.
  const share = (seen[1] as number) / ((seen[0] as number) + (seen[1] as number));
  expect(share).toBeGreaterThan(0.4);
  expect(share).toBeLessThan(0.6);
  await eventually(() => ends).toBe(2 * bundles.length);
  // A machine that stood still for seconds names both, and takes back what it said of the first.
  await eventually(() =>
    at.rxEvents.of("gate.heartbeat-missed").filter(({ attributes }) => attributes?.link === "1"),
  ).not.toEqual([]);
  await eventually(() => station.status()).toMatchObject({
    objects: 0,
    links: [
      { link: 0, accounted: { lost: 0 }, alarms: [] },
      { link: 1, heartbeat: { silent: true } },
    ],
  });
});

test("a lane goes by the links that it was given, and of a link only its lanes are told", async () => {
  const first = { ...laneEnd(LANE, 0), links: [0] };
  const second = laneEnd(NOTICES, 5);
  const { station, ports } = await stationOf(at, [first, second], [0, 1]);
  open.push(station);
  const seen = ports.map(() => new Set<string>());
  const kinds = ["data", "data", "data", "data", "heartbeat", "inventory"];
  const streams = ports.map(() => new Set<string>());
  const links = await Promise.all(
    ports.map((port, number) =>
      forwarded(port, ({ type, lane }, frame) => {
        seen[number]?.add(`${kinds[type]} ${lane}`);
        if (type === FRAME_TYPE.HEARTBEAT) {
          for (const lane of lanesTold(frame)) streams[number]?.add(lane);
        }
        return true;
      }),
    ),
  );
  const to = links.map(({ port }, number) => ({ number, port, rate: RATE }));
  const begun = (ours: readonly number[], theirs: readonly number[]) =>
    ferryOf(
      at,
      [
        { name: LANE, number: 0, weight: 1, links: ours },
        { name: NOTICES, number: 5, weight: 1, links: theirs },
      ],
      to,
    );
  // Of two groups each: by two links, where they have them.
  const ours = [await at.seal(randomBytes(300_000)), await at.seal(randomBytes(300_000))];
  const theirs = [await at.seal(randomBytes(300_000), "bulk", { lane: NOTICES })];
  for (const bundle of [...ours, ...theirs]) at.outbox.put(bundle);
  const sender = await begun([0], [0, 1]);
  open.push(sender);
  await first.inbox.until(ours.length);
  await second.inbox.until(theirs.length);
  sender.demandInventory();
  const told = (link: number) => [...(seen[link] ?? [])].toSorted();
  await eventually(() => told(0)).toEqual([
    "data 0",
    "data 5",
    "heartbeat 0",
    "inventory 0",
    "inventory 5",
  ]);
  await eventually(() => told(1)).toEqual(["data 5", "heartbeat 5", "inventory 5"]);
  await eventually(() => streams).toEqual([new Set([LANE, NOTICES]), new Set([NOTICES])]);
  const lane = { number: 0, lane: LANE };
  const other = { number: 5, lane: NOTICES };
  await eventually(() => station.status()).toMatchObject({
    rejected: {},
    links: [
      { alarms: [], heartbeat: { settings: { lanes: [lane, other] } } },
      { alarms: [], heartbeat: { settings: { lanes: [other] } } },
    ],
    lanes: [{ gaps: [] }, { gaps: [] }],
  });
  expect(sender.status()).toMatchObject({ lanes: [{ links: [0] }, { links: [0, 1] }] });
  // Exchanged at one end: what may not come by a link is refused, what should come by it is missed.
  await (open.pop() as { close(): Promise<unknown> }).close();
  open.push(await begun([1], [0]));
  await eventually(() => station.status()).toMatchObject({
    rejected: { lane: expect.any(Number) },
    links: [
      {
        alarms: [
          { code: "ferry.link-mismatch", facts: { lanes: `5 ${NOTICES}/0 ${LANE}, 5 ${NOTICES}` } },
        ],
      },
      { rejected: { lane: expect.any(Number) } },
    ],
  });
});

test("links with frames of different sizes: each lane's objects are cut for its own", async () => {
  const first = { ...laneEnd(LANE, 0), links: [0] };
  const second = { ...laneEnd(NOTICES, 5), links: [1] };
  const { station, ports } = await stationOf(at, [first, second], [0, 1]);
  open.push(station);
  const longest = ports.map(() => 0);
  const links = await Promise.all(
    ports.map((port, number) =>
      forwarded(port, (_, frame) => {
        longest[number] = Math.max(longest[number] as number, frame.length);
        return true;
      }),
    ),
  );
  const sizes = [MAX_FRAME_SIZE, DEFAULT_FRAME_SIZE];
  const to = links.map(({ port }, number) => {
    return { number, port, rate: RATE, frameSize: sizes[number] as number };
  });
  at.outbox.put(await at.seal(randomBytes(300_000)));
  at.outbox.put(await at.seal(randomBytes(300_000), "bulk", { lane: NOTICES }));
  const ends = [first, second];
  const lanes = ends.map(({ name, number }) => ({
    name,
    number,
    weight: 1,
    links: [number === 0 ? 0 : 1],
  }));
  open.push(await ferryOf(at, lanes, to));
  for (const { inbox } of ends) await inbox.until(1);
  expect(longest).toEqual(sizes);
  await eventually(() => station.status()).toMatchObject({
    links: sizes.map((frameSize) => ({ alarms: [], heartbeat: { settings: { frameSize } } })),
  });
});

test("frames of another link, or of a lane that nobody told us of, count for nothing and are said", async () => {
  const end = laneEnd(LANE, 0);
  const { station, ports } = await stationOf(at, [end], [0, 1]);
  open.push(station);
  const strange = [{ name: NOTICES, number: 3, weight: 1 }];
  const to = (port: number | undefined) => [{ number: 0, port: port as number, rate: RATE }];
  const close = () => (open.pop() as { close(): Promise<unknown> }).close();
  // The fibre of link 0 ends at the socket of link 1.
  open.push(await ferryOf(at, [{ name: LANE, number: 0, weight: 1 }], to(ports[1])));
  await eventually(() => station.status()).toMatchObject({
    links: [{ epoch: 0 }, { epoch: 0, rejected: { link: expect.any(Number) } }],
  });
  await close();
  open.push(await ferryOf(at, strange, to(ports[0])));
  await eventually(() => station.status()).toMatchObject({
    links: [{ epoch: 0, rejected: { lane: expect.any(Number) } }, { epoch: 0 }],
  });
  await close();
  // Connected as it should be, and with a lane of ours, the settings still differ: what is not ours is named.
  open.push(await ferryOf(at, [{ name: LANE, number: 0, weight: 1 }, ...strange], to(ports[0])));
  await eventually(() => station.status()).toMatchObject({
    links: [
      { alarms: [{ code: "ferry.link-mismatch", facts: { lanes: `3 ${NOTICES}/0 ${LANE}` } }] },
      {},
    ],
  });
  // What was counted is said at the latest with the end.
  for (const part of open.splice(0).reverse()) await part.close();
  const said = at.rxEvents
    .of("gate.frame-rejected")
    .map(({ code, attributes }) => [...[code, attributes?.link, attributes?.reason]]);
  expect(said).toEqual([
    ["ferry.frame-rejected", "0", "lane"],
    ["ferry.frame-rejected", "1", "link"],
  ]);
});
