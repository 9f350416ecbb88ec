/**
 * Guarantee: what a link can carry follows from its settings by the formulas of README.md, "What a link can
 * carry", and nothing else; the geometry is that of the programs themselves. Nothing is measured here.
 * Tags (SPEC.md §13) are left out: less than a thousandth of a pass at MTU 1500.
 */
import { FRAME_HEADER } from "./frame.ts";
import { WIRE_OVERHEAD } from "./gate/gate.ts";
import { SET_ID_BYTES } from "./manifest-parts.ts";
import { type Code, Geometry } from "./object.ts";
import { MANIFEST_EVERY } from "./tx/pass.ts";

/** A signed manifest with names of ordinary length (the vectors': 242; a name of a lane or node may have 64 more). */
export const MANIFEST_BYTES = 300;
/** Heartbeats of a second: 2 of 270 bytes with a stream each, one in ten with a chain of 1,093 (SPEC.md §5), and their headers. */
const HEARTBEAT_WIRE = 2 * (270 + 110 + FRAME_HEADER + WIRE_OVERHEAD);
/** Of a full line, for further passes while first ones wait (SPEC.md §4). */
const REPEAT_SHARE = 0.1;
/** The sending side refuses new work above this part of its disk unless told otherwise. */
const HIGH_WATER = 0.8;
const DAY = 86_400;

export interface PlanInput {
  /** Bits per second of the line. */
  readonly lineBits: number;
  /** UDP payload of a full frame in bytes. */
  readonly frameSize: number;
  readonly code: Code;
  /** Passes of every bundle. */
  readonly passes: number;
  /** Part of the line that is left free, 0 … 1. */
  readonly reserve: number;
  /** Bytes of a bundle of ordinary size. */
  readonly bundleBytes: number;
  /** Bytes of bundles in a day. */
  readonly dailyBytes: number;
  readonly outageSeconds: number;
  /** How long what was sent is kept for repair. */
  readonly horizonSeconds: number;
  /** Part of all frames that the line loses, each by itself. */
  readonly loss: number;
}

export interface Plan {
  /** For `gate.rateBytesPerSecond`. */
  readonly rateBytesPerSecond: number;
  /** Bytes of bundles to bytes on the line, of one pass. */
  readonly efficiency: number;
  /** Of bundles, when every pass keeps up. */
  readonly goodBytesPerSecond: number;
  /** Of bundles, while further passes wait for their turn. */
  readonly firstBytesPerSecond: number;
  readonly dailyBytes: number;
  /** Part of the sustained goodput that the daily volume takes. */
  readonly load: number;
  readonly outage: {
    /** What has come together when the line is back. */
    readonly waitingBytes: number;
    /** Until all of it has been sent once; undefined: never. */
    readonly drainSeconds: number | undefined;
    /** Until its further passes are over too; undefined: never. */
    readonly settledSeconds: number | undefined;
  };
  readonly spool: {
    /** Bundles waiting and kept for repair. */
    readonly bytes: number;
    /** Of the file system, with the part that stays free. */
    readonly diskBytes: number;
  };
  /** Consecutive frames that may be lost and are restored without another pass. */
  readonly bursts: readonly {
    readonly what: "bundle" | "block";
    readonly frames: number;
    readonly ms: number;
  }[];
  readonly random: {
    /** That a full group lacks something after the first pass … */
    readonly groupFails: number;
    /** … that a bundle does … */
    readonly bundleFails: number;
    /** … and that it still does after all passes. */
    readonly bundleLost: number;
  };
}

/** What one pass of a bundle is on the line. */
export interface PassCost {
  readonly frames: number;
  /** Ethernet included. */
  readonly wireBytes: number;
}

export function passCost(
  geometry: Geometry,
  frameSize: number,
  manifestBytes = MANIFEST_BYTES,
): PassCost {
  const parityBytes = (group: number): number =>
    geometry.parityShards(group) * geometry.codedLength(group);
  const shardsOf = (group: number): number =>
    geometry.dataShards(group) + geometry.parityShards(group);
  const last = geometry.groups - 1;
  const shards = last * shardsOf(0) + shardsOf(last);
  // Before the first shard, after every 1,024 that are not the last, and after the last.
  const copies = 1 + Math.ceil(shards / MANIFEST_EVERY);
  const parts = Math.ceil(manifestBytes / (frameSize - FRAME_HEADER - SET_ID_BYTES));
  const frames = shards + copies * parts;
  const payload =
    geometry.size +
    last * parityBytes(0) +
    parityBytes(last) +
    copies * (manifestBytes + parts * SET_ID_BYTES);
  return { frames, wireBytes: payload + frames * (FRAME_HEADER + WIRE_OVERHEAD) };
}

export function planOf(input: PlanInput): Plan {
  const { lineBits, frameSize, code, passes, reserve, bundleBytes, dailyBytes } = input;
  const geometry = new Geometry(bundleBytes, frameSize - FRAME_HEADER, code);
  const rate = Math.floor((lineBits / 8) * (1 - reserve));
  const efficiency = bundleBytes / passCost(geometry, frameSize).wireBytes;
  const once = Math.max(0, rate - HEARTBEAT_WIRE) * efficiency;
  const good = once / passes;
  const first = passes === 1 ? once : once * (1 - REPEAT_SHARE);
  const arriving = dailyBytes / DAY;
  const waitingBytes = arriving * input.outageSeconds;
  const drainSeconds = first > arriving ? waitingBytes / (first - arriving) : undefined;
  const bytes = waitingBytes + arriving * input.horizonSeconds;
  return {
    rateBytesPerSecond: rate,
    efficiency,
    goodBytesPerSecond: good,
    firstBytesPerSecond: first,
    dailyBytes: good * DAY,
    load: arriving / good,
    outage: { waitingBytes, drainSeconds, settledSeconds: settled(input, once, drainSeconds) },
    spool: { bytes, diskBytes: bytes / HIGH_WATER },
    bursts: burstsOf(input, geometry, rate),
    random: randomLoss(input, geometry),
  };
}

/** First passes first; meanwhile further ones have their share, then all that is left. */
function settled(
  { passes, dailyBytes, outageSeconds }: PlanInput,
  once: number,
  drainSeconds: number | undefined,
): number | undefined {
  const arriving = dailyBytes / DAY;
  if (drainSeconds === undefined) return undefined;
  if (passes === 1) return drainSeconds;
  const owed = (passes - 1) * arriving * (outageSeconds + drainSeconds);
  const left = Math.max(0, owed - once * REPEAT_SHARE * drainSeconds);
  if (left === 0) return drainSeconds;
  const room = once - passes * arriving;
  return room > 0 ? drainSeconds + left / room : undefined;
}

/** SPEC.md §4.1, for a bundle whose shards follow one another alone on the line, and for any block of full groups. */
function burstsOf({ frameSize }: PlanInput, bundle: Geometry, rate: number): Plan["bursts"] {
  const frameMs = ((frameSize + WIRE_OVERHEAD) / rate) * 1000;
  const of = (what: "bundle" | "block", frames: number) => ({ what, frames, ms: frames * frameMs });
  const block = fullParity(bundle) * bundle.blockGroups;
  const lastGroups = ((bundle.groups - 1) % bundle.blockGroups) + 1;
  const last = burstOfLast(bundle, lastGroups);
  return [
    of("bundle", lastGroups < bundle.groups ? Math.min(block, last) : last),
    of("block", block),
  ];
}

function fullParity({ groupBytes, shardSize, code }: Geometry): number {
  return new Geometry(groupBytes, shardSize, code).parityShards(0);
}

/** A short group has less parity, and is over before the others, which then follow one another closer. */
function burstOfLast(bundle: Geometry, groups: number): number {
  const last = bundle.groups - 1;
  const m = bundle.parityShards(last);
  if (bundle.groupLength(last) === bundle.groupBytes || groups === 1) return m * groups;
  return Math.min(fullParity(bundle) * (groups - 1), m * groups);
}

/** A group lacks something when more than m of its k + m shards are lost; what a pass brought stays. */
function randomLoss({ loss, passes }: PlanInput, geometry: Geometry): Plan["random"] {
  const last = geometry.groups - 1;
  const fails = (group: number, share: number): number =>
    moreThan(geometry.dataShards(group), geometry.parityShards(group), share);
  // 1 − (1 − a)^n (1 − b), also where a and b are far below what 1 − a tells apart.
  const ofBundle = (share: number): number =>
    -Math.expm1(last * Math.log1p(-fails(0, share)) + Math.log1p(-fails(last, share)));
  return {
    groupFails: fails(0, loss),
    bundleFails: ofBundle(loss),
    bundleLost: ofBundle(loss ** passes),
  };
}

/** Chance that of k + m shards, each lost with chance p, more than m are: the tail of a binomial distribution. */
function moreThan(k: number, m: number, p: number): number {
  if (p <= 0) return 0;
  const n = k + m;
  let term = n * Math.log1p(-p);
  let tail = 0;
  for (let lost = 0; lost <= n; lost += 1) {
    if (lost > m) tail += Math.exp(term);
    term += Math.log((n - lost) / (lost + 1)) + Math.log(p) - Math.log1p(-p);
  }
  return Math.min(1, tail);
}
