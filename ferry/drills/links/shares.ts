/**
 * Guarantee: what one line and two lines between the same ends carry of a bundle, and how
 * lanes share one line by weight and by cap, as what comes out of the line says it.
 */
import { join } from "node:path";
import { FRAME_HEADER, FRAME_TYPE } from "../../src/frame.ts";
import { LANE } from "../../test/world.ts";
import type { Cargo } from "../cargo.ts";
import { type Bundle, codingShare, frameSizeOf } from "../ferries.ts";
import { until } from "../wire/ends.ts";
import { Field, type Ground, type LaneSettings, MTU } from "./field.ts";
import { allDelivered, limitMsOf } from "./waits.ts";

const MIB = 1 << 20;
/** Some tenths of a second of both programs at work. */
const WARM_UP_BYTES = 32 * MIB;
/** So late that it never begins within a part. */
const NEVER_SECONDS = 600;
const OTHER_LANE = "notices";
/** Each look at the counters of the lanes starts four programs, which want the processors that fill the line. */
const LOOK_MS = 500;
/** Pieces of the bulk of a lane: more than are sent at the same time, so that the lane always has some. */
const PIECES = 8;
/** Of the frames of the lane that is done first: sharing is measured from here … */
const FROM = 0.1;
/** … to here: until then both lanes have something to send. */
const TO = 0.9;

export interface GoodputRow {
  readonly what: string;
  /** MB of bundle per second. */
  readonly goodput: number;
  /** That to what the lines, the code and the settings allow. */
  readonly ratio: number;
  readonly whole: boolean;
}

/** What of a line of the ground could be bundle: bytes per second. */
export function fullGoodput({ lineBits }: Ground): number {
  return (lineBits / 8) * codingShare(MTU);
}

/** Bytes of a bundle in a full frame. */
export const SHARD_BYTES = frameSizeOf(MTU) - FRAME_HEADER;

/** Data frames: behind 8 bytes of UDP the type is byte 3 of a frame, link and lane are byte 46. */
export function dataFrames(link?: number, lane = 0): string {
  const way = link === undefined ? "" : ` @th,432,8 ${link * 16 + lane}`;
  return `@th,88,8 ${FRAME_TYPE.DATA}${way}`;
}

/** One lane over one line alone, then over two of them, timed from lease to delivery. */
export async function spreadOverLines(
  cargo: Cargo,
  mebibytes: number,
  seed: number,
  ground: Ground,
): Promise<readonly GoodputRow[]> {
  const warmUp = await cargo.seal(WARM_UP_BYTES, seed);
  const bundle = await cargo.seal(mebibytes * MIB, seed + 1);
  const size = bundle.size ?? 0;
  const rows: GoodputRow[] = [];
  for (const links of [[0], [0, 1]]) {
    const field = await Field.start({
      ...ground,
      ferries: [links],
      secondPassSeconds: NEVER_SECONDS,
    });
    try {
      const { deliveredAt } = field.at.inbox;
      const limitMs = limitMsOf(size, ground);
      field.put(warmUp, cargo.folder);
      await until("the warm-up", limitMs, () => deliveredAt[0]);
      const begun = performance.now();
      field.put(bundle, cargo.folder);
      const arrived = await until("the bundle", limitMs, () => deliveredAt[1]);
      const goodput = (size / (arrived - begun)) * 1000;
      rows.push({
        what: links.length === 1 ? "one line" : "two lines",
        goodput: goodput / 1e6,
        ratio: goodput / (links.length * fullGoodput(ground)),
        whole: await cargo.isWhole(bundle, join(field.at.takenDir, bundle.file ?? "")),
      });
    } finally {
      await field.stop();
    }
  }
  cargo.drop(warmUp);
  cargo.drop(bundle);
  return rows;
}

interface LaneWanted extends LaneSettings {
  /** Of the line, 0 … 1. */
  readonly share: number;
  /** Of the bulk of a part that is this lane's: about as much as its share, so that no lane is done long before the others. */
  readonly pieces: number;
}

/** Two lanes on one line: 3 to 1 by weight, then the heavier one with a cap of a quarter of the line. */
export async function laneShares(
  cargo: Cargo,
  mebibytes: number,
  seed: number,
  ground: Ground,
): Promise<readonly GoodputRow[]> {
  const cap = Math.floor(ground.lineBits / 8 / 4);
  const light = { lane: OTHER_LANE, number: 5, weight: 1 };
  const heavy = { lane: LANE, number: 0, weight: 3 };
  const parts = [
    [
      { ...heavy, share: 0.75, pieces: PIECES },
      { ...light, share: 0.25, pieces: PIECES / 2 },
    ],
    [
      { ...heavy, rateBytesPerSecond: cap, share: 0.25, pieces: PIECES / 2 },
      { ...light, share: 0.75, pieces: PIECES },
    ],
  ];
  const pieceBytes = Math.ceil((mebibytes * MIB) / PIECES);
  const rows: GoodputRow[] = [];
  for (const [part, lanes] of parts.entries()) {
    rows.push(...(await share(cargo, lanes, pieceBytes, seed + 100 * part, ground)));
  }
  return rows;
}

async function share(
  cargo: Cargo,
  lanes: readonly LaneWanted[],
  pieceBytes: number,
  seed: number,
  ground: Ground,
): Promise<readonly GoodputRow[]> {
  const bundles: Bundle[] = [];
  for (const [index, { lane, pieces }] of lanes.entries()) {
    for (let piece = 0; piece < pieces; piece += 1) {
      bundles.push(await cargo.seal(pieceBytes, seed + 10 * index + piece, "bulk", lane));
    }
  }
  const limitMs = limitMsOf(bundles.length * pieceBytes, ground);
  const told = lanes.map(({ share: _, pieces: __, ...lane }) => lane);
  const field = await Field.start({
    ...{ ...ground, ferries: [[0]], lanes: told, secondPassSeconds: NEVER_SECONDS },
  });
  try {
    const line = field.line(0);
    const counts = lanes.map(({ number }) => line.count(`lane${number}`, dataFrames(0, number)));
    const look = () => ({ at: performance.now(), frames: counts.map((count) => count()) });
    /** The lane that is furthest of what it has. */
    const furthest = (frames: readonly number[]) =>
      Math.max(
        ...lanes.map(({ pieces }, at) => ((frames[at] ?? 0) * SHARD_BYTES) / (pieces * pieceBytes)),
      );
    const past = (part: number) => () => {
      const now = look();
      return furthest(now.frames) >= part ? now : undefined;
    };
    for (const bundle of bundles) field.put(bundle, cargo.folder);
    const from = await until("both lanes at work", limitMs, past(FROM), LOOK_MS);
    const to = await until("one lane almost done", limitMs, past(TO), LOOK_MS);
    const { missing, twice } = await allDelivered(field, cargo, bundles, limitMs);
    return lanes.map(({ lane, weight, rateBytesPerSecond, share: wanted }, at) => {
      const frames = (to.frames[at] ?? 0) - (from.frames[at] ?? 0);
      const goodput = ((frames * SHARD_BYTES) / (to.at - from.at)) * 1000;
      const capped = rateBytesPerSecond === undefined ? "" : ", cap of a quarter";
      return {
        what: `lane ${lane}, weight ${weight}${capped}`,
        goodput: goodput / 1e6,
        ratio: goodput / (wanted * fullGoodput(ground)),
        whole: missing.length === 0 && twice.length === 0,
      };
    });
  } finally {
    await field.stop();
    for (const bundle of bundles) cargo.drop(bundle);
  }
}
