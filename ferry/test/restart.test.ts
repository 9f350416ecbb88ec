/** Guarantee tested: either half may stop in the middle of anything; nothing is lost, nothing arrives twice. */
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { FRAME_TYPE } from "../src/frame.ts";
import {
  digestOf,
  eventually,
  FROM,
  type Place,
  place,
  startSender,
  startStation,
} from "./fixture.ts";
import { startForwarder } from "./forwarder.ts";

const open: { close(): Promise<unknown> }[] = [];
let at: Place;
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.close();
  at.remove();
});

interface Picture {
  readonly frames: number;
  readonly epoch: number;
  readonly repeats: number;
  readonly objects: number;
}

test("a sender stopped in the middle goes on in a new epoch with the same object", async () => {
  at = place();
  const { station, port } = await startStation(at);
  open.push(station);
  const picture = () => station.status() as Picture;
  const bundle = await at.seal(randomBytes(8_000_000), "bulk");
  at.outbox.put(bundle);
  const first = await startSender(at, port, { rate: 10e6 });
  await eventually(() => picture().frames).toBeGreaterThan(1000);
  await first.close();
  expect(at.inbox.delivered).toHaveLength(0);
  expect(picture().epoch).toBe(1);
  const second = await startSender(at, port, { secondPassMs: 50 });
  open.push(second);
  expect(second.epoch).toBe(2);
  await at.inbox.until(1);
  expect(digestOf(at.inbox.bytesOf(bundle))).toBe(digestOf(at.sealed(bundle)));
  // Same object id: what had come before the stop was not needed again.
  expect(picture().repeats).toBeGreaterThan(500);
  await eventually(() => at.outbox.acks.some((ack) => ack.finished)).toBe(true);
  expect(at.inbox.answers).toEqual(["accepted"]);
});

test("a sender stopped between the passes repeats only the second", async () => {
  at = place();
  const { station, port } = await startStation(at);
  open.push(station);
  at.outbox.put(await at.seal(randomBytes(5_000)));
  const first = await startSender(at, port);
  await at.inbox.until(1);
  await eventually(() => at.outbox.acks.length).toBe(1);
  await first.close();
  open.push(await startSender(at, port, { secondPassMs: 10 }));
  await eventually(() => at.outbox.acks.some((ack) => ack.finished)).toBe(true);
  expect(at.txEvents.of("bundle.emitted")).toHaveLength(1);
});

test("a lease that ran out and comes again is one bundle, also after a lost journal", async () => {
  at = place();
  const { station, port } = await startStation(at);
  open.push(station);
  at.outbox.put(await at.seal(randomBytes(5_000)));
  const first = await startSender(at, port);
  await eventually(() => at.outbox.acks.length).toBe(1);
  at.outbox.leaseAgain();
  await eventually(() => at.outbox.acks.length).toBe(1);
  await first.close();
  rmSync(join(at.txState, "bundles.log"));
  at.outbox.leaseAgain();
  open.push(await startSender(at, port, { secondPassMs: 10 }));
  await eventually(() => at.outbox.acks.some((ack) => ack.finished)).toBe(true);
  await at.inbox.until(1);
  await eventually(() => (station.status() as Picture).objects).toBe(0);
  expect(at.inbox.answers).toEqual(["accepted"]);
});

test("a receiver stopped in the middle keeps its chunks; the second pass brings the rest", async () => {
  at = place();
  const former = await startStation(at);
  // The link breaks after the first block of 64 groups, and works again for the second pass.
  let frames = 0;
  let port = former.port;
  const relay = await startForwarder(
    () => port,
    ({ flags, type }) => {
      frames += 1;
      return frames < 3_000 || (flags & 1) !== 0 || type === FRAME_TYPE.HEARTBEAT;
    },
  );
  open.push(relay);
  const bundle = await at.seal(randomBytes(6_000_000), "bulk");
  const listening = Promise.withResolvers<void>();
  at.outbox.holding = listening.promise;
  at.outbox.put(bundle);
  const code = { groupShards: 32, parityShards: 8 };
  open.push(await startSender(at, relay.port, { rate: 6e6, code, secondPassMs: 10 }));
  await eventually(() => frames).toBeGreaterThan(3_500);
  await former.station.close();
  const partial = join(at.rxLane, "partial", FROM);
  expect(
    readdirSync(partial)
      .sort()
      .map((name) => name.split(".")[1]),
  ).toEqual(["chunks", "manifest", "part"]);
  const later = await startStation(at);
  port = later.port;
  open.push(later.station);
  listening.resolve();
  await at.inbox.until(1);
  expect(digestOf(at.inbox.bytesOf(bundle))).toBe(digestOf(at.sealed(bundle)));
  expect((later.station.status() as Picture).repeats).toBeGreaterThan(1_000);
  await eventually(() => readdirSync(partial)).toEqual([]);
});

test("an arrival that was not answered is delivered after a restart", async () => {
  at = place();
  at.inbox.down = true;
  const former = await startStation(at);
  const bundle = await at.seal(randomBytes(70_000));
  at.outbox.put(bundle);
  const sender = await startSender(at, former.port);
  await at.inbox.untilRefused(2);
  expect(existsSync(join(at.arrivalsDir, bundle.file ?? ""))).toBe(true);
  await sender.close();
  await former.station.close();
  at.inbox.down = false;
  const later = await startStation(at);
  open.push(later.station);
  await at.inbox.until(1);
  expect(digestOf(at.inbox.bytesOf(bundle))).toBe(digestOf(at.sealed(bundle)));
});

test("deliveries wait while the inbox is down and go on when it is back", async () => {
  at = place();
  at.inbox.down = true;
  const { station, port } = await startStation(at);
  open.push(station);
  const bundles = [];
  for (let index = 0; index < 5; index += 1) bundles.push(await at.seal(randomBytes(3_000)));
  for (const bundle of bundles) at.outbox.put(bundle);
  open.push(await startSender(at, port, { secondPassMs: 0 }));
  await at.inbox.untilRefused(10);
  expect(at.inbox.delivered).toHaveLength(0);
  at.inbox.down = false;
  await at.inbox.until(5);
  expect(at.inbox.answers).toEqual(bundles.map(() => "accepted"));
  for (const bundle of bundles) {
    expect(digestOf(at.inbox.bytesOf(bundle))).toBe(digestOf(at.sealed(bundle)));
  }
});
