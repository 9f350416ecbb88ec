/** Guarantee tested: what the receiver believes of tags, and that no frame of tags, whoever made it, changes what arrives; SPEC.md §13.6. */
import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FRAME_HEADER, FRAME_TYPE } from "../src/frame.ts";
import { Chunks, objectIdOf } from "../src/object.ts";
import { Budget } from "../src/rx/budget.ts";
import { OpenedKeys } from "../src/rx/link-keys.ts";
import { KeptTags } from "../src/rx/tags.ts";
import { MIN_TAGGED_CHUNK, SET_BYTES, TAG_BYTES, tagKey, tagOf } from "../src/tags.ts";
import { type Body, Line, madeUp, Receiving } from "./frames.ts";
import { Events, LANE, provider, quiet } from "./world.ts";

const EPOCH = 1;
const OBJECT = objectIdOf(EPOCH, 1);
const secret = randomBytes(32);
/** Longer than a short object, with a chunk at the end that is not full. */
const body = madeUp([...Array<number>(17).fill(MIN_TAGGED_CHUNK), 999]);
const chunks = new Chunks(body.bytes.length, body.headSize, body.chunkBytes);

/** What a frame of tags says. */
interface Made {
  readonly first: number;
  readonly payload: Uint8Array;
}

let rx: Receiving;
beforeEach(() => {
  rx = new Receiving(undefined, (epoch) => (epoch === EPOCH ? secret : undefined));
});
afterEach(() => rx.close());

/** Right tags of all chunks, under one set. */
function payloadOf({ bytes }: Body, set = 1, key = tagKey(provider, secret, OBJECT)): Buffer {
  const payload = Buffer.alloc(SET_BYTES + chunks.count * TAG_BYTES);
  payload.writeBigUInt64BE(BigInt(set));
  for (let chunk = 0; chunk < chunks.count; chunk += 1) {
    const start = chunks.start(chunk);
    const its = bytes.subarray(start, start + chunks.length(chunk));
    payload.set(tagOf(provider, key, set, chunk, its), SET_BYTES + chunk * TAG_BYTES);
  }
  return payload;
}

/** A pass with what `tags` makes behind the first manifest and again before the last. */
function pass(tags: (line: Line) => Uint8Array[], sent: Body = body): Uint8Array[] {
  // What is announced is the right one, whatever is sent.
  const shown = new Line(body);
  const frames = new Line(sent).pass().filter((frame) => frame[3] !== FRAME_TYPE.MANIFEST);
  return [...shown.manifest(), ...tags(shown), ...frames, ...shown.manifest()];
}

async function arrives(): Promise<void> {
  await rx.until(1);
  const found = await rx.bytesOf(rx.whole[0] as (typeof rx.whole)[number]);
  expect(Buffer.compare(found, body.bytes)).toBe(0);
}

/** What an officer hears of it: code, reason and count of each event. */
async function told(): Promise<unknown[]> {
  const events = new Events();
  await rx.rejections.report(events, LANE, quiet);
  return events
    .of("gate.frame-rejected")
    .map(({ code, attributes }) => [code, attributes?.reason, attributes?.count]);
}

test("chunks with right tags are good by them, and the head by its digest", async () => {
  for (const frame of pass((line) => [line.tags(0, payloadOf(body))])) rx.take(frame);
  await arrives();
  const { byTag, byDigest, wrongTags } = rx.reassembler.checked;
  expect({ byTag, byDigest, wrongTags }).toEqual({
    byTag: body.bytes.length - body.headSize,
    byDigest: body.headSize,
    wrongTags: 0,
  });
  expect(rx.rejections.totals()).toEqual({});
  expect(rx.reassembler.heldBytes).toBe(0);
});

test("the frame says which chunk its first tag is of", async () => {
  const payload = payloadOf(body);
  const second = Buffer.concat([payload.subarray(0, SET_BYTES), payload.subarray(-2 * TAG_BYTES)]);
  const first = payload.subarray(0, SET_BYTES + 3 * TAG_BYTES);
  const tags = (line: Line) => [line.tags(chunks.count - 2, second), line.tags(0, first)];
  for (const frame of pass(tags)) rx.take(frame);
  await arrives();
  expect(rx.reassembler.checked).toMatchObject({ byTag: 4 * MIN_TAGGED_CHUNK + 999, wrongTags: 0 });
});

test("false tags cost the receiver a digest each, and nothing else", async () => {
  const payload = randomBytes(SET_BYTES + chunks.count * TAG_BYTES);
  payload.writeBigUInt64BE(1n);
  for (const frame of pass((line) => [line.tags(0, payload)])) rx.take(frame);
  await arrives();
  expect(rx.reassembler.checked).toMatchObject({ byTag: 0, wrongTags: chunks.count });
  expect(rx.rejections.totals()).toEqual({ "chunk-tag": chunks.count });
  expect(await told()).toEqual([["ferry.frame-rejected", "chunk-tag", `${chunks.count}`]]);
});

test("a chunk that came spoiled is not known by its right tag: the next pass brings it", async () => {
  const spoiled = { ...body, bytes: Buffer.from(body.bytes) };
  for (const chunk of [2, 9])
    spoiled.bytes.fill(0, chunks.start(chunk) + 70, chunks.start(chunk) + 99);
  const tags = (line: Line) => [line.tags(0, payloadOf(body))];
  for (const frame of pass(tags, spoiled)) rx.take(frame);
  await rx.reassembler.settled();
  expect(rx.whole).toEqual([]);
  expect(rx.rejections.totals()).toEqual({ "chunk-tag": 2, "chunk-digest": 2 });
  for (const frame of new Line(body).pass(true)) rx.take(frame);
  await arrives();
});

test("right tags of false bytes need the secret; another epoch, object, set or chunk is not theirs", async () => {
  const right = tagKey(provider, secret, OBJECT);
  const wrong: Record<string, (line: Line) => Uint8Array> = {
    epoch: (line) => line.tags(0, payloadOf(body), EPOCH + 1),
    secret: (line) => line.tags(0, payloadOf(body, 1, tagKey(provider, randomBytes(32), OBJECT))),
    object: (line) => line.tags(0, payloadOf(body, 1, tagKey(provider, secret, OBJECT + 1))),
    set: (line) => {
      const payload = payloadOf(body, 1, right);
      payload.writeBigUInt64BE(2n);
      return line.tags(0, payload);
    },
    chunk: (line) => line.tags(1, payloadOf(body, 1, right).subarray(0, -TAG_BYTES)),
  };
  for (const [what, frame] of Object.entries(wrong)) {
    await rx.close();
    rx = new Receiving(undefined, (epoch) => (epoch === EPOCH ? secret : undefined));
    for (const each of pass((line) => [frame(line)])) rx.take(each);
    await arrives();
    expect(rx.reassembler.checked.byTag, what).toBe(0);
  }
});

test("what is no frame of tags of the object is counted, and where tags are not believed nothing is", async () => {
  const line = new Line(body);
  const payload = payloadOf(body);
  const none = Buffer.from(payload);
  none.writeBigUInt64BE(0n);
  const bad = [
    line.tags(0, payload.subarray(0, SET_BYTES)),
    line.tags(0, payload.subarray(0, -1)),
    line.tags(1, payload),
    line.tags(0xffff_ffff, payload),
    line.tags(0, none),
    line.tags(0, Buffer.alloc(SET_BYTES + TAG_BYTES, 0xff)),
  ];
  for (const frame of [...line.manifest(), ...bad]) rx.take(frame);
  expect(rx.rejections.totals()).toEqual({ tags: bad.length });
  expect(await told()).toEqual([["ferry.frame-rejected", "tags", `${bad.length}`]]);
  const off = new Receiving();
  for (const frame of [...line.manifest(), ...bad, line.tags(0, payload)]) off.take(frame);
  expect(off.rejections.totals()).toEqual({});
  expect(off.reassembler.heldBytes).toBe(0);
  await off.close();
});

test("whatever frames of tags come, memory stays bounded and the object arrives", async () => {
  const line = new Line(body);
  const wellFormed = (first: number, tags: number, fill: number): Made => {
    const payload = Buffer.alloc(
      SET_BYTES + Math.min(tags, chunks.count - first) * TAG_BYTES,
      fill,
    );
    payload.writeBigUInt64BE(BigInt(1 + fill));
    return { first, payload };
  };
  const noise = fc.array(
    fc.oneof(
      fc.record({
        first: fc.oneof(fc.nat(20), fc.nat(0xffff_ffff)),
        payload: fc.uint8Array({ maxLength: 400 }),
      }),
      fc
        .tuple(fc.nat(chunks.count - 1), fc.integer({ min: 1, max: chunks.count }), fc.nat(255))
        .map((of) => wellFormed(...of)),
    ),
    { maxLength: 60 },
  );
  // More than are kept, each another one.
  const flood = Array.from({ length: 200 }, (_, n) => wellFormed(0, chunks.count, n));
  await fc.assert(
    fc.asyncProperty(noise, async (frames) => {
      const one = new Receiving(undefined, () => secret);
      for (const frame of line.manifest()) one.take(frame);
      const before = one.reassembler.heldBytes;
      const made = frames.map(({ first, payload }) => line.tags(first, payload));
      for (const frame of made) one.take(frame);
      // 128 frames, each with what it costs beside its payload.
      const most = 128 * (700 + SET_BYTES + chunks.count * TAG_BYTES);
      expect(one.reassembler.heldBytes - before).toBeLessThanOrEqual(most);
      for (const frame of line.pass()) one.take(frame);
      await one.until(1);
      const found = await one.bytesOf(one.whole[0] as (typeof one.whole)[number]);
      expect(Buffer.compare(found, body.bytes)).toBe(0);
      expect(one.reassembler.heldBytes).toBe(0);
      await one.close();
    }),
    { numRuns: 15, examples: [[flood]] },
  );
});

test("frames of an epoch whose secret nobody knows take the place of no honest ones", async () => {
  const forged = randomBytes(SET_BYTES + chunks.count * TAG_BYTES);
  forged.writeBigUInt64BE(1n);
  const tags = (line: Line) => [line.tags(0, payloadOf(body)), line.tags(0, forged, EPOCH + 1)];
  for (const frame of pass(tags)) rx.take(frame);
  await arrives();
  expect(rx.reassembler.checked.byTag).toBe(body.bytes.length - body.headSize);
});

test("of an object's tags the newest are kept, in 128 frames and 1,024 altogether, each counted until it is let go", () => {
  const budget = new Budget();
  const kept = new KeptTags(provider, () => secret, budget, OBJECT);
  const many = 2_000;
  const payload = (tags: number, set = 1): Buffer => {
    const made = Buffer.alloc(SET_BYTES + tags * TAG_BYTES);
    made.writeBigUInt64BE(BigInt(set));
    return made;
  };
  for (let first = 0; first < many; first += 200) {
    expect(kept.take(EPOCH, first, payload(200), many, () => true)).toBe(true);
  }
  const held = budget.used;
  expect(kept.of(many - 1_001)).toBeUndefined();
  expect(kept.of(many - 1_000)).toBeDefined();
  // One that comes again is kept once, and is the newest then; what is good needs none.
  kept.take(EPOCH, many - 1_000, payload(200), many, () => true);
  kept.take(EPOCH, 0, payload(200), many, () => false);
  expect(budget.used).toBe(held);
  kept.take(EPOCH, 0, payload(200), many, (chunk) => chunk === 199);
  expect(budget.used).toBe(held);
  expect(kept.of(many - 1_000)).toBeDefined();
  expect(kept.of(many - 800)).toBeUndefined();
  for (let chunk = 0; chunk < many; chunk += 1) {
    kept.take(EPOCH, chunk, payload(1, 2), many, () => true);
  }
  expect(kept.of(many - 129)).toBeUndefined();
  expect(kept.of(many - 128)).toBeDefined();
  kept.clear();
  expect(budget.used).toBe(0);
});

test("of two frames that name a chunk the later one counts, and what was taken is not changed any more", () => {
  const kept = new KeptTags(provider, () => secret, new Budget(), OBJECT);
  const one = Buffer.alloc(SET_BYTES + 3 * TAG_BYTES, 1);
  const other = Buffer.alloc(SET_BYTES + TAG_BYTES, 2);
  for (const [set, made] of [one, other].entries()) made.writeBigUInt64BE(BigInt(set + 1));
  kept.take(EPOCH, 4, one, 9, () => true);
  kept.take(EPOCH, 5, other, 9, () => true);
  const tagOfChunk = (chunk: number) => kept.of(chunk)?.tag[0];
  expect([3, 4, 5, 6, 7].map(tagOfChunk)).toEqual([undefined, 1, 2, 1, undefined]);
  kept.take(EPOCH, 4, one, 9, () => true);
  one.fill(7);
  expect([4, 5, 6].map(tagOfChunk)).toEqual([1, 1, 1]);
});

test("a secret is asked for once at a time, again when it was not told, and counts in its epoch alone", async () => {
  const asked: { wrapped: Uint8Array; answer: PromiseWithResolvers<Uint8Array> }[] = [];
  const opened = new OpenedKeys({
    open: ({ wrapped }) => {
      const answer = Promise.withResolvers<Uint8Array>();
      asked.push({ wrapped: wrapped ?? new Uint8Array(), answer });
      return answer.promise;
    },
    log: quiet,
  });
  const told = { keyId: "k", wrapped: randomBytes(100) };
  expect(opened.state(5)).toBe("none");
  opened.told(5, told);
  opened.told(5, told);
  expect(asked).toHaveLength(1);
  expect(opened.state(5)).toBe("waiting");
  asked[0]?.answer.reject(new RangeError("away"));
  const again = (): number => {
    opened.told(5, told);
    return asked.length;
  };
  await expect.poll(again).toBe(2);
  asked[1]?.answer.resolve(secret);
  await expect.poll(() => opened.state(5)).toBe("on");
  expect(opened.secret(5)).toBe(secret);
  opened.told(5, told);
  // Another one of the epoch takes its place once it is opened.
  opened.told(5, { keyId: "l", wrapped: randomBytes(100) });
  expect(asked).toHaveLength(3);
  expect(opened.secret(5)).toBe(secret);
  const next = randomBytes(32);
  asked[2]?.answer.resolve(next);
  await expect.poll(() => opened.secret(5)).toBe(next);
  // An older epoch of the same ferry changes nothing, a newer one ends it; another ferry has its own.
  opened.told(4, told);
  expect(asked).toHaveLength(3);
  opened.told(2 ** 17 + 1, told);
  expect(asked).toHaveLength(4);
  expect(opened.secret(5)).toBe(next);
  opened.told(6, told);
  expect(asked).toHaveLength(5);
  expect(opened.secret(5)).toBeUndefined();
  expect(opened.state(6)).toBe("waiting");
});

test.each([0, 16, 31, 33])("an answer of %i bytes is no secret", async (length) => {
  const warned: unknown[] = [];
  const log = { ...quiet, warn: (facts: unknown) => warned.push(facts) };
  const opened = new OpenedKeys({ open: async () => new Uint8Array(length), log });
  opened.told(5, { keyId: "k", wrapped: randomBytes(100) });
  await expect.poll(() => warned).toMatchObject([{ code: "link-key.invalid" }]);
  expect(opened.state(5)).toBe("waiting");
  expect(opened.secret(5)).toBeUndefined();
});

test("frames of tags are made as the frame map says", () => {
  const frame = new Line(body).tags(3, payloadOf(body).subarray(0, SET_BYTES + TAG_BYTES));
  expect([frame[3], frame[35], frame[36], frame[37], frame[38]]).toEqual([6, 3, 0, 1, 0]);
  expect(frame.length).toBe(FRAME_HEADER + SET_BYTES + TAG_BYTES);
});
