/** Guarantee tested: records come out whole and in order, whatever their lengths, through any wrap. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { RingReader, RingWriter, ringMemory } from "../src/gate/ring.ts";

test("any sequence of writes and reads is a queue", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ write: fc.boolean(), length: fc.nat(300) }), { maxLength: 400 }),
      (steps) => {
        const memory = ringMemory(1024);
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
  const memory = ringMemory(1024);
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
