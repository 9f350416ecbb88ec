/**
 * Guarantee: what the machine lets through a one-way link without loss, in a
 * bare loop of the frames that the ferry sends, and in the ferry's own driver
 * without its protocol: MTU 1500 and 9000; bursts kept together, cut in software
 * before they leave, and by Node's own sockets. Other benches import
 * {@link measureFloor} so that a floor is from the same run as what stands on it.
 *
 * Needs root, iproute2, nftables and ethtool.
 */
import { readFileSync } from "node:fs";
import { makeLine } from "../drills/wire/line.ts";
import { DEFAULT_FRAME_SIZE, MAX_FRAME_SIZE } from "../src/frame.ts";
import { type Floor, findFloor, runStep } from "./gate-floor/step.ts";
import type { Task } from "./gate-floor/task.ts";

/** A full frame of a link with this MTU. */
const FRAME_SIZES: ReadonlyMap<number, number> = new Map([
  [1500, DEFAULT_FRAME_SIZE],
  [9000, MAX_FRAME_SIZE],
]);

/** One way of moving the frames. */
export interface Way {
  readonly name: string;
  readonly by: Task["by"];
  /** Bursts are cut in software before they leave. */
  readonly cut: boolean;
}

export const WAYS: readonly Way[] = [
  { name: "bare.kept", by: "bare", cut: false },
  { name: "bare.cut", by: "bare", cut: true },
  { name: "bare.dgram", by: "dgram", cut: false },
  { name: "gate.kept", by: "gate", cut: false },
  { name: "gate.cut", by: "gate", cut: true },
];

const FULL = { milliseconds: 1_500, halvings: 4 };
const QUICK = { milliseconds: 300, halvings: 1 };

/**
 * The highest pace without loss on a line with this MTU.
 * @throws Error when a process of a step fails
 */
export async function measureFloor(mtu: number, way: Way, quick: boolean): Promise<Floor> {
  const { milliseconds, halvings } = quick ? QUICK : FULL;
  const frameSize = FRAME_SIZES.get(mtu) ?? DEFAULT_FRAME_SIZE;
  const line = makeLine({ mtu, frames: way.cut ? "cut" : "together", middle: false });
  try {
    return await findFloor(
      (rate) => runStep(line, way.by, frameSize, rate, milliseconds),
      halvings,
    );
  } finally {
    line.remove();
  }
}

function print(mtu: number, way: Way, floor: Floor, quick: boolean): void {
  const { step } = floor;
  const perGigabyte = (cpu = 0, bytes = 1): number => Number(((cpu * 1e9) / bytes).toPrecision(3));
  const sendCpu = perGigabyte(step?.sent.cpu, step?.sent.bytes);
  const receiveCpu = perGigabyte(step?.received.cpu, step?.received.bytes);
  const rmemMax = readFileSync("/proc/sys/net/core/rmem_max", "latin1").trim();
  const columns = [
    `${mtu}`.padStart(4),
    way.name.padEnd(10),
    `${Math.round(floor.rate)} MB/s`.padStart(10),
    `${sendCpu} / ${receiveCpu} CPU s per GB`.padStart(28),
    `${(step?.framesPerPacket ?? 0).toFixed(1)} frames per packet`,
  ];
  process.stdout.write(`${columns.join("  ")}\n`);
  const line = {
    bench: "gate-floor",
    figure: `gate-floor.${mtu}.${way.name}${quick ? ".quick" : ""}`,
    value: Number(floor.rate.toPrecision(4)),
    unit: "MB/s",
    cpu_send: sendCpu,
    cpu_receive: receiveCpu,
    frames_per_packet: Number((step?.framesPerPacket ?? 0).toPrecision(3)),
    n: floor.steps,
    conditions: `Node ${process.version}, veth in two namespaces, frames of ${FRAME_SIZES.get(mtu)} bytes, 32 MiB receive buffer asked (dgram: at most rmem_max ${rmemMax}), no frame lost`,
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** Prints a row and a JSON object per figure. @param quick shorter steps, other figure names */
export async function run({ quick }: { quick: boolean }): Promise<void> {
  if (process.getuid?.() !== 0) {
    process.stderr.write(
      "gate-floor 需要 root（网络命名空间） | needs root, for network namespaces\n",
    );
    process.exitCode = 2;
    return;
  }
  for (const mtu of FRAME_SIZES.keys()) {
    for (const way of WAYS) print(mtu, way, await measureFloor(mtu, way, quick), quick);
  }
}

if (import.meta.main) await run({ quick: process.argv.includes("--quick") });
