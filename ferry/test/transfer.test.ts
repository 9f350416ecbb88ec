/** Guarantee tested: bundles cross whole and once, with and without losses, and everything is accounted for. */
import { randomBytes } from "node:crypto";
import { afterEach, expect, test } from "vitest";
import { FRAME_TYPE } from "../src/frame.ts";
import { digestOf, eventually, type Place, place, startSender, startStation } from "./fixture.ts";
import { type Forwarder, startForwarder } from "./forwarder.ts";

const open: { close(): Promise<unknown> }[] = [];
let at: Place;
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.close();
  at.remove();
});

test("small bundles and an 8 MB one arrive byte-identical, each delivered once", async () => {
  at = place();
  const { station, port } = await startStation(at);
  open.push(station);
  const bundles = [await at.seal(randomBytes(8_000_000), "bulk")];
  for (let index = 0; index < 30; index += 1) {
    bundles.push(await at.seal(randomBytes(50 + 977 * index)));
  }
  for (const bundle of bundles) at.outbox.put(bundle);
  open.push(await startSender(at, port, { secondPassMs: 100 }));
  await at.inbox.until(bundles.length);
  for (const bundle of bundles) {
    expect(digestOf(at.inbox.bytesOf(bundle))).toBe(digestOf(at.sealed(bundle)));
  }
  // Every bundle is sent twice, acknowledged twice and delivered once.
  await eventually(() => at.outbox.acks.filter((ack) => ack.finished).length).toBe(bundles.length);
  expect(at.outbox.acks.filter((ack) => ack.passesDone === 1)).toHaveLength(bundles.length);
  await eventually(() => station.status()).toMatchObject({
    rejected: {},
    objects: 0,
    heldBytes: 0,
  });
  expect(at.inbox.answers).toEqual(bundles.map(() => "accepted"));
  expect(at.rxEvents.of("bundle.arrived")).toHaveLength(bundles.length);
  expect(at.txEvents.of("bundle.emitted")).toHaveLength(bundles.length);
  expect(at.arrivals()).toEqual([]);
});

test("what the code can restore costs no second pass: a tenth of each group, or a burst of 500 frames", async () => {
  at = place();
  const { station, port } = await startStation(at);
  open.push(station);
  let [seen, dropped, repeated] = [0, 0, 0];
  const forwarder = await startForwarder(port, ({ type, objectSize, shard, flags }) => {
    if (type > FRAME_TYPE.PARITY) return true;
    if ((flags & 1) !== 0) repeated += 1;
    const large = objectSize > 3_000_000;
    if (large) seen += 1;
    // A block of 64 groups, 32 + 8 shards each.
    const drop = large ? seen > 1_000 && seen <= 1_500 : shard % 10 === 3;
    if (drop) dropped += 1;
    return !drop;
  });
  open.push(forwarder);
  const bundles = [await at.seal(randomBytes(3_200_000), "bulk")];
  for (const size of [9_000, 20_000, 70_000, 400_000, 1_500_000]) {
    bundles.push(await at.seal(randomBytes(size)));
  }
  for (const bundle of bundles) at.outbox.put(bundle);
  const code = { groupShards: 32, parityShards: 8 };
  open.push(await startSender(at, forwarder.port, { rate: 5e6, code }));
  await at.inbox.until(bundles.length);
  for (const bundle of bundles) {
    expect(digestOf(at.inbox.bytesOf(bundle))).toBe(digestOf(at.sealed(bundle)));
  }
  expect(dropped).toBeGreaterThan(600);
  expect(repeated).toBe(0);
  expect(station.status()).toMatchObject({ rejected: {} });
});

test("what more loss takes from the first pass, the second brings; the account is exact", async () => {
  at = place();
  const { station, port } = await startStation(at);
  open.push(station);
  let dropped = 0;
  const forwarder: Forwarder = await startForwarder(port, ({ type, flags }) => {
    const drop = (flags & 1) === 0 && type !== FRAME_TYPE.HEARTBEAT && Math.random() < 0.2;
    if (drop) dropped += 1;
    return !drop;
  });
  open.push(forwarder);
  const bundles = [await at.seal(randomBytes(6_000_000), "bulk")];
  for (let index = 0; index < 20; index += 1) bundles.push(await at.seal(randomBytes(9_000)));
  for (const bundle of bundles) at.outbox.put(bundle);
  open.push(await startSender(at, forwarder.port, { secondPassMs: 300, rate: 6e6 }));
  await at.inbox.until(bundles.length);
  for (const bundle of bundles) {
    expect(digestOf(at.inbox.bytesOf(bundle))).toBe(digestOf(at.sealed(bundle)));
  }
  expect(dropped).toBeGreaterThan(100);
  const lost = () => (station.status() as { accounted: { lost: number } }).accounted.lost;
  await eventually(lost).toBe(dropped);
  expect(at.inbox.answers.every((answer) => answer === "accepted")).toBe(true);
});
