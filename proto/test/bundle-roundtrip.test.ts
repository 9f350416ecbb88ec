import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { assertCanonical } from "../src/bundle/decode.ts";
import {
  BundleItemError,
  bufferSource,
  openBundle,
  readHeader,
  sealBundle,
  verifyChunks,
  verifyHeader,
} from "../src/bundle/index.ts";
import { lightferry } from "../src/gen/index.js";
import { newId } from "../src/ids.ts";
import type { DraftItem } from "../src/testing/permitted-items.ts";
import {
  context,
  directory,
  gather,
  NOW,
  openBytes,
  provider,
  recipient,
  sealInput,
  sealToBytes,
  sender,
} from "./bundle-fixture.ts";
import { PATHS, useWorkers } from "./bundle-paths.ts";

const folder = mkdtempSync(join(tmpdir(), "lightferry-roundtrip-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(PATHS)("seal, then open, %s", (_path, workers) => {
  useWorkers(workers);

  it("gives back every byte, entry, salt and trail, from a file", async () => {
    const contents = [randomBytes(10), Buffer.alloc(0), randomBytes(700_000), randomBytes(300_000)];
    const input = sealInput(
      contents.map((content, index) => ({ content, trail: [Buffer.from(`event ${index}`)] })),
    );
    const path = join(folder, "whole.lfb");
    const sealed = await sealBundle(provider, input, path);
    expect(statSync(path).size).toBe(sealed.size);
    expect(statSync(path).mode & 0o777).toBe(0o600);

    const verified = verifyHeader(provider, await readHeader(path), context);
    expect(Buffer.from(verified.headerDigest)).toEqual(Buffer.from(sealed.headerDigest));
    expect(verified.size).toBe(sealed.size);
    await verifyChunks(provider, verified);
    let index = 0;
    for await (const item of openBundle(provider, verified, recipient.key)) {
      const given = input.items[index];
      expect(item.index).toBe(index);
      expect(Buffer.compare(item.entryBytes, given?.entry ?? Buffer.alloc(0))).toBe(0);
      expect(Buffer.compare(item.salt, given?.salt ?? Buffer.alloc(0))).toBe(0);
      expect(item.trail.map((event) => Buffer.from(event).toString())).toEqual([`event ${index}`]);
      expect((await gather(item.content)).equals(contents[index] ?? Buffer.from("?"))).toBe(true);
      index += 1;
    }
    expect(index).toBe(contents.length);
  });

  it("holds at and around chunk boundaries, read a few bytes at a time", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(0, 1, 17, 4095, 4096, 4097, 8192, 12_000), {
          minLength: 1,
          maxLength: 6,
        }),
        fc.integer({ min: 100, max: 5000 }),
        async (sizes, step) => {
          const contents = sizes.map((size) => randomBytes(size));
          const bytes = await sealToBytes(
            sealInput(
              contents.map((content) => ({ content })),
              { chunkSize: 4096 },
            ),
          );
          const read = await openBytes(bytes, {}, recipient.key, step);
          expect(read.map(({ content }) => content)).toEqual(contents);
        },
      ),
      { numRuns: 25 },
    );
  });

  it("carries 1,024 items under one signature", async () => {
    const contents = Array.from({ length: 1024 }, (_, index) => Buffer.from(`{"n":${index}}`));
    const bytes = await sealToBytes(sealInput(contents.map((content) => ({ content }))));
    const read = await openBytes(bytes);
    expect(read.map(({ content }) => content)).toEqual(contents);
  });

  it("writes a header that decodes and encodes to the same bytes", async () => {
    const bytes = await sealToBytes(sealInput([{ content: Buffer.from("a") }]));
    const { header, headerBytes } = await readHeader(bufferSource(bytes));
    assertCanonical(
      lightferry.bundle.v1.Header,
      header as lightferry.bundle.v1.Header,
      headerBytes,
    );
  });

  it("notices damage done after the chunks were verified, by their tags", async () => {
    // Chunk 2 lies wholly inside the first item.
    const content = randomBytes(20_000);
    const input = sealInput([{ content }, { content: randomBytes(10) }], { chunkSize: 4096 });
    const bytes = Buffer.from(await sealToBytes(input));
    const codes = async (checked: boolean): Promise<string[]> => {
      const verified = verifyHeader(provider, await readHeader(bufferSource(bytes)), context);
      if (checked) await verifyChunks(provider, verified);
      const damaged = Buffer.from(bytes);
      const at = verified.received.layout.chunksAt + 2 * (4096 + 16) + 5;
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      const seen: string[] = [];
      const source = bufferSource(damaged);
      for await (const item of openBundle(provider, verified, recipient.key, { from: source })) {
        await gather(item.content).then(
          () => seen.push("good"),
          (error: BundleItemError) => seen.push(error.code),
        );
      }
      return seen;
    };
    expect(await codes(true)).toEqual(["bundle.chunk-decrypt", "good"]);
    expect(await codes(false)).toEqual(["bundle.chunk-digest", "good"]);
  });

  it("lets the other items through when the content of one is damaged", async () => {
    const contents = [randomBytes(3000), randomBytes(9000), randomBytes(3000)];
    const input = sealInput(
      contents.map((content) => ({ content })),
      { chunkSize: 4096 },
    );
    const bytes = await sealToBytes(input);
    const received = await readHeader(bufferSource(bytes));
    const damaged = Buffer.from(bytes);
    // Chunk 1 or 2 lies wholly inside the second item, whatever the manifest takes of chunk 0.
    const at = received.layout.chunksAt + 2 * (4096 + 16) + 5;
    damaged[at] = (damaged[at] ?? 0) ^ 1;
    const verified = verifyHeader(provider, await readHeader(bufferSource(damaged)), context);
    await expect(verifyChunks(provider, verified)).rejects.toMatchObject({
      code: "bundle.chunk-digest",
    });
    const results: string[] = [];
    for await (const item of openBundle(provider, verified, recipient.key)) {
      try {
        const content = await gather(item.content);
        results.push(content.equals(contents[item.index] ?? Buffer.alloc(0)) ? "good" : "wrong");
      } catch (error) {
        expect(error).toBeInstanceOf(BundleItemError);
        expect((error as BundleItemError).itemIndex).toBe(item.index);
        results.push((error as BundleItemError).code);
      }
    }
    expect(results).toEqual(["good", "bundle.chunk-digest", "good"]);
  });
});

describe.each(PATHS)("sealing stops, %s", (_path, workers) => {
  useWorkers(workers);

  const cases: [string, (content: Buffer) => AsyncIterable<Uint8Array>][] = [
    [
      "shorter",
      async function* (content) {
        yield content.subarray(1);
      },
    ],
    [
      "longer",
      async function* (content) {
        yield content;
        yield Buffer.from("x");
      },
    ],
    [
      "altered",
      async function* (content) {
        yield Buffer.concat([content.subarray(1), Buffer.from("x")]);
      },
    ],
  ];
  it.each(cases)(
    "when the content is %s than permitted, and leaves no file",
    async (_, altered) => {
      const content = Buffer.from("what policy saw");
      const good = sealInput([{ content: Buffer.from("first") }, { content }]);
      const items = good.items.map((item, index) =>
        index === 1 ? { ...item, content: () => altered(content) } : item,
      );
      const path = join(folder, "stopped.lfb");
      await expect(sealBundle(provider, { ...good, items }, path)).rejects.toMatchObject({
        code: "bundle.content-mismatch",
        itemIndex: 1,
      });
      expect(readdirSync(folder)).not.toContain("stopped.lfb");
    },
  );

  it("when an entry is not the one that was permitted", async () => {
    const good = sealInput([{ content: Buffer.from("a") }]);
    const other = sealInput([{ content: Buffer.from("b") }]);
    const items = good.items.map((item) => ({
      ...item,
      entry: other.items[0]?.entry ?? item.entry,
    }));
    await expect(sealToBytes({ ...good, items })).rejects.toMatchObject({
      code: "bundle.content-mismatch",
      itemIndex: 0,
    });
  });

  it("when there are no items, or more than 1,024", async () => {
    const many = Array.from({ length: 1025 }, () => ({ content: Buffer.of() }));
    const input = sealInput(many.slice(0, 1024));
    const [extra] = input.items;
    for (const items of [[], [...input.items, ...(extra === undefined ? [] : [extra])]]) {
      await expect(sealToBytes({ ...input, items })).rejects.toMatchObject({
        code: "bundle.seal-refused",
      });
    }
  });

  it("when the header would pass 1 MiB, so that the sealer takes fewer items", async () => {
    const ruleIds = Array.from({ length: 10 }, (_, digit) => `${digit}`.repeat(100));
    const draft = { content: Buffer.of(), verdict: { ruleIds } };
    const over = sealInput(Array.from({ length: 1000 }, () => draft));
    await expect(sealToBytes(over)).rejects.toMatchObject({ code: "bundle.header-too-large" });
    const half = sealInput(Array.from({ length: 500 }, () => draft));
    expect((await openBytes(await sealToBytes(half))).length).toBe(500);
  });

  const refusals: [string, DraftItem, string][] = [
    [
      "a file name is a path",
      { content: Buffer.of(), entry: { kind: "file", http: null, file: { name: "../a" } } },
      "bundle.manifest-invalid",
    ],
    [
      "a trail event is too large",
      { content: Buffer.of(), trail: [Buffer.alloc(16 * 1024 + 1)] },
      "bundle.manifest-invalid",
    ],
    ["a verdict denies", { content: Buffer.of(), verdict: { decision: 3 } }, "verdict.not-permit"],
    [
      "a verdict has expired",
      { content: Buffer.of(), verdict: { expiresMs: NOW } },
      "verdict.expired",
    ],
    [
      "a verdict grades it otherwise",
      { content: Buffer.of(), verdict: { grade: "G1" } },
      "bundle.content-mismatch",
    ],
  ];
  it.each(refusals)("when %s, and says which item", async (_, draft, code) => {
    const input = sealInput([{ content: Buffer.from("good") }, draft]);
    await expect(sealToBytes(input)).rejects.toMatchObject({ code, itemIndex: 1 });
  });

  it("when the bundle would need more than 2^20 chunks, without reading any content", async () => {
    const read = { content: Buffer.of(), entry: { size: 256 * 1024 * 2 ** 20 } };
    await expect(sealToBytes(sealInput([read]))).rejects.toMatchObject({
      code: "bundle.too-large",
    });
  });

  it("when the manifest would pass 16 MiB", async () => {
    const trail = Array.from({ length: 64 }, () => Buffer.alloc(16 * 1024, 1));
    const input = sealInput(Array.from({ length: 17 }, () => ({ content: Buffer.of(), trail })));
    await expect(sealToBytes(input)).rejects.toMatchObject({ code: "bundle.manifest-too-large" });
  });

  it("when one exchange is given twice", async () => {
    const exchangeId = newId(NOW);
    const twice = { content: Buffer.of(), entry: { exchangeId } };
    const input = sealInput([{ content: Buffer.of() }, twice, twice]);
    await expect(sealToBytes(input)).rejects.toMatchObject({
      code: "bundle.duplicate-item",
      itemIndex: 2,
    });
  });

  it("when a verdict is signed by a key that is not registered", async () => {
    const input = sealInput([{ content: Buffer.of() }], { keys: directory(sender, sender) });
    await expect(sealToBytes(input)).rejects.toMatchObject({ code: "verdict.unknown-policy-key" });
  });

  it("never stores the key: two seals of one input share no ciphertext", async () => {
    const input = sealInput([{ content: randomBytes(5000) }]);
    const first = await sealToBytes(input);
    const second = await sealToBytes(input);
    expect(Buffer.compare(first.subarray(-5000), second.subarray(-5000))).not.toBe(0);
  });
});
