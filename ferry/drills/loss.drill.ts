/**
 * Guarantee: one large bundle crosses a 1 Gb/s line with no way back, whole,
 * through every kind of loss the ferry is made for, within one repeated pass,
 * and the receiver's account of lost frames is what was lost, to the frame;
 * udpcast with its own code is tried on the same line beside it.
 *
 * count = MiB of the bundle; a full run is 1 GiB. Needs root; udpcast (Debian
 * package) for the comparison.
 */
import { FRAME_HEADER } from "../src/frame.ts";
import { Cargo } from "./cargo.ts";
import { type Crossing, cross, forwarderLoss, type Loss, randomLoss } from "./crossing.ts";
import { frameSizeOf } from "./ferries.ts";
import { allowReceiveBuffers } from "./receive-memory.ts";
import { hasUdpcast, UDPCAST_BUFFER, type UdpcastCrossing, udpcastAcross } from "./udpcast.ts";
import { type Line, makeLine } from "./wire/line.ts";
import type { LossModel } from "./wire/loss-model.ts";

export const FULL_COUNT = 1024;
const MIB = 1 << 20;
/** Memory, so that the line and not the disk is what is seen. */
const BASE = "/dev/shm";
const MTU = 1500;
const LINE_BITS = 1e9;
/** Gap, preamble and checksum of Ethernet, which the pacer counts and the shaper does not, leave the shaper idle. */
const LINE_BYTES_PER_SECOND = LINE_BITS / 8;
const UDPCAST_BITRATE = "950m";
/** Time for finishing the first pass of the full count before the second would bring the same again … */
const SECOND_PASS_SECONDS = 10;
/** … and of a short one, on a machine that does much else. */
const SECOND_PASS_AT_LEAST_SECONDS = 3;
/** For a line at a quarter of its rate, both passes, and starting up. */
const SLOWEST_BYTES_PER_SECOND = 30e6;
const PATIENCE_MS = 60_000;
/** Frames before the hole: in the middle of whatever is carried. */
const HOLE = { after: 5_000, frames: 1_000 };

export interface Profile {
  readonly name: string;
  /** Random loss by a rule of the kernel at the receiving end. */
  readonly random?: number;
  /** Loss by the forwarder in the middle; null: it loses nothing. */
  readonly model?: LossModel | null;
}

export function profiles(seed: number): readonly Profile[] {
  return [
    { name: "none", random: 0 },
    { name: "none, forwarder", model: null },
    { name: "random 0.1 %", random: 0.001 },
    { name: "random 1 %", random: 0.01 },
    { name: "random 5 %", random: 0.05 },
    { name: "bursts of 20, 1 %", model: { kind: "bursts", share: 0.01, meanFrames: 20, seed } },
    { name: "bursts of 200, 1 %", model: { kind: "bursts", share: 0.01, meanFrames: 200, seed } },
    { name: "hole of 1,000", model: { kind: "hole", ...HOLE } },
  ];
}

export interface LossRow extends Crossing {
  readonly profile: string;
  /** MB of bundle per second, from lease to delivery. */
  readonly goodput: number;
  /** Frames sent for each frame that the bundle fills, less one: code, manifests, heartbeats, the repeat. */
  readonly overhead: number;
  readonly udpcast: (UdpcastCrossing & { readonly goodput: number }) | undefined;
}

interface Ground {
  readonly line: Line;
  readonly loss: Loss;
}

async function prepare(profile: Profile): Promise<Ground> {
  const middle = profile.model !== undefined;
  const line = makeLine({ mtu: MTU, frames: "single", middle, bitsPerSecond: LINE_BITS });
  const { random, model } = profile;
  try {
    const loss =
      random === undefined
        ? await forwarderLoss(line, model ?? undefined)
        : randomLoss(line, random);
    return { line, loss };
  } catch (error) {
    line.remove();
    throw error;
  }
}

async function onLine<T>(profile: Profile, run: (ground: Ground) => Promise<T>): Promise<T> {
  const ground = await prepare(profile);
  try {
    return await run(ground);
  } finally {
    await ground.loss.close();
    ground.line.remove();
  }
}

function print(row: LossRow): void {
  const { profile, whole, passes, goodput, overhead, udpcast } = row;
  const { injected, reported, restored, frames } = row;
  const other =
    udpcast === undefined
      ? "–"
      : udpcast.whole
        ? `${udpcast.goodput.toFixed(0)} MB/s`
        : `✗ ${(100 * udpcast.written).toFixed(1)} %`;
  const columns = [
    profile.padEnd(20),
    (whole ? `${goodput.toFixed(1)} MB/s` : "✗").padStart(11),
    `${passes} pass`.padStart(7),
    `${injected} lost`.padStart(14),
    `${reported} reported`.padStart(18),
    `${restored ?? "?"} restored`.padStart(18),
    `of ${frames} frames`.padStart(18),
    `+${(100 * overhead).toFixed(1)} %`.padStart(9),
    `udpcast ${other}`.padStart(18),
  ];
  process.stderr.write(`${columns.join("  ")}\n`);
}

export interface LossOptions {
  readonly count: number;
  readonly seed: number;
  /** Names of profiles; all without it. */
  readonly only?: readonly string[];
  readonly beside?: boolean;
}

/** One row for each profile, printed as it is known. */
export async function drill({ count, seed, only, beside = true }: LossOptions): Promise<LossRow[]> {
  const restore = allowReceiveBuffers(UDPCAST_BUFFER);
  const cargo = new Cargo(BASE);
  const rows: LossRow[] = [];
  const compare = beside && hasUdpcast();
  try {
    const bundle = await cargo.seal(count * MIB, seed);
    const size = bundle.size ?? 0;
    const limitMs = PATIENCE_MS + (2 * size * 1000) / SLOWEST_BYTES_PER_SECOND;
    const settings = {
      ...{ rate: LINE_BYTES_PER_SECOND, mtu: MTU, base: BASE },
      secondPassSeconds: Math.max(
        SECOND_PASS_AT_LEAST_SECONDS,
        Math.ceil((SECOND_PASS_SECONDS * count) / FULL_COUNT),
      ),
    };
    for (const profile of profiles(seed)) {
      if (only !== undefined && !only.includes(profile.name)) continue;
      const crossing = await onLine(profile, ({ line, loss }) =>
        cross(line, loss, settings, cargo, bundle, { limitMs }),
      );
      const other = compare
        ? await onLine(profile, async ({ line, loss }) => {
            await loss.begin();
            return await udpcastAcross(
              ...([line, cargo.path(bundle), UDPCAST_BITRATE, BASE, limitMs] as const),
              (path) => cargo.isWhole(bundle, path),
            );
          })
        : undefined;
      const megabytes = size / 1e6;
      const least = Math.ceil(size / (frameSizeOf(MTU) - FRAME_HEADER));
      const row = {
        profile: profile.name,
        goodput: crossing.seconds === undefined ? 0 : megabytes / crossing.seconds,
        overhead: crossing.frames / least - 1,
        ...crossing,
        udpcast: other === undefined ? undefined : { ...other, goodput: megabytes / other.seconds },
      };
      print(row);
      rows.push(row);
    }
    return rows;
  } finally {
    cargo.remove();
    restore();
  }
}
