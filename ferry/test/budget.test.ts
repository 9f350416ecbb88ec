/** Guarantee tested: of the receiver's memory every place for a chunk is used again, whatever became of the object that had it. */
import { beforeEach, expect, test } from "vitest";
import { type IncomingMemory, incomingMemory, incomingMemoryOf } from "../src/frames-in/index.ts";
import { MAX_CHUNK_BYTES } from "../src/object.ts";
import { Budget } from "../src/rx/budget.ts";

const PAGE = 65_536;

let memory: IncomingMemory;
let budget: Budget;
beforeEach(() => {
  memory = incomingMemoryOf(incomingMemory(PAGE)) as IncomingMemory;
  budget = new Budget();
});

const isPlace = ({ buffer }: Uint8Array): boolean => buffer === memory.buffer;

/** Takes all that there are, and one buffer more. */
function all(): Uint8Array[] {
  const taken: Uint8Array[] = [];
  do taken.push(budget.take(MAX_CHUNK_BYTES, memory));
  while (isPlace(taken.at(-1) as Uint8Array));
  return taken;
}

test("chunks have places, and buffers of their own when none is left; all of it is used again", () => {
  const taken = all();
  expect(taken.length).toBeGreaterThan(100);
  expect(budget.used).toBe(taken.length * MAX_CHUNK_BYTES);
  for (const bytes of taken) budget.give(bytes);
  expect(budget.used).toBe(0);
  const again = all();
  expect(again.filter(isPlace)).toHaveLength(taken.length - 1);
  for (const bytes of again) budget.give(bytes);
  // Nothing is kept for objects that may not come: the gate has its places.
  budget.rest();
  const other = new Budget();
  for (let n = 1; n < taken.length; n += 1) {
    expect(isPlace(other.take(MAX_CHUNK_BYTES, memory))).toBe(true);
  }
});

test("a place that a thread still reads is nobody's until it does not", () => {
  const [read] = all() as [Uint8Array];
  budget.give(read, false);
  expect(isPlace(budget.take(MAX_CHUNK_BYTES, memory))).toBe(false);
  const { used } = budget;
  budget.reclaim(read);
  expect(budget.used).toBe(used);
  expect(budget.take(MAX_CHUNK_BYTES, memory).byteOffset).toBe(read.byteOffset);
});

test("a short object as long as a chunk, which never gives its buffer back, has none of the places", () => {
  const chunk = budget.take(MAX_CHUNK_BYTES, memory);
  budget.give(chunk);
  const short = budget.take(MAX_CHUNK_BYTES);
  expect(isPlace(short)).toBe(false);
  budget.give(short, false);
  expect(budget.take(MAX_CHUNK_BYTES, memory).byteOffset).toBe(chunk.byteOffset);
});
