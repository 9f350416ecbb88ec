/** Guarantee tested: forged shards of announced objects cost bounded memory and work, and honest ones still arrive. */
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import { decodeFrame, emptyHeader, encodeFrame, FRAME_HEADER, FRAME_TYPE } from "../src/frame.ts";
import { objectIdOf } from "../src/object.ts";
import { frame } from "./datagrams.ts";
import { type Body, Line, madeUp, Receiving } from "./frames.ts";
import { pki } from "./world.ts";

afterAll(() => pki.cleanup());
let rx: Receiving;
beforeEach(() => {
  rx = new Receiving();
});
afterEach(() => rx.close());

const MEBIBYTE = 2 ** 20;
/** The longest frames: as few as possible for much memory. */
const FRAME = 8_944;
const SHARD = FRAME - FRAME_HEADER;

function spoiled(bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const header = emptyHeader();
  expect(decodeFrame(copy, header)).toBeUndefined();
  copy[FRAME_HEADER + 7] = (copy[FRAME_HEADER + 7] as number) ^ 0xff;
  encodeFrame(copy, 0, header, copy.length - FRAME_HEADER);
  return copy;
}

async function crosses(body: Body, number: number): Promise<void> {
  const line = new Line(body, { objectId: objectIdOf(1, number) });
  const before = rx.whole.length;
  for (const bytes of line.pass()) rx.take(bytes);
  await rx.until(before + 1);
  const object = rx.whole[before];
  if (object === undefined) throw new Error("not whole");
  expect(Buffer.compare(await rx.bytesOf(object), body.bytes)).toBe(0);
}

test.each([
  ["a shard of every chunk", FRAME_TYPE.DATA, 2_500],
  ["parity of every group", FRAME_TYPE.PARITY, 40_000],
])("%s of a large object: memory stays bounded and is given back", async (_, type, limit) => {
  const chunks = 40_000;
  const chunkBytes = 262_160;
  const size = 100 + 32 * chunks + chunks * chunkBytes;
  const line = new Line(madeUp([1]), { frameSize: FRAME });
  const signed = line.signed({ size, headSize: 100 + 32 * chunks, chunkBytes });
  for (const bytes of line.manifest(signed)) rx.take(bytes);
  expect(rx.reassembler.objects).toBe(1);
  const fields = { type, objectId: line.objectId, k: 128, m: 16, objectSize: size };
  const shards = type === FRAME_TYPE.DATA ? [0] : Array.from({ length: 16 }, (_, row) => 128 + row);
  const payload = new Uint8Array(SHARD).fill(7);
  let most = 0;
  for (let sent = 0, group = 0; sent < limit; group += 1) {
    for (const shard of shards) rx.take(frame({ ...fields, group, shard }, payload));
    sent += shards.length;
    most = Math.max(most, rx.reassembler.heldBytes);
  }
  expect(most).toBeGreaterThan(200 * MEBIBYTE);
  expect(most).toBeLessThan(257 * MEBIBYTE);
  await crosses(madeUp([50_000, 7]), 2);
  expect(rx.reassembler.heldBytes).toBeLessThan(257 * MEBIBYTE);
});

test("false parity buys little work where chunks are short, and the honest pass is whole", async () => {
  const body = madeUp(Array<number>(40).fill(4_112), 60, 3);
  const line = new Line(body);
  const pass = line.pass();
  const isLost = (bytes: Uint8Array): boolean => bytes[3] === FRAME_TYPE.DATA && bytes[36] === 60;
  const parity = pass.filter((bytes) => bytes[3] === FRAME_TYPE.PARITY).map(spoiled);
  for (const bytes of pass) {
    if (bytes[3] !== FRAME_TYPE.PARITY && !isLost(bytes)) rx.take(bytes);
  }
  // Each wrong chunk frees its shards, which the next false ones restore wrongly again.
  for (let round = 0; round < 400; round += 1) for (const bytes of parity) rx.take(bytes);
  const { "chunk-digest": wrong = 0 } = rx.rejections.totals();
  expect(wrong).toBeGreaterThan(100);
  expect(wrong).toBeLessThan(1_100);
  const restored = rx.reassembler.restored;
  for (const bytes of parity) rx.take(bytes);
  expect(rx.reassembler.restored).toBe(restored);
  rx.reassembler.tick();
  for (const bytes of line.pass(true)) rx.take(bytes);
  await rx.until(1);
  const object = rx.whole[0];
  if (object === undefined) throw new Error("not whole");
  expect(Buffer.compare(await rx.bytesOf(object), body.bytes)).toBe(0);
});

test("shards before their manifest wait in bounded memory and count when it comes", async () => {
  const body = madeUp([...Array<number>(20).fill(262_160), 5]);
  const frames = new Line(body).pass();
  const [manifest, shards] = [
    frames.filter((bytes) => bytes[3] === FRAME_TYPE.MANIFEST),
    frames.filter((bytes) => bytes[3] !== FRAME_TYPE.MANIFEST),
  ];
  for (const bytes of shards) rx.take(bytes);
  expect(rx.reassembler.heldBytes).toBeLessThan(9 * MEBIBYTE);
  for (const bytes of manifest) rx.take(bytes);
  await rx.until(1);
  expect(rx.rejections.totals()).toEqual({});
  const other = new Line(madeUp(Array<number>(60).fill(262_160)), { objectId: objectIdOf(1, 5) });
  for (const bytes of other.pass()) if (bytes[3] !== FRAME_TYPE.MANIFEST) rx.take(bytes);
  expect(rx.reassembler.heldBytes).toBeLessThan(9 * MEBIBYTE);
  expect(Object.keys(rx.rejections.totals())).toEqual(["no-manifest"]);
});
