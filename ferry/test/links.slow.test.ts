/**
 * Guarantee tested: with the real programs in network namespaces, a line that dies and a ferry that is
 * killed in the middle cost nothing: all is delivered once, the silent link is named, what a line took is counted.
 */
import { expect, test } from "vitest";
import { drill } from "../drills/links.drill.ts";

/** Whatever else the machine does, it keeps up with this, and a pass takes most of a second. */
const GROUND = { lineBits: 48e6, shaped: false };
const small = { count: 8, seed: 23, ground: GROUND, leaseMs: 0 };
const CLEAN = { missing: [], twice: [], offeredAgain: 0 };

test("one of two lines dies in the middle: the other brings all of it, once, and each link has its account; a lane of the other line alone misses nothing of its first pass", {
  timeout: 300_000,
}, async () => {
  const { deadLine } = await drill({ ...small, only: ["deadLine"] });
  expect(deadLine).toMatchObject({ bundles: 19, ...CLEAN, named: expect.arrayContaining([1]) });
  const accounts = deadLine?.accounts ?? [];
  expect(accounts.map(({ link }) => link)).toEqual([0, 1]);
  for (const { injected, overruns, reported } of accounts) {
    expect(reported).toBe(injected + overruns);
  }
  expect(accounts[1]?.injected).toBeGreaterThan(0);
});

test("one of two ferries of a lane is killed in the middle: the other brings what it held, once", {
  timeout: 300_000,
}, async () => {
  const { deadFerry } = await drill({ ...small, only: ["deadFerry"] });
  expect(deadFerry).toMatchObject({ bundles: 64, ...CLEAN, named: expect.arrayContaining([7]) });
  expect(deadFerry?.released).toBeGreaterThan(0);
  expect(deadFerry?.before).toBeLessThan(64);
});
