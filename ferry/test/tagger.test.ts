/** Guarantee tested: a pass tags each chunk that it reads whole, once, and as SPEC.md §13.5 says; no set number is given twice. */
import { randomBytes } from "node:crypto";
import { unwrapLinkKey } from "@lightferry/proto/link-key";
import type { Sm2PrivateKey } from "@lightferry/proto/sm";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Chunks, DEFAULT_CODE, Geometry, objectIdOf } from "../src/object.ts";
import { readTags, TAG_BYTES, tagKey, tagOf } from "../src/tags.ts";
import { LinkSecrets } from "../src/tx/link-keys.ts";
import { Tagger } from "../src/tx/tagger.ts";
import { directory, keys, namedKey, pki, provider, TO } from "./world.ts";

const FRAME = 1456;
const HEAD = 1_000;
const CHUNK = 65_552;
const SIZE = HEAD + 6 * CHUNK + 777;
const body = randomBytes(SIZE);
const chunks = new Chunks(SIZE, HEAD, CHUNK);
const key = tagKey(provider, randomBytes(32), 7);

/** A tagger of the object that gives out sets from 1. */
function taggerOf(frameSize = FRAME): Tagger {
  let set = 0;
  const geometry = new Geometry(SIZE, FRAME - 48, DEFAULT_CODE);
  const proof = { headSize: HEAD, headDigest: new Uint8Array(32), chunkBytes: CHUNK };
  const nextSet = () => (set += 1);
  return new Tagger({ geometry, proof }, { provider, key, nextSet, frameSize });
}

/** Tags by chunk, and with which sets they came. */
function told(tagger: Tagger): Map<number, { set: number; tag: Uint8Array }> {
  const found = new Map<number, { set: number; tag: Uint8Array }>();
  for (const { first, payload } of tagger.block()) {
    const read = readTags(payload, first, chunks.count);
    if (read === undefined) throw new RangeError("no tags");
    for (let at = 0; at < read.tags.length; at += TAG_BYTES) {
      const tag = read.tags.slice(at, at + TAG_BYTES);
      found.set(first + at / TAG_BYTES, { set: read.set, tag });
    }
  }
  return found;
}

function expected(set: number, chunk: number): Uint8Array {
  const start = chunks.start(chunk);
  const bytes = body.subarray(start, start + chunks.length(chunk));
  return tagOf(provider, key, set, chunk, bytes);
}

test("however the bytes are cut into reads and blocks, every chunk has its tag", () => {
  const cuts = fc.uniqueArray(fc.integer({ min: 1, max: SIZE - 1 }), { maxLength: 40 });
  fc.assert(
    fc.property(cuts, fc.infiniteStream(fc.boolean()), (places, ends) => {
      const tagger = taggerOf();
      const found = new Map<number, { set: number; tag: Uint8Array }>();
      const take = (): void => {
        for (const [chunk, tag] of told(tagger)) {
          expect(found.has(chunk)).toBe(false);
          found.set(chunk, tag);
        }
      };
      let from = 0;
      for (const to of [...places.sort((a, b) => a - b), SIZE]) {
        // What a block was read into is used for another one.
        const memory = Buffer.from(body.subarray(from, to));
        tagger.take(from, memory);
        if (ends.next().value === true) {
          take();
          memory.fill(0);
        }
        from = to;
      }
      take();
      expect([...found.keys()].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6]);
      for (const [chunk, { set, tag }] of found) {
        expect(Buffer.compare(tag, expected(set, chunk)), `chunk ${chunk}`).toBe(0);
      }
    }),
    { numRuns: 60 },
  );
});

test("a chunk of which a piece was not read, or not in its order, has none", () => {
  const tagger = taggerOf();
  const at = (chunk: number) => chunks.start(chunk);
  // Chunk 0 but its first byte, 1 whole, 2 begun; a hole; 3 from its middle, 4 whole; then 2 again from its middle.
  tagger.take(at(0) + 1, body.subarray(at(0) + 1, at(2) + 9));
  tagger.take(at(3) + 5, body.subarray(at(3) + 5, at(5)));
  tagger.take(at(2) + 9, body.subarray(at(2) + 9, at(3)));
  const found = told(tagger);
  expect([...found.keys()].sort((a, b) => a - b)).toEqual([1, 4]);
  for (const [chunk, { set, tag }] of found) {
    expect(Buffer.compare(tag, expected(set, chunk)), `chunk ${chunk}`).toBe(0);
  }
});

test("tags of a block go in as few frames as hold them, under one set that no other block has", () => {
  const tagger = taggerOf(256);
  const sets = new Set<number>();
  tagger.take(0, body);
  const frames = tagger.block();
  // 256 − 48 − 8 bytes hold twelve.
  expect(frames).toHaveLength(1);
  sets.add(readTags((frames[0] as (typeof frames)[0]).payload, 0, chunks.count)?.set ?? 0);
  tagger.take(0, body);
  for (const { payload } of tagger.block()) sets.add(readTags(payload, 0, 7)?.set ?? 0);
  expect([...sets]).toEqual([1, 2]);
  expect(tagger.block()).toEqual([]);
});

test("a chunk that is read a second time within a block has a number of its own: no nonce serves for two", () => {
  const tagger = taggerOf();
  const other = Buffer.from(body).fill(1, HEAD);
  tagger.take(0, body);
  tagger.take(0, other.subarray(0, chunks.start(2)));
  const sets = tagger.block().map(({ first, payload }) => {
    const read = readTags(payload, first, chunks.count);
    return [first, (read?.tags.length ?? 0) / TAG_BYTES, read?.set];
  });
  expect(sets).toEqual([
    [0, 7, 1],
    [0, 2, 2],
  ]);
});

test("the secret is one for the epoch, and another for a new key of the node", () => {
  let current = namedKey();
  const certificate = directory.encryptKey(TO)?.certificate;
  if (certificate === undefined) throw new RangeError("no certificate");
  const found = () => ({
    ...{ keyId: current.keyId, publicKey: current.key.publicKey, certificate },
  });
  let known = true;
  const secrets = new LinkSecrets({
    provider,
    keys: () => ({ ...directory, encryptKey: () => (known ? found() : undefined) }),
    clock: Date.now,
  });
  const first = secrets.told(TO);
  expect(first?.keyId).toBe(current.keyId);
  expect(secrets.told(TO)).toBe(first);
  const former = current;
  current = namedKey();
  const second = secrets.told(TO);
  expect(second?.keyId).toBe(current.keyId);
  const opened = (told: typeof first, key: Sm2PrivateKey) =>
    Buffer.from(unwrapLinkKey(provider, key, told?.wrapped ?? new Uint8Array())).toString("hex");
  expect(opened(second, current.key)).not.toBe(opened(first, former.key));
  known = false;
  expect(secrets.told(TO)).toBeUndefined();
});

test("what is short, has small chunks, or goes to a node that was told no key or has none any more has no tags", () => {
  let denied = false;
  const none = { ...directory, encryptKey: () => undefined };
  const secrets = new LinkSecrets({
    provider,
    keys: () => (denied ? none : directory),
    clock: Date.now,
  });
  const facts = (size: number, chunkBytes: number) => ({
    ...{ objectId: objectIdOf(1, 1), sender: "a", lane: "b" },
    ...{ bundleId: new Uint8Array(16), headerDigest: new Uint8Array(32) },
    geometry: new Geometry(size, FRAME - 48, DEFAULT_CODE),
    proof: { headSize: HEAD, headDigest: new Uint8Array(32), chunkBytes },
  });
  const long = facts((1 << 20) + 1, CHUNK);
  expect(secrets.tagger(TO, long, FRAME)).toBeUndefined();
  expect(secrets.told(TO)?.keyId).toBe(keys.to.keyId);
  expect(pki.keyId(TO, "encrypt")).toBe(keys.to.keyId);
  expect(secrets.tagger(TO, long, FRAME)).toBeInstanceOf(Tagger);
  expect(secrets.tagger(TO, facts(1 << 20, CHUNK), FRAME)).toBeUndefined();
  expect(secrets.tagger(TO, facts((1 << 20) + 1, CHUNK - 1), FRAME)).toBeUndefined();
  denied = true;
  expect(secrets.tagger(TO, long, FRAME)).toBeUndefined();
});
