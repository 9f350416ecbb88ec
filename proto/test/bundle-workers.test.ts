/**
 * Guarantee checked: workers give the very bytes that the calling thread gives,
 * and whatever goes wrong among them is a clear error, after which no file, no
 * slot and no plaintext is left behind.
 */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import type { ChunkCipher } from "../src/bundle/chunk-group.ts";
import { ChunkReader, type ChunkSource, plaintextPiece } from "../src/bundle/chunk-reader.ts";
import { type ChunkSink, ChunkWriter } from "../src/bundle/chunk-writer.ts";
import {
  openBundle,
  openBundleWorkers,
  readHeader,
  sealBundle,
  verifyChunks,
  verifyHeader,
} from "../src/bundle/index.ts";
import { layoutOf, planChunks } from "../src/bundle/layout.ts";
import type { SealInput } from "../src/bundle/seal-plan.ts";
import { fileSource } from "../src/bundle/source.ts";
import { type BundleWorkers, bundleWorkers } from "../src/bundle/workers/pool.ts";
import { PooledReader } from "../src/bundle/workers/pooled-reader.ts";
import { PooledWriter } from "../src/bundle/workers/pooled-writer.ts";
import { giveBackSlot, slotsInUse, takeSlot } from "../src/bundle/workers/slot.ts";
import type { SmProvider } from "../src/sm/index.ts";
import { context, gather, provider, recipient, sealInput } from "./bundle-fixture.ts";
import { useWorkers } from "./bundle-paths.ts";

const MIB = 1024 * 1024;
const folder = mkdtempSync(join(tmpdir(), "lightferry-workers-"));
afterAll(() => rmSync(folder, { recursive: true }));

const PIECE = 300_000;
async function* inPieces(bytes: Uint8Array, each: (at: number) => void | Promise<void> = () => {}) {
  for (let at = 0; at < bytes.length; at += PIECE) {
    await each(at);
    yield bytes.subarray(at, at + PIECE);
  }
}

/** Input of one item whose content calls `each` before each piece. */
function inputOf(content: Buffer, each?: (at: number) => void | Promise<void>): SealInput {
  const input = sealInput([{ content }]);
  const items = input.items.map((item) => ({ ...item, content: () => inPieces(content, each) }));
  return { ...input, items };
}

async function verifiedFile(path: string) {
  return verifyHeader(provider, await readHeader(path), context);
}

describe("the two ways through the chunks", () => {
  useWorkers(2);
  const cipher: ChunkCipher = { provider, key: randomBytes(16), aad: randomBytes(32) };

  async function written(
    plaintext: Buffer,
    cut: number,
    sinkOf: (file: Awaited<ReturnType<typeof open>>) => ChunkSink,
  ): Promise<{ bytes: Buffer; table: Uint8Array }> {
    const path = join(folder, "chunks");
    const file = await open(path, "w");
    const sink = sinkOf(file);
    for (let at = 0; at < plaintext.length; at += cut) {
      // The caller may use its buffer again: what it writes there later must not matter.
      const piece = Buffer.from(plaintext.subarray(at, at + cut));
      await sink.write(piece);
      piece.fill(0xee);
    }
    await sink.end();
    await file.close();
    return { bytes: readFileSync(path), table: sink.table };
  }

  async function read(source: ChunkSource, size: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for (let at = 0; at < size; at += pieces.at(-1)?.length ?? 1) {
      pieces.push(Buffer.from(await plaintextPiece(source, at, size)));
    }
    await source.close();
    return Buffer.concat(pieces);
  }

  it("write the same bytes and the same table, and read each other's", async () => {
    const chosen = { workers: bundleWorkers() as BundleWorkers, provider: "openssl" } as const;
    const CHUNK = 4096;
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.integer({ min: 1, max: 30 * CHUNK }),
          fc.constantFrom(1, CHUNK, 4 * CHUNK, 5 * CHUNK, 16 * CHUNK, 16 * CHUNK + 1),
        ),
        fc.integer({ min: 1000, max: 40_000 }),
        async (size, cut) => {
          const plaintext = randomBytes(size);
          const layout = layoutOf(300, planChunks(size, CHUNK));
          const here = await written(plaintext, cut, (f) => new ChunkWriter(cipher, f, layout));
          const there = await written(
            plaintext,
            cut,
            (f) => new PooledWriter(chosen, cipher, f, layout),
          );
          expect(Buffer.compare(there.table, here.table)).toBe(0);
          expect(there.bytes.equals(here.bytes)).toBe(true);

          const { table } = here;
          const reader = await fileSource(join(folder, "chunks")).open();
          const work = { ...chosen, reader, layout, table, check: true, cipher };
          const [one, other] = [
            await read(new ChunkReader(cipher, reader, layout, table, false), size),
            await read(new PooledReader(work), size),
          ];
          await reader.close();
          expect(one.equals(plaintext)).toBe(true);
          expect(other.equals(plaintext)).toBe(true);
        },
      ),
      { numRuns: 15 },
    );
    expect(slotsInUse()).toBe(0);
  });

  it("give back any chunk, in any order", async () => {
    const workers = bundleWorkers() as BundleWorkers;
    const plaintext = randomBytes(40 * 4096 - 7);
    const layout = layoutOf(10, planChunks(plaintext.length, 4096));
    const { table } = await written(plaintext, 9999, (f) => new ChunkWriter(cipher, f, layout));
    const reader = await fileSource(join(folder, "chunks")).open();
    const provider = "openssl" as const;
    const work = { workers, reader, layout, table, check: true, provider, cipher };
    const chunks = new PooledReader(work);
    for (const index of [39, 0, 17, 18, 16, 3, 39, 38, 5]) {
      const expected = plaintext.subarray(index * 4096, (index + 1) * 4096);
      expect(Buffer.compare(await chunks.chunk(index), expected), `chunk ${index}`).toBe(0);
    }
    await chunks.close();
    await expect(chunks.chunk(0)).rejects.toMatchObject({ code: "internal.fault" });
    await reader.close();
  });
});

describe("what goes wrong among workers", () => {
  useWorkers(2);
  const content = randomBytes(6 * MIB);
  const path = join(folder, "fault.lfb");
  afterEach(() => {
    expect(slotsInUse()).toBe(0);
    // What serves the next bundle holds nothing of this one.
    const slot = takeSlot();
    expect(Buffer.from(slot.memory).equals(Buffer.alloc(slot.memory.byteLength))).toBe(true);
    giveBackSlot(slot);
  });
  const workers = () => bundleWorkers() as BundleWorkers;

  it("a worker that ends stops the seal, its file is gone, and the next one is sealed", async () => {
    const input = inputOf(content, async (at) => {
      if (at === 10 * PIECE) await workers().threads[0]?.terminate();
    });
    await expect(sealBundle(provider, input, path)).rejects.toMatchObject({
      code: "service.worker-ended",
    });
    expect(existsSync(path)).toBe(false);
    expect(workers().load).toBe(0);

    await sealBundle(provider, inputOf(content), path);
    await verifyChunks(provider, await verifiedFile(path));
  });

  it("workers that end while a bundle is opened are no fault of its bytes", async () => {
    await sealBundle(provider, inputOf(content), path);
    const opening = async (): Promise<void> => {
      for await (const item of openBundle(provider, await verifiedFile(path), recipient.key)) {
        for await (const _ of item.content) {
          await Promise.all(workers().threads.map((thread) => thread.terminate()));
        }
      }
    };
    // What was read ahead is handed out; what is asked of a thread after that ends with it.
    await expect(opening()).rejects.toMatchObject({ code: "service.worker-ended" });
  });

  it("a disk that is full is the system's own error, as without workers", async () => {
    const full = join(folder, "full.lfb");
    for (const count of [0, 2]) {
      await openBundleWorkers(count, 1);
      // Opening follows the link, removing takes the link away.
      symlinkSync("/dev/full", full);
      await expect(sealBundle(provider, inputOf(content), full)).rejects.toMatchObject({
        code: "ENOSPC",
      });
      expect(readdirSync(folder)).not.toContain("full.lfb");
    }
    expect(statSync("/dev/full").isCharacterDevice()).toBe(true);
  });

  it("content that is not what was permitted leaves nothing behind", async () => {
    const input = inputOf(content, (at) => {
      // The last piece arrives altered.
      if (at + PIECE >= content.length) content[at] = (content[at] ?? 0) ^ 1;
    });
    await expect(sealBundle(provider, input, path)).rejects.toMatchObject({
      code: "bundle.content-mismatch",
      itemIndex: 0,
    });
    expect(existsSync(path)).toBe(false);
  });

  it("an open that is left half-way gives its slots back, and later content is refused", async () => {
    await sealBundle(provider, inputOf(content), path);
    let left: AsyncIterator<Uint8Array> | undefined;
    for await (const item of openBundle(provider, await verifiedFile(path), recipient.key)) {
      left = item.content[Symbol.asyncIterator]();
      await left.next();
      break;
    }
    expect(slotsInUse()).toBe(0);
    await expect(left?.next().then(() => left?.next())).rejects.toMatchObject({
      code: "internal.fault",
    });
  });

  it("a file that shrinks and a chunk that changes are named, by whoever reads", async () => {
    await sealBundle(provider, inputOf(content), path);
    const good = readFileSync(path);
    const verified = await verifiedFile(path);
    const at = verified.received.layout.chunksAt;
    const codes = async (): Promise<unknown[]> => {
      const opened = async (): Promise<void> => {
        for await (const item of openBundle(provider, verified, recipient.key)) {
          for await (const _ of item.content);
        }
      };
      const code = (error: { code?: string; detail?: string }) => [error.code, error.detail];
      return [await verifyChunks(provider, verified).catch(code), await opened().catch(code)];
    };
    const perPath: unknown[][] = [];
    for (const count of [0, 2]) {
      await openBundleWorkers(count, 1);
      truncateSync(path, at + 22 * (256 * 1024 + 16) + 5);
      perPath.push(await codes());
      const damaged = Buffer.from(good);
      const place = at + 9 * (256 * 1024 + 16) + 100;
      damaged[place] = (damaged[place] ?? 0) ^ 1;
      writeFileSync(path, damaged);
      perPath.push(await codes());
      writeFileSync(path, good);
    }
    expect(perPath[0]).toEqual([
      ["bundle.truncated", "chunk 22"],
      ["bundle.truncated", "item 0: chunk 22"],
    ]);
    expect(perPath[1]).toEqual([
      ["bundle.chunk-digest", "chunk 9"],
      ["bundle.chunk-digest", "item 0: chunk 9"],
    ]);
    expect(perPath.slice(2)).toEqual(perPath.slice(0, 2));
  });

  it("go to a provider whose SM3 and SM4 are theirs, and to no other", async () => {
    const run = vi.spyOn(workers(), "run");
    const small = content.subarray(0, 3 * MIB);
    const tasks = async (sm: SmProvider): Promise<number> => {
      run.mockClear();
      await sealBundle(sm, inputOf(small), path);
      return run.mock.calls.length;
    };
    expect(await tasks({ ...provider, name: "sdf" })).toBe(4);
    const sm4GcmEncrypt: SmProvider["sm4GcmEncrypt"] = (...args) => provider.sm4GcmEncrypt(...args);
    expect(await tasks({ ...provider, sm4GcmEncrypt })).toBe(0);
  });

  it("many bundles at once share the threads and never wait for one another's slots", async () => {
    const small = content.subarray(0, 3 * MIB);
    const names = ["a", "b", "c", "d"].map((name) => join(folder, `${name}.lfb`));
    await Promise.all(names.map((name) => sealBundle(provider, inputOf(small), name)));
    const openings = await Promise.all(
      names.map(async (name) => openBundle(provider, await verifiedFile(name), recipient.key)),
    );
    // All are begun before any is read to its end.
    const items = await Promise.all(openings.map(async (opening) => (await opening.next()).value));
    for (const item of items) expect((await gather(item?.content ?? [])).equals(small)).toBe(true);
    for (const opening of openings) await opening.return(undefined);
  });
});

it("refuses a number of workers that is none", async () => {
  for (const count of [-1, 1.5, 65, Number.NaN]) {
    await expect(openBundleWorkers(count)).rejects.toMatchObject({ code: "config.invalid" });
  }
});

it("works where code generation from strings is off, and lets the process end by itself", () => {
  const module = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);
  const program = `
    import { open } from "node:fs/promises";
    import { openBundleWorkers } from ${module("../src/bundle/index.ts")};
    import { layoutOf, planChunks } from ${module("../src/bundle/layout.ts")};
    import { bundleWorkers } from ${module("../src/bundle/workers/pool.ts")};
    import { PooledWriter } from ${module("../src/bundle/workers/pooled-writer.ts")};
    import { loadProvider } from ${module("../src/sm/index.ts")};
    await openBundleWorkers(2);
    const layout = layoutOf(9, planChunks(5000000, 262144));
    const cipher = { provider: loadProvider(), key: new Uint8Array(16), aad: new Uint8Array(32) };
    const file = await open(process.argv[1], "w");
    const writer = new PooledWriter({ workers: bundleWorkers(), provider: "openssl" }, cipher, file, layout);
    await writer.write(new Uint8Array(5000000));
    await writer.end();
    await file.close();
    console.log(bundleWorkers().load, (await import("node:fs")).statSync(process.argv[1]).size === layout.fileSize);
  `;
  const out = execFileSync(
    process.execPath,
    [
      "--disallow-code-generation-from-strings",
      "--input-type=module",
      "-e",
      program,
      join(folder, "strict"),
    ],
    { encoding: "utf8", timeout: 20_000 },
  );
  expect(out.trim()).toBe("0 true");
});
