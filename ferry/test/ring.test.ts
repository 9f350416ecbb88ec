/** Guarantee tested: records come out whole and in order, whatever their lengths, through any wrap. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { expect, test } from "vitest";
import { RingReader, RingWriter, ringMemory } from "../src/gate/ring.ts";

test("any sequence of writes and reads is a queue", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ write: fc.boolean(), length: fc.nat(300) }), { maxLength: 400 }),
      (steps) => {
        const memory = ringMemory(new SharedArrayBuffer(1024));
        const writer = new RingWriter(memory);
        const reader = new RingReader(memory);
        const queue: number[] = [];
        let value = 0;
        for (const { write, length } of steps) {
          if (write) {
            const at = writer.reserve(length);
            if (at < 0) {
              expect(queue.length).toBeGreaterThan(0);
              continue;
            }
            value = (value + 1) & 0xff;
            writer.bytes.fill(value, at, at + length);
            writer.commit(length, value);
            queue.push(value, length);
          } else if (reader.next()) {
            const wanted = queue.shift();
            expect(reader.tag).toBe(wanted);
            expect(reader.length).toBe(queue.shift());
            const bytes = reader.bytes.subarray(reader.offset, reader.offset + reader.length);
            expect(bytes.every((byte) => byte === wanted)).toBe(true);
            reader.release();
          } else {
            expect(queue).toEqual([]);
          }
        }
      },
    ),
  );
});

test("each side is rung only when it asked", () => {
  const memory = ringMemory(new SharedArrayBuffer(1024));
  const writer = new RingWriter(memory);
  const reader = new RingReader(memory);
  expect(reader.askForRecord()).toBe(false);
  writer.reserve(400);
  expect(writer.commit(400, 0)).toBe(true);
  writer.reserve(400);
  expect(writer.commit(400, 0)).toBe(false);
  expect(reader.askForRecord()).toBe(true);
  expect(writer.reserve(400)).toBe(-1);
  expect(writer.askForRoom(400)).toBe(false);
  expect(reader.next()).toBe(true);
  expect(reader.release()).toBe(true);
});

const RING = JSON.stringify(new URL("../src/gate/ring.ts", import.meta.url).href);

/** Runs `body` in a thread of its own with `ring`, `memory` and `parentPort` at hand. */
function thread(end: "RingReader" | "RingWriter", memory: object, body: string): Worker {
  const code = `
    const { parentPort, workerData: memory } = require("node:worker_threads");
    import(${RING}).then((ringModule) => {
      const ring = new ringModule.${end}(memory);
      ${body}
    });`;
  return new Worker(code, { eval: true, workerData: memory });
}

/** Until the thread has said in the ring that it blocks. */
async function blocked(worker: Worker, ring: RingReader | RingWriter): Promise<void> {
  const before = ring.control.join();
  await once(worker, "message");
  await expect.poll(() => ring.control.join()).not.toBe(before);
}

/** Longer than the test may take: only being woken ends the wait. */
const FOR_EVER_MS = 600_000;

test("a thread that waits for room is woken when half is free", async () => {
  const memory = ringMemory(new SharedArrayBuffer(4096));
  const writer = new RingWriter(memory);
  while (writer.reserve(500) >= 0) writer.commit(500, 0);
  const worker = thread(
    "RingWriter",
    memory,
    `parentPort.postMessage("waits"); ring.waitForSpace(500, ${FOR_EVER_MS});`,
  );
  await blocked(worker, writer);
  const ended = once(worker, "exit");
  const reader = new RingReader(memory);
  while (reader.next()) reader.release();
  expect(await ended).toEqual([0]);
});

test("a thread that waits for a record is woken by the next one", async () => {
  const memory = ringMemory(new SharedArrayBuffer(4096));
  const worker = thread(
    "RingReader",
    memory,
    `parentPort.postMessage("waits"); ring.waitForRecord(${FOR_EVER_MS});
     parentPort.postMessage(ring.next() && ring.tag);`,
  );
  const writer = new RingWriter(memory);
  await blocked(worker, writer);
  const answer = once(worker, "message");
  writer.reserve(10);
  writer.commit(10, 77);
  writer.wakeReader();
  expect(await answer).toEqual([77]);
});

test("between two threads nothing is torn, lost or doubled, with the ring full most of the time", async () => {
  const memory = ringMemory(new SharedArrayBuffer(4096));
  const records = 30_000;
  const worker = thread(
    "RingWriter",
    memory,
    `for (let value = 0; value < ${records}; value += 1) {
       const length = (value * 7919) % 300;
       let at = ring.reserve(length);
       for (; at < 0; at = ring.reserve(length)) ring.waitForSpace(length, 50);
       ring.bytes.fill(value & 0xff, at, at + length);
       if (ring.commit(length, value)) parentPort.postMessage(0);
     }`,
  );
  const reader = new RingReader(memory);
  let wanted = 0;
  const drain = (): void => {
    do {
      for (; reader.next(); wanted += 1) {
        const bytes = reader.bytes.subarray(reader.offset, reader.offset + reader.length);
        const right =
          reader.tag === wanted &&
          reader.length === (wanted * 7919) % 300 &&
          bytes.every((byte) => byte === (wanted & 0xff));
        if (!right) expect.fail(`record ${wanted} is ${reader.tag}, ${reader.length} bytes`);
        reader.release();
      }
    } while (reader.askForRecord());
  };
  worker.on("message", drain);
  drain();
  const [code] = await once(worker, "exit");
  drain();
  expect(code).toBe(0);
  expect(wanted).toBe(records);
});
