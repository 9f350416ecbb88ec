/** Guarantee tested: only what has its tag or its digest is written, each check is answered once, and too much of them pauses the gate. */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadProvider } from "@lightferry/proto/sm";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { TagCheck } from "../src/rx/check-task.ts";
import { type Check, Checks, type Verdict } from "../src/rx/checks.ts";

const provider = loadProvider();
const CHUNK = 262_160;
let dir: string;
let path: string;
let fd: number;
let checks: Checks;
let switched: string[];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "lf-checks-"));
  path = join(dir, "part");
  fd = openSync(path, "w+");
  switched = [];
  checks = new Checks(
    provider,
    () => switched.push("paused"),
    () => switched.push("resumed"),
  );
});
afterEach(async () => {
  await checks.idle();
  closeSync(fd);
  rmSync(dir, { recursive: true });
});

function filled(length: number, value: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(length)).fill(value);
}

const leaf = (bytes: Uint8Array): Uint8Array => provider.sm3(Uint8Array.of(0), bytes);

/** Looks at a chunk, which is good unless something is changed. */
function look(bytes: Uint8Array, change: Partial<Check> = {}): Promise<Verdict> {
  return new Promise((done) => {
    const { length } = bytes;
    const digest = leaf(bytes);
    checks.submit({ head: false, bytes, length, digest, file: fd, offset: 0, done, ...change });
  });
}

test("good chunks lie in the file, wrong ones do not, whatever stands beside them", async () => {
  const chunks = [1, 2, 3, 4, 5, 6, 7].map((value) => filled(CHUNK, value));
  const verdicts = await Promise.all(
    chunks.map((bytes, index) => {
      const offset = index * CHUNK;
      return look(bytes, index === 2 ? { offset, digest: leaf(bytes.subarray(1)) } : { offset });
    }),
  );
  expect(verdicts).toEqual(["good", "good", "wrong", "good", "good", "good", "good"]);
  const written = readFileSync(path);
  expect(written.length).toBe(7 * CHUNK);
  for (const [index, bytes] of chunks.entries()) {
    const expected = index === 2 ? new Uint8Array(CHUNK) : bytes;
    const found = written.subarray(index * CHUNK, (index + 1) * CHUNK);
    expect(Buffer.compare(found, expected), `chunk ${index}`).toBe(0);
  }
});

test("what lies in the file is looked at again; a file that ends too early is wrong", async () => {
  const bytes = filled(100_000, 9);
  expect(await look(bytes)).toBe("good");
  const again = { bytes: undefined, length: bytes.length };
  expect(await look(bytes, again)).toBe("good");
  expect(await look(bytes, { ...again, offset: 1 })).toBe("wrong");
});

test("a head has the plain digest; short spans without a file are answered at once", async () => {
  const head = filled(140_000, 3);
  expect(await look(head, { head: true, digest: provider.sm3(head), file: -1 })).toBe("good");
  expect(await look(head, { head: true, file: -1 })).toBe("wrong");
  const short = filled(500, 1);
  const verdicts: Verdict[] = [];
  const done = (verdict: Verdict): void => {
    verdicts.push(verdict);
  };
  const check = { bytes: short, length: 500, file: -1, offset: 0, done };
  checks.submit({ ...check, head: false, digest: leaf(short) });
  checks.submit({ ...check, head: true, digest: provider.sm3(short) });
  checks.submit({ ...check, head: true, digest: leaf(short) });
  // The one chunk of an urgent bundle of 64 KiB waits for nothing.
  const sealed = filled(65_552, 2);
  checks.submit({ ...check, bytes: sealed, length: 65_552, head: false, digest: leaf(sealed) });
  expect(verdicts).toEqual(["good", "good", "wrong", "good"]);
  const byDigest = 2 * 140_000 + 3 * 500 + 65_552;
  expect(checks.counts).toEqual({ byTag: 0, byDigest, wrongTags: 0 });
});

test("a right tag needs no digest, a wrong one leaves the chunk to it, and each is counted by what judged it", async () => {
  const key = new Uint8Array(16).fill(5);
  const tagOf = (bytes: Uint8Array, chunk: number): TagCheck => {
    const nonce = new Uint8Array(12).fill(chunk);
    return { key, nonce, tag: provider.sm4Gmac(key, nonce, bytes) };
  };
  const [one, two, three] = [1, 2, 3].map((value) => filled(CHUNK, value)) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  const looked: [Verdict, boolean][] = await Promise.all(
    [
      { bytes: one, tag: tagOf(one, 0), digest: leaf(two), offset: 0 },
      { bytes: two, tag: tagOf(one, 1), digest: leaf(two), offset: CHUNK },
      { bytes: three, tag: tagOf(one, 2), digest: leaf(two), offset: 2 * CHUNK },
    ].map(
      (check) =>
        new Promise<[Verdict, boolean]>((resolve) => {
          const done: Check["done"] = (verdict, wrongTag) => resolve([verdict, wrongTag]);
          checks.submit({ ...check, head: false, length: CHUNK, file: fd, done });
        }),
    ),
  );
  expect(looked).toEqual([
    ["good", false],
    ["good", true],
    ["wrong", true],
  ]);
  expect(Buffer.compare(readFileSync(path), Buffer.concat([one, two]))).toBe(0);
  expect(checks.counts).toEqual({ byTag: CHUNK, byDigest: 2 * CHUNK, wrongTags: 2 });
});

test("what could not be read was judged by nothing", async () => {
  const file = openSync(path, "w");
  const unread = { bytes: undefined, length: CHUNK, file };
  expect(await look(filled(9, 1), unread)).toMatchObject({ code: "EBADF" });
  expect(checks.counts).toEqual({ byTag: 0, byDigest: 0, wrongTags: 0 });
  closeSync(file);
});

test("a chunk that could not be written is told from a wrong one, with the system's code", async () => {
  const readOnly = openSync(path, "r");
  const chunk = filled(CHUNK, 8);
  const verdicts = await Promise.all([
    look(chunk),
    look(chunk, { file: readOnly, offset: CHUNK }),
    look(chunk, { digest: leaf(chunk.subarray(2)) }),
    look(chunk, { offset: 3 * CHUNK }),
  ]);
  expect(verdicts).toEqual(["good", expect.objectContaining({ code: "EBADF" }), "wrong", "good"]);
  closeSync(readOnly);
});

test("a chunk of a short object overtakes what a long one brought at once", async () => {
  const order: string[] = [];
  const long = Array.from({ length: 40 }, async (_, index) => {
    const chunk = filled(CHUNK, index);
    await look(chunk, { offset: index * CHUNK });
    order.push("long");
  });
  const chunk = filled(200_000, 7);
  expect(await look(chunk, { file: -1 })).toBe("good");
  // Three tasks of four lie at the thread, and the one that the short chunk shares may be told with it.
  expect(order.length).toBeLessThan(20);
  await Promise.all(long);
  expect(order.length).toBe(40);
});

test("the gate is paused above 32 MiB in work and goes on below 16", async () => {
  const chunk = filled(CHUNK, 4);
  const looks = Array.from({ length: 127 }, (_, index) => look(chunk, { offset: index * CHUNK }));
  expect(switched).toEqual([]);
  looks.push(look(chunk, { offset: 127 * CHUNK }));
  expect(switched).toEqual(["paused"]);
  await Promise.all(looks);
  expect(switched).toEqual(["paused", "resumed"]);
  expect(checks.bytes).toBe(0);
});
