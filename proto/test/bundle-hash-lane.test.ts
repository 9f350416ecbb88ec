/**
 * Guarantee checked: an item that a worker hashes has the digest that the calling
 * thread would give it, whatever lies around it; a hash that failed or was given
 * up gives none, stays nowhere, and the item named is the first that is wrong.
 */
import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import type { ChunkCipher } from "../src/bundle/chunk-group.ts";
import { type ChunkSink, ChunkWriter } from "../src/bundle/chunk-writer.ts";
import { openBundleWorkers, sealBundle } from "../src/bundle/index.ts";
import { layoutOf, planChunks } from "../src/bundle/layout.ts";
import type { SealInput } from "../src/bundle/seal-plan.ts";
import { type BundleWorkers, bundleWorkers } from "../src/bundle/workers/pool.ts";
import { PooledWriter } from "../src/bundle/workers/pooled-writer.ts";
import { slotsInUse } from "../src/bundle/workers/slot.ts";
import { WorkerThread } from "../src/bundle/workers/thread.ts";
import { provider, sealInput } from "./bundle-fixture.ts";
import { PATHS, useWorkers } from "./bundle-paths.ts";

const KIB = 1024;
const folder = mkdtempSync(join(tmpdir(), "lightferry-lane-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, "lane.lfb");
const pool = () => bundleWorkers() as BundleWorkers;

/** Input whose items come as `content` says instead of as they were permitted. */
function changed(
  contents: readonly Buffer[],
  content: (index: number, permitted: Buffer) => AsyncIterable<Uint8Array>,
): SealInput {
  const input = sealInput(contents.map((bytes) => ({ content: bytes })));
  const items = input.items.map((item, index) => ({
    ...item,
    content: () => content(index, contents[index] ?? Buffer.alloc(0)),
  }));
  return { ...input, items };
}

async function* whole(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function altered(bytes: Buffer): Buffer {
  const other = Buffer.from(bytes);
  other[other.length >> 1] = (other[other.length >> 1] ?? 0) ^ 1;
  return other;
}

describe("digests of items", () => {
  useWorkers(2);
  const cipher: ChunkCipher = { provider, key: randomBytes(16), aad: randomBytes(32) };
  /** Workers hash from 64 KiB on. */
  const LANE_MIN = 64 * KIB;

  async function written(
    contents: readonly Buffer[],
    cut: number,
    sinkOf: (file: Awaited<ReturnType<typeof open>>) => ChunkSink,
  ): Promise<{ readonly digests: readonly Uint8Array[]; readonly bytes: Buffer }> {
    const file = await open(path, "w");
    const sink = sinkOf(file);
    await sink.write(Buffer.alloc(777, 7));
    const digests: Promise<Uint8Array>[] = [];
    for (const content of contents) {
      const item = sink.item(content.length);
      for (let at = 0; at < content.length; at += cut) {
        const piece = Buffer.from(content.subarray(at, at + cut));
        await item.write(piece);
        // The caller may use its buffer again: what it writes there later must not matter.
        piece.fill(0xee);
      }
      digests.push(item.digest());
    }
    await sink.end();
    await file.close();
    return { digests: await Promise.all(digests), bytes: readFileSync(path) };
  }

  it("are the same on both ways, for items that share slots and for items that fill many", async () => {
    const size = fc.oneof(
      fc.constantFrom(0, 1, LANE_MIN - 1, LANE_MIN, LANE_MIN + 1, 16 * KIB, 128 * KIB - 777),
      fc.integer({ min: 0, max: 300 * KIB }),
    );
    const sizes = fc.array(size, { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(sizes, fc.integer({ min: 5_000, max: 200_000 }), async (lengths, cut) => {
        const contents = lengths.map((length) => randomBytes(length));
        const total = lengths.reduce((sum, length) => sum + length, 777);
        const layout = layoutOf(300, planChunks(total, 4 * KIB));
        const chosen = { workers: pool(), provider: "openssl" } as const;
        const here = await written(contents, cut, (f) => new ChunkWriter(cipher, f, layout));
        const there = await written(
          contents,
          cut,
          (f) => new PooledWriter(chosen, cipher, f, layout),
        );
        const hex = (digests: readonly Uint8Array[]) =>
          digests.map((digest) => Buffer.from(digest).toString("hex"));
        const expected = hex(contents.map((content) => provider.sm3(content)));
        expect(hex(here.digests)).toEqual(expected);
        expect(hex(there.digests)).toEqual(expected);
        expect(there.bytes.equals(here.bytes)).toBe(true);
      }),
      { numRuns: 12 },
    );
    expect(slotsInUse()).toBe(0);
    expect(pool().lanesOf).toEqual([0, 0]);
  });
});

describe("which thread hashes", () => {
  const content = randomBytes(700 * KIB);
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it.each([
    [1, 0],
    [2, 1],
  ])("with %d workers, workers hash %d long item", async (count, hashed) => {
    await openBundleWorkers(count, 1);
    const run = vi.spyOn(WorkerThread.prototype, "run");
    await sealBundle(provider, sealInput([{ content }, { content: Buffer.from("short") }]), path);
    const kinds = run.mock.calls.map(([{ kind }]) => kind);
    expect(kinds.filter((kind) => kind === "digest")).toHaveLength(hashed);
    expect(kinds.includes("hash")).toBe(hashed > 0);
  });

  it("two long bundles at once have their hashes on two threads", async () => {
    await openBundleWorkers(2, 1);
    const run = vi.spyOn(WorkerThread.prototype, "run");
    const names = ["a", "b"].map((name) => join(folder, name));
    await Promise.all(names.map((name) => sealBundle(provider, sealInput([{ content }]), name)));
    const threads = run.mock.contexts.filter((_, i) => run.mock.calls[i]?.[0].kind === "digest");
    expect(new Set(threads).size).toBe(2);
  });
});

describe.each(PATHS)("the item that is named, %s", (_, count) => {
  useWorkers(count);
  const contents = [70, 90, 130].map((kib) => randomBytes(kib * KIB));

  it.each([
    ["the first of two that were altered", [1, 2], -1, 1],
    ["one that was altered before one that is too long", [0], 2, 0],
    ["one that was altered before one whose source fails", [1], 3, 1],
    ["one that is too long before one that was altered", [2], 1, 1],
  ])("is %s", async (_, wrong, long, named) => {
    const input = changed(contents, async function* (index, permitted) {
      yield* whole(wrong.includes(index) ? altered(permitted) : permitted);
      if (index === long) yield Buffer.from("more");
      if (index === 2 && long === 3) throw new Error("the source fails");
    });
    await expect(sealBundle(provider, input, path)).rejects.toMatchObject({
      code: "bundle.content-mismatch",
      itemIndex: named,
    });
    expect(existsSync(path)).toBe(false);
    expect(slotsInUse()).toBe(0);
  });
});

describe("a hash that is not finished", () => {
  useWorkers(2);
  const content = randomBytes(2 * KIB * KIB);
  afterEach(() => {
    expect(slotsInUse()).toBe(0);
    expect(pool().lanesOf).toEqual([0, 0]);
    expect(pool().load).toBe(0);
    vi.restoreAllMocks();
  });

  it("is given up with its bundle, whose own error comes out", async () => {
    const run = vi.spyOn(WorkerThread.prototype, "run");
    const input = changed([content], async function* (_, permitted) {
      yield permitted.subarray(0, permitted.length - 5);
      throw Object.assign(new Error("gone"), { code: "EIO" });
    });
    await expect(sealBundle(provider, input, path)).rejects.toMatchObject({ code: "EIO" });
    // Asked for although nobody wants it: the handle on the thread is closed with that.
    expect(run.mock.calls.map(([{ kind }]) => kind)).toContain("digest");
  });

  it.each([0, content.length - 1])("fails with its thread, after %d bytes", async (at) => {
    const input = changed([content], async function* (_, permitted) {
      yield permitted.subarray(0, at);
      const threads = pool().threads;
      await threads[pool().lanesOf.indexOf(1)]?.terminate();
      yield permitted.subarray(at);
    });
    await expect(sealBundle(provider, input, path)).rejects.toMatchObject({
      code: "service.worker-ended",
    });
    expect(existsSync(path)).toBe(false);
  });

  it("gives no digest after it failed, nor before it began, nor twice", async () => {
    const memory = new SharedArrayBuffer(8);
    const failed = pool().openLane("openssl", 9);
    await failed.update(memory, 0, 8);
    await expect(failed.update(memory, 0, 9)).rejects.toThrow("outside of buffer");
    await expect(failed.digest()).rejects.toMatchObject({ code: "internal.fault" });

    await failed.drop();
    const fresh = pool().openLane("openssl", 9);
    await expect(fresh.digest()).rejects.toMatchObject({ code: "internal.fault" });
    await fresh.drop();

    const good = pool().openLane("openssl", 8);
    await good.update(memory, 0, 8);
    const expected = Buffer.from(provider.sm3(Buffer.alloc(8)));
    expect(expected.equals(await good.digest())).toBe(true);
    await expect(good.digest()).rejects.toMatchObject({ code: "internal.fault" });
    await good.drop();
  });
});
