/** Guarantee tested: whatever is lost, doubled, spoiled or out of order, an object is whole byte for byte or names what it lacks. */
import fc from "fast-check";
import { afterAll, afterEach, expect, test } from "vitest";
import { FRAME_TYPE } from "../src/frame.ts";
import { objectIdOf } from "../src/object.ts";
import { Line, madeUp, Receiving } from "./frames.ts";
import { pki } from "./world.ts";

afterAll(() => pki.cleanup());
let rx: Receiving;
afterEach(() => rx.close());

const CHUNK = 256 * 1024 + 16;

test("a long object without loss: whole, nothing counted, nothing held", async () => {
  rx = new Receiving();
  const body = madeUp([...Array<number>(20).fill(CHUNK), 1_000]);
  for (const frame of new Line(body).pass()) rx.take(frame);
  await rx.until(1);
  const object = rx.whole[0];
  if (object === undefined) throw new Error("none");
  expect(Buffer.compare(await rx.bytesOf(object), body.bytes)).toBe(0);
  expect(rx.rejections.totals()).toEqual({});
  expect(rx.reassembler.heldBytes).toBe(0);
});

test("short objects of every odd size", async () => {
  rx = new Receiving();
  const bodies = [1, 17, 1_408, 1_409, 5_000, 70_000, 200_000].map((length, seed) =>
    madeUp([length], 333, seed),
  );
  for (const [number, body] of bodies.entries()) {
    const line = new Line(body, { objectId: objectIdOf(1, number) });
    for (const frame of line.pass()) rx.take(frame);
  }
  await rx.until(bodies.length);
  for (const [index, object] of [...rx.whole].sort((a, b) => a.objectId - b.objectId).entries()) {
    expect(Buffer.compare(await rx.bytesOf(object), bodies[index]?.bytes as Buffer)).toBe(0);
  }
  expect(rx.rejections.totals()).toEqual({});
  expect(rx.reassembler.heldBytes).toBe(0);
});
