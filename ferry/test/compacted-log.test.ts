/** Guarantee tested: a log that is written anew while others write lacks none of their lines, and is written anew in the end also after a disk that did not take it. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CompactedLog } from "../src/compacted-log.ts";
import { readLines } from "../src/durable.ts";

const GROW_BYTES = 512;

let dir: string;
let path: string;
let state: Set<number>;
let log: CompactedLog;
/** How often it was written anew. */
let renewed: number;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "lf-log-"));
  mkdirSync(join(dir, "state"));
  path = join(dir, "state", "lines.log");
  state = new Set();
  renewed = -1;
  log = await CompactedLog.create(path, GROW_BYTES, () => {
    renewed += 1;
    return [...state];
  });
});
afterEach(async () => {
  await log.close();
  rmSync(dir, { recursive: true, force: true });
});

function add(number: number): Promise<void> {
  state.add(number);
  return log.append(number);
}

test("what others write while it is written anew is there", async () => {
  const first = Array.from({ length: GROW_BYTES }, (_, line) => add(line));
  // They are being written by now, and this one is to be written next.
  await new Promise((resolve) => process.nextTick(resolve));
  const next = add(GROW_BYTES);
  await first[0];
  // It has grown enough: the first of these begins to write it anew, while that next one is still being written.
  const last = [add(10_001), add(10_002)];
  await Promise.all([...first, next, ...last]);
  expect(renewed).toBe(1);
  expect(new Set(await readLines(path))).toEqual(state);
});

test("what could not be written anew is, when it has grown by as much again", async () => {
  // All that is kept is one number, written again and again.
  const grow = async (lines: number) => {
    for (let line = 0; line < lines; line += 1) await add(Number.MAX_SAFE_INTEGER);
  };
  const lines = Math.ceil(GROW_BYTES / 17);
  await grow(lines);
  expect(renewed).toBe(0);
  renameSync(join(dir, "state"), join(dir, "away"));
  await expect(grow(1)).rejects.toMatchObject({ code: "ENOENT" });
  renameSync(join(dir, "away"), join(dir, "state"));
  await grow(lines);
  expect(statSync(path).size).toBeGreaterThan(GROW_BYTES);
  await grow(1);
  expect(renewed).toBe(2);
  expect(statSync(path).size).toBe(17);
});
