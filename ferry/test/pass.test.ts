/** Guarantee tested: the frames of a pass and their order (SPEC.md §4.1), with tags too (§13.5), and what a burst of losses costs at most. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeCanonical } from "@lightferry/proto/canonical";
import { lightferry } from "@lightferry/proto/gen";
import { loadProvider } from "@lightferry/proto/sm";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { encodeByTwin } from "../src/erasure/twin.ts";
import { FLAG_PASS_END, FLAG_REPEAT, FRAME_HEADER, FRAME_TYPE } from "../src/frame.ts";
import { WIRE_OVERHEAD } from "../src/gate/gate.ts";
import { SET_ID_BYTES } from "../src/manifest-parts.ts";
import {
  Chunks,
  type Code,
  DEFAULT_CODE,
  Geometry,
  MAX_CHUNK_BYTES,
  objectIdOf,
} from "../src/object.ts";
import { passCost } from "../src/plan.ts";
import { readTags, SET_BYTES, TAG_BYTES, tagOf } from "../src/tags.ts";
import { BundleFile } from "../src/tx/bundle-file.ts";
import { Encoding } from "../src/tx/encoding.ts";
import { ShardMemory } from "../src/tx/memory.ts";
import { Pass } from "../src/tx/pass.ts";
import { ObjectSource } from "../src/tx/source.ts";
import { Tagger } from "../src/tx/tagger.ts";
import { type SentFrame, sentAlone } from "./tx-gate.ts";

const { ObjectManifest, SignedMessage } = lightferry.ferry.v1;
const provider = loadProvider();
const key = { key: provider.generateSm2(), keyId: "k" };
const signer = { provider, active: () => key, chain: () => [] };

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "lf-pass-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

interface Cut {
  readonly size: number;
  readonly shardSize: number;
  readonly code: Code;
}

const HEAD = 64;
const CHUNK = 5_000;

interface Way {
  readonly repeat?: boolean;
  /** Whether its chunks have tags, and how long these are. */
  readonly tagged?: boolean;
  readonly chunkBytes?: number;
}

const tagKey = randomBytes(16);

/** All frames of a pass that is alone on the line. @param bytes of the file, all of the object or less */
async function framesOf(
  bytes: Uint8Array,
  cut: Cut,
  { repeat = false, tagged = false, chunkBytes = CHUNK }: Way = {},
): Promise<SentFrame[]> {
  const path = join(dir, "object");
  writeFileSync(path, bytes);
  const frameSize = cut.shardSize + FRAME_HEADER;
  const facts = {
    objectId: objectIdOf(3, 9),
    bundleId: new Uint8Array(16),
    headerDigest: new Uint8Array(32),
    sender: "n",
    lane: "l",
    geometry: new Geometry(cut.size, cut.shardSize, cut.code),
    proof: { headSize: HEAD, headDigest: new Uint8Array(32), chunkBytes },
  };
  let set = 0;
  const parts = { provider, key: tagKey, frameSize, nextSet: () => (set += 1) };
  const taggerOf = () => (tagged ? new Tagger(facts, parts) : undefined);
  const file = await BundleFile.open(path);
  const memory = new ShardMemory(cut.shardSize, cut.code);
  // What lay there before must not show.
  const { groups, blockGroups } = facts.geometry;
  const used = await memory.take(facts.geometry, 0, Math.min(groups, blockGroups), 0);
  for (const group of used) {
    for (let shard = 0; shard < group.k + group.m; shard += 1) group.shard(shard).fill(0xa5);
  }
  memory.giveBack(used, 0);
  const source = new ObjectSource(facts, file, new Encoding());
  const kind = { channel: 1, serviceClass: repeat ? 3 : 1, repeat };
  const context = { epoch: 4, frameSize, signer, memory, taggerOf, wake: () => undefined };
  const pass = new Pass(source, kind, context);
  let frames: Awaited<ReturnType<typeof sentAlone>>;
  try {
    frames = await sentAlone(pass, frameSize);
  } finally {
    await file.close();
  }
  expect(memory.used).toBe(0);
  expect(pass.bytes).toBe(frames.reduce((sum, f) => sum + FRAME_HEADER + f.payload.length, 0));
  return frames;
}

const cuts = fc
  .record({
    shardSize: fc.integer({ min: 208, max: 300 }),
    groupShards: fc.integer({ min: 1, max: 9 }),
    parityShards: fc.nat(5),
    // Of a block, in thousandths.
    fill: fc.nat(2_500),
  })
  .map(({ shardSize, groupShards, parityShards, fill }): Cut => {
    const size = 64 + Math.floor((fill / 1000) * 64 * groupShards * shardSize);
    return { size, shardSize, code: { groupShards, parityShards } };
  });

/** Two blocks and a half, with copies of the manifest in the middle of them. */
const LONG: Cut = { size: 430_000, shardSize: 300, code: { groupShards: 9, parityShards: 5 } };

/** Of each block, the frames of tags that §13.5 asks for: of the chunks that end in it. */
function expectedTags({ size, shardSize, code }: Cut): string[][] {
  const { blockGroups, groupBytes, groups } = new Geometry(size, shardSize, code);
  const blocks = Array.from({ length: Math.ceil(groups / blockGroups) }, (): number[] => []);
  const chunks = new Chunks(size, HEAD, CHUNK);
  for (let chunk = 0; chunk < chunks.count; chunk += 1) {
    const last = chunks.start(chunk) + chunks.length(chunk) - 1;
    blocks[Math.floor(last / (blockGroups * groupBytes))]?.push(chunk);
  }
  const most = Math.floor((shardSize - SET_BYTES) / TAG_BYTES);
  return blocks.map((its) =>
    Array.from({ length: Math.ceil(its.length / most) }, (_, n) => {
      const some = its.slice(n * most, (n + 1) * most);
      return `tags of ${some.length} from ${some[0]}`;
    }),
  );
}

/** SPEC.md §4.1 said once more, otherwise: sort all shards, then put the manifests and tags between them. */
function expectedOrder(cut: Cut, tagged = false): string[] {
  const { size, shardSize, code } = cut;
  const geometry = new Geometry(size, shardSize, code);
  const tags = tagged ? expectedTags(cut) : [];
  const shards: { group: number; shard: number; block: number; name: string }[] = [];
  for (let group = 0; group < geometry.groups; group += 1) {
    const [k, m] = [geometry.dataShards(group), geometry.parityShards(group)];
    for (let shard = 0; shard < k + m; shard += 1) {
      const name = `${shard < k ? "data" : "parity"} ${group} ${shard} of ${k}+${m}`;
      shards.push({ group, shard, block: Math.floor(group / geometry.blockGroups), name });
    }
  }
  shards.sort((a, b) => a.block - b.block || a.shard - b.shard || a.group - b.group);
  const names = shards.flatMap(({ name, block }, index) => {
    const copy = index % 1024 === 0;
    const its = copy || block !== shards[index - 1]?.block ? (tags[block] ?? []) : [];
    return [...(copy ? ["manifest"] : []), ...its, name];
  });
  return [...names, "manifest, the end"];
}

/** Manifests in several parts count once. */
function orderOf(frames: readonly SentFrame[]): string[] {
  return frames
    .filter(({ type, shard, k }) => type !== FRAME_TYPE.MANIFEST || shard === k - 1)
    .map(({ type, group, shard, k, m, flags, payload }) => {
      if (type === FRAME_TYPE.TAGS) {
        return `tags of ${(payload.length - SET_BYTES) / TAG_BYTES} from ${group}`;
      }
      if (type === FRAME_TYPE.MANIFEST) {
        return (flags & FLAG_PASS_END) === 0 ? "manifest" : "manifest, the end";
      }
      return `${type === FRAME_TYPE.DATA ? "data" : "parity"} ${group} ${shard} of ${k}+${m}`;
    });
}

test("every shard once, interleaved over the block; the manifest first, every 1,024 shards and last", async () => {
  await fc.assert(
    fc.asyncProperty(cuts, async (cut) => {
      const bytes = randomBytes(cut.size);
      const frames = await framesOf(bytes, cut);
      expect(orderOf(frames)).toEqual(expectedOrder(cut));
      expect(frames.map(({ seq }) => seq)).toEqual(frames.map((_, index) => index));
      const { shardSize, code } = cut;
      for (const { type, group, shard, payload, ...rest } of frames) {
        expect(rest).toMatchObject({ epoch: 4, objectSize: cut.size, channel: 1 });
        if (type !== FRAME_TYPE.DATA) continue;
        const at = (group * code.groupShards + shard) * shardSize;
        if (Buffer.compare(payload, bytes.subarray(at, at + shardSize)) === 0) continue;
        expect.fail(`data shard ${group} ${shard}`);
      }
    }),
    { numRuns: 30 },
  );
});

test("tags of a block are right, and go before its first shard and behind each copy of the manifest until its last", async () => {
  await fc.assert(
    fc.asyncProperty(cuts, fc.boolean(), async (cut, repeat) => {
      const bytes = randomBytes(cut.size);
      const frames = await framesOf(bytes, cut, { tagged: true, repeat });
      expect(orderOf(frames)).toEqual(expectedOrder(cut, true));
      const chunks = new Chunks(cut.size, HEAD, CHUNK);
      const setOf = new Map<number, number>();
      for (const { type, group, payload, ...rest } of frames) {
        if (type !== FRAME_TYPE.TAGS) continue;
        expect(rest).toMatchObject({ epoch: 4, objectSize: cut.size, channel: 1 });
        expect(rest).toMatchObject({ shard: 0, k: 1, m: 0, flags: repeat ? FLAG_REPEAT : 0 });
        const { set, tags } = readTags(payload, group, chunks.count) as NonNullable<
          ReturnType<typeof readTags>
        >;
        for (let at = 0; at < tags.length; at += TAG_BYTES) {
          const chunk = group + at / TAG_BYTES;
          const start = chunks.start(chunk);
          const content = bytes.subarray(start, start + chunks.length(chunk));
          const expected = tagOf(provider, tagKey, set, chunk, content);
          const found = tags.subarray(at, at + TAG_BYTES);
          if (Buffer.compare(found, expected) !== 0) expect.fail(`tag of chunk ${chunk}`);
          // What comes again is the same: a chunk has one tag in a pass.
          expect(setOf.get(chunk) ?? set).toBe(set);
          setOf.set(chunk, set);
        }
      }
      expect(setOf.size).toBe(chunks.count);
    }),
    { numRuns: 15, examples: [[LONG, true]] },
  );
});

test("of tags, which `ferry plan` leaves out, a pass has less than a thousandth at MTU 1500", async () => {
  const cut = { size: 14 << 20, shardSize: 1_408, code: DEFAULT_CODE };
  const frameSize = cut.shardSize + FRAME_HEADER;
  const geometry = new Geometry(cut.size, cut.shardSize, cut.code);
  // One block that is full, one that is not.
  expect(geometry.groups).toBeGreaterThan(geometry.blockGroups);
  const way = { tagged: true, chunkBytes: MAX_CHUNK_BYTES };
  const frames = await framesOf(Buffer.alloc(cut.size, 7), cut, way);
  const tags = frames.filter(({ type }) => type === FRAME_TYPE.TAGS);
  const { frames: planned, wireBytes } = passCost(geometry, frameSize);
  expect(frames.length - tags.length).toBe(planned);
  const bytes = tags.reduce(
    (sum, { payload }) => sum + payload.length + FRAME_HEADER + WIRE_OVERHEAD,
    0,
  );
  expect(bytes).toBeGreaterThan(0);
  expect(bytes / wireBytes).toBeLessThan(0.001);
});

test("parity is the code's, over shards filled up with zeros", async () => {
  await fc.assert(
    fc.asyncProperty(cuts, async (cut) => {
      const bytes = randomBytes(cut.size);
      const frames = await framesOf(bytes, cut);
      const geometry = new Geometry(cut.size, cut.shardSize, cut.code);
      const group = geometry.groups - 1;
      const shards = frames
        .filter((frame) => frame.type !== FRAME_TYPE.MANIFEST && frame.group === group)
        .sort((a, b) => a.shard - b.shard);
      const [k, m] = [geometry.dataShards(group), geometry.parityShards(group)];
      const length = geometry.codedLength(group);
      const data = shards.slice(0, k).map(({ payload }) => {
        const full = new Uint8Array(length);
        full.set(payload);
        return full;
      });
      const parity = Array.from({ length: m }, () => new Uint8Array(length));
      encodeByTwin(data, parity);
      expect(shards.slice(k).map(({ payload }) => Buffer.from(payload))).toEqual(
        parity.map((bytes) => Buffer.from(bytes)),
      );
    }),
    { numRuns: 20 },
  );
});

test("a burst of losses m × groups of the block long takes at most m shards of any group", async () => {
  await fc.assert(
    fc.asyncProperty(cuts, async (cut) => {
      const frames = await framesOf(randomBytes(cut.size), cut);
      const geometry = new Geometry(cut.size, cut.shardSize, cut.code);
      const places = new Map<number, number[]>();
      for (const [place, { type, group }] of frames.entries()) {
        if (type === FRAME_TYPE.MANIFEST) continue;
        places.set(group, [...(places.get(group) ?? []), place]);
      }
      const lastShort = geometry.groupLength(geometry.groups - 1) < geometry.groupBytes;
      for (const [group, at] of places) {
        const m = geometry.parityShards(group);
        const first = group - (group % geometry.blockGroups);
        const inBlock = Math.min(geometry.blockGroups, geometry.groups - first);
        // The short group at the end of an object is over before the others of its block, which then follow closer.
        const early =
          lastShort && group < geometry.groups - 1 && first + inBlock === geometry.groups;
        const apart = inBlock - (early ? 1 : 0);
        for (let index = 0; index + m < at.length; index += 1) {
          const distance = (at[index + m] as number) - (at[index] as number);
          if (distance < m * apart) expect.fail(`${m + 1} shards of group ${group} in ${distance}`);
        }
      }
    }),
    { numRuns: 30 },
  );
});

test("a file that ends before its object does stops the pass, also while groups of before are being coded", async () => {
  // Eight groups are read at a time.
  const cut = { size: 20 * 128 * 208, shardSize: 208, code: { groupShards: 128, parityShards: 4 } };
  for (const groups of [5, 12]) {
    const sent = framesOf(randomBytes(groups * 128 * 208), cut);
    await expect(sent).rejects.toMatchObject({ code: "ferry.file-invalid" });
  }
});

test("a second pass is the first again, with its flag and new numbers", async () => {
  const cut = { size: 200_000, shardSize: 208, code: { groupShards: 6, parityShards: 3 } };
  const bytes = randomBytes(cut.size);
  const [first, second] = [
    await framesOf(bytes, cut),
    await framesOf(bytes, cut, { repeat: true }),
  ];
  const plain = (frames: SentFrame[]) =>
    frames.map(({ burst, payload, flags, seq, ...rest }) => ({
      ...rest,
      end: flags & FLAG_PASS_END,
      // Each pass signs its manifest anew.
      bytes: rest.type === FRAME_TYPE.MANIFEST ? "" : Buffer.from(payload).toString("hex"),
    }));
  expect(plain(second)).toEqual(plain(first));
  expect(first.every(({ flags }) => (flags & FLAG_REPEAT) === 0)).toBe(true);
  expect(second.every(({ flags }) => (flags & FLAG_REPEAT) !== 0)).toBe(true);
  const said = [first, second].map((frames) => {
    const parts = frames.filter(({ type }) => type === FRAME_TYPE.MANIFEST);
    const set = parts.slice(0, parts[0]?.k).map(({ payload }) => payload.subarray(SET_ID_BYTES));
    return decodeCanonical(
      ObjectManifest,
      decodeCanonical(SignedMessage, Buffer.concat(set)).payload,
    );
  });
  expect(said[0]).toEqual(said[1]);
  expect(said[0]).toMatchObject({
    ...{ version: 2, size: 200_000, shardSize: 208, groupShards: 6, parityShards: 3 },
    ...{ headSize: 64, chunkBytes: 5_000, epoch: 3, objectId: objectIdOf(3, 9) },
  });
});
