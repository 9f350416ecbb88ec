/** Guarantee tested: what a long object had when the receiver ended is there again, was looked at again, and is enough. */
import { mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import { decodeFrame, emptyHeader, FRAME_TYPE, type FrameHeader } from "../src/frame.ts";
import { Geometry } from "../src/object.ts";
import { Line, madeUp, Receiving } from "./frames.ts";
import { pki } from "./world.ts";

afterAll(() => pki.cleanup());
let rx: Receiving;
beforeEach(() => {
  rx = new Receiving();
});
afterEach(() => rx.close());

/** 3 MB in 46 chunks of four to five groups; three blocks. */
const body = madeUp([...Array<number>(45).fill(65_552), 12_345], 700, 5);
const LINE = { frameSize: 2_048, code: { groupShards: 8, parityShards: 2 } };
const GROUPS = new Geometry(body.bytes.length, 2_000, LINE.code).groups;
const line = () => new Line(body, LINE);
const bases = (ending: string): string[] =>
  readdirSync(rx.dir).filter((name) => name.endsWith(ending));
const path = (ending: string): string => join(rx.dir, bases(ending)[0] as string);

function headerOf(frame: Uint8Array): FrameHeader {
  const header = emptyHeader();
  expect(decodeFrame(frame, header)).toBeUndefined();
  return header;
}

/** Without its last group the object stays open. */
function isOfLastGroup(frame: Uint8Array): boolean {
  const header = headerOf(frame);
  return header.type <= FRAME_TYPE.PARITY && header.group === GROUPS - 1;
}

const settled = (): Promise<void> => rx.reassembler.settled();

const proven = () => expect.poll(() => rx.reassembler.progress()[0]?.unproven).toBe(0);

async function expectWhole(): Promise<void> {
  await rx.until(1);
  const object = rx.whole[0];
  if (object === undefined) throw new Error("not whole");
  expect(Buffer.compare(await rx.bytesOf(object), body.bytes)).toBe(0);
  expect(rx.reassembler.heldBytes).toBe(0);
  expect(readdirSync(rx.dir)).toEqual([]);
}

test("stopped at any moment, or crashed: the second pass brings what lacks", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ after: fc.nat(1_900), crash: fc.boolean() }), {
        minLength: 1,
        maxLength: 3,
      }),
      fc.nat(20),
      async (stops, lossOfHundred) => {
        const sender = line();
        for (const [pass, { after, crash }] of stops.entries()) {
          const frames = sender.pass(pass > 0).slice(0, after);
          for (const [index, frame] of frames.entries()) {
            const lost = (index * 61) % 100 < lossOfHundred || isOfLastGroup(frame);
            if (!lost) rx.take(frame);
            if (index % 400 === 0) await settled();
          }
          if (crash) await rx.crash();
          else await rx.restart();
        }
        for (const frame of sender.pass(true)) rx.take(frame);
        await expectWhole();
        expect(rx.rejections.totals()).toEqual({});
        rx.whole.length = 0;
      },
    ),
    { numRuns: 8 },
  );
});

test("what was kept is needed no second time, and helps to restore its groups", async () => {
  const sender = line();
  const blocks = [...sender.blocks()];
  for (const frame of blocks[0] ?? []) rx.take(frame);
  await settled();
  await rx.restart();
  expect(rx.reassembler.objects).toBe(1);
  expect(rx.reassembler.progress()).toMatchObject([{ size: body.bytes.length }]);
  const good = rx.reassembler.progress()[0]?.good ?? 0;
  expect(good).toBeGreaterThan(body.bytes.length / 8);
  // The second pass lacks what the code makes good; a group that is half on disk is read back for it.
  const early = (frame: Uint8Array): boolean => {
    const { type, shard } = headerOf(frame);
    return type === FRAME_TYPE.DATA && shard < 2;
  };
  for (const frame of sender.pass(true)) if (!early(frame)) rx.take(frame);
  await expectWhole();
  expect(rx.reassembler.repeats).toBeGreaterThan(200);
  expect(rx.reassembler.restored).toBeGreaterThan(20);
});

test("bytes that were damaged on disk are found and come again", async () => {
  const sender = line();
  const frames = sender.pass();
  for (const frame of frames) if (!isOfLastGroup(frame)) rx.take(frame);
  await settled();
  await rx.restart();
  await proven();
  expect(rx.rejections.totals()).toEqual({});
  await rx.reassembler.close();
  const bytes = readFileSync(path(".part"));
  for (const at of [200_000, 1_500_000]) bytes[at] = (bytes[at] as number) ^ 1;
  writeFileSync(path(".part"), bytes);
  await rx.restart();
  await proven();
  for (const frame of sender.pass(true)) rx.take(frame);
  await expectWhole();
  expect(rx.rejections.totals()).toEqual({ "chunk-digest": 2 });
});

test("what cannot be gone on with is removed", async () => {
  const begun = async (): Promise<void> => {
    for (const frame of line().pass().slice(0, 1_000)) rx.take(frame);
    await settled();
    await rx.restart();
    expect(readdirSync(rx.dir)).toHaveLength(3);
    expect(rx.reassembler.objects).toBe(1);
  };
  const spoil: (() => void)[] = [
    () => truncateSync(path(".manifest"), 0),
    () => truncateSync(path(".chunks"), 0),
    // The head is not marked.
    () => writeFileSync(path(".chunks"), Uint8Array.of(0xfe)),
    () => writeFileSync(path(".manifest"), Buffer.alloc(1 << 17)),
  ];
  for (const harm of spoil) {
    await begun();
    await rx.reassembler.close();
    harm();
    await rx.restart();
    expect(readdirSync(rx.dir)).toEqual([]);
    expect(rx.reassembler.objects).toBe(0);
  }
  expect(rx.rejections.totals()).toEqual({});
});

test("a disk that is away costs time, not the object", async () => {
  const frames = line().pass();
  rmSync(rx.dir, { recursive: true });
  for (const frame of frames) rx.take(frame);
  await settled();
  expect(rx.whole).toEqual([]);
  expect(Object.keys(rx.rejections.totals())).toEqual(["disk"]);
  mkdirSync(rx.dir);
  rx.reassembler.tick();
  await expectWhole();
});
