/** Guarantee tested: passes of all classes end whatever the mix, share bursts frame by frame, and stop without holding anything. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadProvider } from "@lightferry/proto/sm";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FRAME_HEADER, FRAME_TYPE } from "../src/frame.ts";
import { type Code, Geometry } from "../src/object.ts";
import { BundleFile } from "../src/tx/bundle-file.ts";
import { Emitter } from "../src/tx/emit.ts";
import { Encoding } from "../src/tx/encoding.ts";
import { HeartbeatSource } from "../src/tx/heartbeat.ts";
import { ShardMemory } from "../src/tx/memory.ts";
import type { LaneShare } from "../src/tx/order.ts";
import { Pass } from "../src/tx/pass.ts";
import { ObjectSource } from "../src/tx/source.ts";
import { RecordingGate } from "./tx-gate.ts";

const SHARD = 400;
const FRAME = SHARD + FRAME_HEADER;
const CODE: Code = { groupShards: 4, parityShards: 2 };
const MAX_BYTES = 400_000;

const provider = loadProvider();
const key = { key: provider.generateSm2(), keyId: "k" };
const signer = { provider, active: () => key, chain: () => [] };

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "lf-emit-"));
  writeFileSync(join(dir, "object"), randomBytes(MAX_BYTES));
});
afterEach(() => rmSync(dir, { recursive: true }));

function line(lanes: readonly LaneShare[] = [{ number: 0, weight: 1 }]) {
  const gate = new RecordingGate();
  const settings = { lanes: [{ number: 0, lane: "l" }], frameSize: FRAME, ...CODE };
  const positions = () => new Map();
  const heartbeat = new HeartbeatSource({ signer, sender: "n", epoch: 1, settings, positions });
  const emitter = new Emitter(gate, FRAME, heartbeat, { number: 7, lanes });
  const memory = new ShardMemory(SHARD, CODE);
  const encoding = new Encoding();
  const send = async (
    objectId: number,
    size: number,
    serviceClass: number,
    lane = 0,
  ): Promise<void> => {
    const facts = {
      ...{ objectId, bundleId: new Uint8Array(16), headerDigest: new Uint8Array(32) },
      ...{ sender: "n", lane: "l", geometry: new Geometry(size, SHARD, CODE) },
      proof: { headSize: 64, headDigest: new Uint8Array(32), chunkBytes: 5_000 },
    };
    const file = await BundleFile.open(join(dir, "object"));
    const source = new ObjectSource(facts, file, encoding);
    const kind = { channel: Math.min(serviceClass, 2), serviceClass, repeat: serviceClass === 3 };
    const { wake } = emitter;
    const context = { epoch: 1, frameSize: FRAME, signer, memory, wake, lane };
    try {
      await emitter.send(new Pass(source, kind, context));
    } finally {
      await file.close();
    }
  };
  return { gate, emitter, memory, send };
}

test("any mix of classes and sizes is sent to its end, many times the memory at once", async () => {
  const object = fc.record({
    size: fc.oneof(fc.integer({ min: 64, max: 2_000 }), fc.integer({ min: 64, max: MAX_BYTES })),
    serviceClass: fc.nat(3),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(object, { minLength: 10, maxLength: 40 }), async (objects) => {
      const { gate, emitter, memory, send } = line();
      emitter.start();
      await Promise.all(objects.map((o, index) => send(index + 1, o.size, o.serviceClass)));
      await emitter.stop(undefined);
      expect(memory.used).toBe(0);
      const shards = gate.frames.filter(({ type }) => type <= FRAME_TYPE.PARITY);
      for (const [index, { size }] of objects.entries()) {
        const geometry = new Geometry(size, SHARD, CODE);
        let expected = 0;
        for (let group = 0; group < geometry.groups; group += 1) {
          expected += geometry.dataShards(group) + geometry.parityShards(group);
        }
        const sent = shards.filter(({ objectId }) => objectId === index + 1);
        if (sent.length !== expected) expect.fail(`object ${index + 1}: ${sent.length} shards`);
      }
      // Numbers without a gap, whoever wrote.
      expect(gate.frames.every(({ seq }, index) => seq === index)).toBe(true);
    }),
    { numRuns: 6 },
  );
});

test("an urgent object of a light lane leaves with the next burst, however heavy the lane whose bulk fills the line", async () => {
  const { gate, emitter, send } = line([
    { number: 2, weight: 1_000 },
    { number: 5, weight: 1 },
  ]);
  gate.limit = 0;
  emitter.start();
  const ready = () => [...emitter.passes].filter((pass) => pass.ready).length;
  const bulk = [1, 2, 3].map((objectId) => send(objectId, MAX_BYTES, 2, 2));
  await expect.poll(ready).toBeGreaterThan(0);
  gate.limit = 4;
  gate.ring();
  await expect.poll(() => gate.frames.at(-1)?.burst).toBe(4);
  const before = ready();
  const urgent = send(9, 64_000, 0, 5);
  await expect.poll(ready).toBe(before + 1);
  gate.limit = Number.POSITIVE_INFINITY;
  gate.ring();
  await urgent;
  await Promise.all(bulk);
  await emitter.stop(undefined);
  const sent = gate.frames.filter(({ type }) => type !== FRAME_TYPE.HEARTBEAT);
  const after = sent.filter(({ burst }) => burst > 4);
  expect(after[0]).toMatchObject({ lane: 5, link: 7, objectId: 9, channel: 0 });
  // 96 KB with parity and manifests: three bursts of its own, and at most one of bulk between them.
  const last = after.findLast(({ objectId }) => objectId === 9)?.burst ?? 0;
  const between = new Set(after.filter(({ burst }) => burst <= last).map(({ burst }) => burst));
  expect(between.size).toBeLessThanOrEqual(4);
  expect(new Set(sent.map(({ lane, objectId }) => `${lane} ${objectId}`))).toEqual(
    new Set(["2 1", "2 2", "2 3", "5 9"]),
  );
});

test("objects of one class that are ready take turns frame by frame within a burst", async () => {
  const { gate, emitter, send } = line();
  gate.limit = 0;
  emitter.start();
  const all = [1, 2, 3].map((objectId) => send(objectId, 64_000, 1));
  // All are read by the time the gate takes the first burst.
  await expect.poll(() => [...emitter.passes].filter(({ ready }) => ready).length).toBe(3);
  gate.limit = Number.POSITIVE_INFINITY;
  gate.ring();
  await Promise.all(all);
  await emitter.stop(undefined);
  const data = gate.frames.filter(({ type }) => type === FRAME_TYPE.DATA);
  const names = data.slice(0, 300).map(({ objectId }) => objectId);
  // Files are opened side by side, and whose was open first begins.
  expect(names.slice(0, 3).toSorted()).toEqual([1, 2, 3]);
  expect(names).toEqual(names.map((_, index) => names[index % 3]));
  // And a burst is not cut short for it.
  const first = data.filter(({ burst }) => burst === data[0]?.burst).length;
  expect(first).toBeGreaterThan(100);
});

test.each([
  { where: "all hold a block and wait for the next", limit: 2, frames: 1 },
  { where: "some are over", limit: 40, frames: 1_000 },
])("passes that are stopped hold nothing any more: $where", async ({ limit, frames }) => {
  const { gate, emitter, memory, send } = line();
  gate.limit = limit;
  emitter.start();
  const sizes = [MAX_BYTES, 64_000, 2_000, MAX_BYTES, MAX_BYTES, MAX_BYTES, MAX_BYTES, MAX_BYTES];
  const all = Promise.allSettled(sizes.map((size, index) => send(index + 1, size, 2)));
  await expect.poll(() => gate.frames.length).toBeGreaterThan(frames);
  // Three blocks: there is no room for another.
  await expect.poll(() => memory.used).toBeGreaterThanOrEqual(3 * 64 * 6);
  const stopping = emitter.stop(new Error("closing"));
  gate.ring();
  const ends = await all;
  await stopping;
  expect(ends.filter(({ status }) => status === "rejected").length).toBeGreaterThan(4);
  expect(memory.used).toBe(0);
  // What comes too late is not left waiting.
  await expect(send(99, 2_000, 1)).rejects.toThrow("closing");
});
