/** Guarantee tested: shares of the line, what the sender's journal keeps, and how manifests are cut. */
import { randomBytes } from "node:crypto";
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CHANNEL, emptyHeader } from "../src/frame.ts";
import { ManifestCollector, splitManifest } from "../src/manifest-parts.ts";
import { DEFAULT_CODE, epochOf, Geometry, objectIdOf } from "../src/object.ts";
import { payloadOf } from "../src/rx/shard.ts";
import { Waiting } from "../src/rx/waiting.ts";
import { type Carried, TxJournal } from "../src/tx/journal.ts";
import { Order, REPEAT_CLASS, type Slot } from "../src/tx/order.ts";
import { provider } from "./fixture.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "lf-sending-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

interface Sent {
  ready: boolean;
  sent: number;
}

/** Bursts of 64,000 bytes in `frames` frames. */
function run(order: Order<Sent>, bursts: number, frames = 1): void {
  for (let burst = 0; burst < bursts; burst += 1) {
    const slot = order.next(0);
    if (slot === undefined) return;
    for (let frame = 0; frame < frames; frame += 1) {
      const pass = order.turn(slot);
      if (pass !== undefined) pass.sent += 1;
    }
    order.charge(slot, 64_000, 44, 0);
  }
}

test("a full line is shared as stated, and second passes keep their reserve", () => {
  const order = new Order<Sent>();
  const passes = [0, 1, 2, 3].map((serviceClass) => {
    const pass = { ready: true, sent: 0 };
    order.add(pass, serviceClass);
    return pass;
  });
  run(order, 1_000);
  expect(passes.map((pass) => Math.round(pass.sent / 10))).toEqual([48, 32, 10, 10]);
});

test("what others leave goes to whoever is ready; the idle save nothing up", () => {
  const order = new Order<Sent>();
  const bulk = { ready: true, sent: 0 };
  const normal = { ready: false, sent: 0 };
  order.add(bulk, CHANNEL.bulk);
  order.add(normal, CHANNEL.normal);
  run(order, 500);
  expect(bulk.sent).toBe(500);
  normal.ready = true;
  run(order, 42);
  // 32 : 10 from now on, not 542 bursts of catching up and not one behind the other.
  expect(normal.sent).toBeGreaterThanOrEqual(31);
  expect(bulk.sent - 500).toBeGreaterThanOrEqual(9);
});

test("passes of one class take turns frame by frame; who has none ready is passed over", () => {
  const order = new Order<Sent>();
  const passes = [0, 1, 2].map(() => ({ ready: true, sent: 0 }));
  for (const pass of passes) order.add(pass, REPEAT_CLASS);
  run(order, 1, 9);
  expect(passes.map((pass) => pass.sent)).toEqual([3, 3, 3]);
  const [first, second, third] = passes as [Sent, Sent, Sent];
  second.ready = false;
  run(order, 1, 4);
  expect(passes.map((pass) => pass.sent)).toEqual([5, 3, 5]);
  // The turn stays where it was when one before it leaves.
  const slot = order.next(0) as Slot<Sent>;
  expect(slot).toMatchObject({ lane: 0, serviceClass: REPEAT_CLASS });
  expect(order.turn(slot)).toBe(first);
  order.remove(first);
  expect(order.turn(slot)).toBe(third);
  order.remove(third);
  expect(order.turn(slot)).toBeUndefined();
  expect(order.next(0)).toBeUndefined();
});

function carried(name: number): Carried {
  return {
    bundleId: Buffer.alloc(16, name).toString("hex"),
    lane: "inbound",
    objectId: objectIdOf(1, name),
    shardSize: 1408,
    code: DEFAULT_CODE,
    file: "a.lfb",
    size: 1_000,
    headerDigest: "00",
    stream: "inbound/n/normal",
    sequence: name,
    priority: "normal",
    leaseId: "l1",
    passes: 0,
    firstPassMs: 0,
  };
}

test("the journal knows after a restart which bundles and which pass, in a new epoch", async () => {
  const first = await TxJournal.open(dir);
  expect(first.epoch).toBe(1);
  const [one, two, three] = [carried(1), carried(2), carried(3)];
  for (const bundle of [one, two, three]) await first.begin(bundle);
  await first.passOver(two.bundleId, 1, 77);
  await first.renewLease(two.bundleId, "l9");
  await first.passOver(three.bundleId, 1, 78);
  await first.done(three.bundleId);
  await first.close();
  // A crash in the middle of a line leaves it torn.
  appendFileSync(join(dir, "bundles.log"), '{"done":"01');
  const second = await TxJournal.open(dir);
  expect(second.epoch).toBe(2);
  expect([...second.bundles.values()]).toEqual([
    one,
    { ...two, passes: 1, firstPassMs: 77, leaseId: "l9" },
  ]);
  expect([...second.positions]).toEqual([["inbound/n/normal", 3]]);
  expect(epochOf(second.newObjectId())).toBe(2);
  await second.close();
  const third = await TxJournal.open(dir);
  expect(third.bundles.size).toBe(2);
  await third.close();
});

test("damage inside the journal or the epoch stops the start, and says where", async () => {
  writeFileSync(join(dir, "bundles.log"), '{"done":\n{"done":"01"}\n');
  await expect(TxJournal.open(dir)).rejects.toMatchObject({ code: "ferry.state-corrupt" });
  writeFileSync(join(dir, "epoch.json"), '{"epoch":-4}');
  await expect(TxJournal.open(dir)).rejects.toMatchObject({ code: "ferry.state-corrupt" });
  for (const ferry of [0, 15]) {
    writeFileSync(join(dir, "epoch.json"), `{"epoch":${(ferry + 1) * 2 ** 17 - 1}}`);
    await expect(TxJournal.open(dir, ferry)).rejects.toMatchObject({
      code: "ferry.epoch-exhausted",
    });
  }
});

test("the epochs of two ferries are never the same, and a state is of one ferry", async () => {
  writeFileSync(join(dir, "epoch.json"), `{"epoch":${2 ** 17 - 2}}`);
  const last = await TxJournal.open(dir);
  expect(last.epoch).toBe(2 ** 17 - 1);
  await last.close();
  await expect(TxJournal.open(dir, 1)).rejects.toMatchObject({
    code: "config.invalid",
    detail: expect.stringContaining("lowest link is 0, not 1"),
  });
  rmSync(join(dir, "epoch.json"));
  const first = await TxJournal.open(dir, 1);
  expect(first.epoch).toBe(2 ** 17 + 1);
  expect(epochOf(first.newObjectId())).toBe(first.epoch);
  await first.close();
});

test("every byte of an object lies in exactly one shard", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 64, max: 5_000_000 }),
      fc.integer({ min: 208, max: 8896 }),
      fc.integer({ min: 1, max: 224 }),
      fc.integer({ min: 0, max: 31 }),
      (size, shard, groupShards, parityShards) => {
        const geometry = new Geometry(size, shard, { groupShards, parityShards });
        let sum = 0;
        for (let group = 0; group < geometry.groups; group += 1) {
          const shards = geometry.dataShards(group);
          expect(shards).toBeGreaterThan(0);
          expect(shards).toBeLessThanOrEqual(groupShards);
          for (let index = 0; index < shards; index += 1) {
            const length = geometry.shardLength(group, index);
            sum += length;
            if (length > 0 && length <= geometry.codedLength(group)) continue;
            expect.fail(`shard ${index} of group ${group}: ${length} bytes`);
          }
        }
        expect(sum).toBe(size);
      },
    ),
    { numRuns: 50 },
  );
});

test("parts of a manifest come together in any order, and never with parts of another", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 300, max: 4_000 }),
      fc.integer({ min: 256, max: 2_000 }),
      (size, frame) => {
        const messages = [randomBytes(size), randomBytes(size)];
        const sets = messages.map((message) => splitManifest(provider, message, frame));
        const collector = new ManifestCollector();
        const whole: Uint8Array[] = [];
        const count = (sets[0] as Uint8Array[]).length;
        for (let part = count - 1; part >= 0; part -= 1) {
          for (const set of sets) {
            const answer = collector.add(1, part, count, set[part] as Uint8Array);
            if (answer instanceof Uint8Array) whole.push(answer);
          }
        }
        expect(whole.map((bytes) => Buffer.from(bytes))).toEqual(messages);
      },
    ),
    { numRuns: 50 },
  );
});

test("unfinished manifests and frames without one are held within bounds", () => {
  const collector = new ManifestCollector();
  for (let index = 0; index < 2_000; index += 1) {
    collector.add(index, 0, 2, randomBytes(1_400));
  }
  expect(collector.dropped).toBe(2_000 - 256);
  expect(collector.add(1, 0, 2, randomBytes(8))).toBe("short");
  const waiting = new Waiting();
  let dropped = 0;
  const header = { ...emptyHeader(), k: 1 };
  for (let index = 0; index < 20_000; index += 1) {
    dropped += waiting.add({ ...header, objectId: index % 300 }, payloadOf(new Uint8Array(1_400)));
  }
  expect(waiting.bytes).toBeLessThanOrEqual(8 << 20);
  expect(dropped).toBeGreaterThan(10_000);
});
