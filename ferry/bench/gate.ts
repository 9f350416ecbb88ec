/**
 * Guarantee: what the two real ferry programs carry over a line with no way back
 * without losing a frame, with their code on: without a limit of the line at MTU
 * 1500 and 9000, by the fast path and by Node's own sockets, chunks checked by
 * their digest or by tags, beside a bare loop of the same frames and beside
 * udpcast; and how much of a 1 Gb/s line they use.
 *
 * Needs root, iproute2, nftables, ethtool; udpcast for its figures. State lies in
 * memory, so that no disk is measured.
 */
import { Cargo } from "../drills/cargo.ts";
import { cross, randomLoss } from "../drills/crossing.ts";
import { type Bundle, codingShare } from "../drills/ferries.ts";
import { allowReceiveBuffers } from "../drills/receive-memory.ts";
import { hasUdpcast, UDPCAST_BUFFER, udpcastAcross } from "../drills/udpcast.ts";
import { makeLine } from "../drills/wire/line.ts";
import { climb, type Summit } from "./gate/climb.ts";
import { measureFloor, WAYS, type Way } from "./gate-floor.ts";

const BASE = "/dev/shm";
const MTUS = [1500, 9000];
const FULL = { bytes: 1 << 30, halvings: 3 };
const QUICK = { bytes: 128 << 20, halvings: 0 };
/** Some tenths of a second of either program at work. */
const WARM_UP_BYTES = 96 << 20;
/** Wire bytes per second; far beyond what two processors can code. */
const RATES = { first: 150e6, least: 15e6, most: 4e9 };
/** Bits per second of udpcast; asked for more than 2^31 it never begins. */
const BITRATES = { first: 500e6, least: 30e6, most: 2e9 };
/** So late that it never begins within an attempt: what came, came in the first pass. */
const SECOND_PASS_SECONDS = 600;
/** With tags, less of the content than this checked by them says something else than it is called. */
const LEAST_BY_TAG = 0.99;
/** An attempt slower than this is none. */
const SLOWEST_GOODPUT = 12e6;
const START_MS = 15_000;
const LINE_BITS = 1e9;
const LINE_FIGURE = "1500.line-1g";

interface Settings {
  readonly quick: boolean;
  /** Whether a figure was asked for. */
  readonly wanted: (figure: string) => boolean;
  readonly cargo: Cargo;
  readonly bundle: Bundle;
  readonly warmUp: Bundle;
}

/** One way of carrying, and the loop that is its floor. */
interface FerryWay {
  readonly name: string;
  readonly socket: "auto" | "dgram";
  readonly frames: "together" | "cut";
  /** How the receiver knows a chunk to be good: by a tag (SPEC.md §13), else by SM3. */
  readonly tags: boolean;
  readonly floor: string;
}

const FERRY_WAYS: readonly FerryWay[] = [
  { name: "fast", socket: "auto", frames: "together", tags: false, floor: "bare.kept" },
  { name: "fast-tags", socket: "auto", frames: "together", tags: true, floor: "bare.kept" },
  { name: "fast-cut", socket: "auto", frames: "cut", tags: false, floor: "bare.cut" },
  { name: "fast-cut-tags", socket: "auto", frames: "cut", tags: true, floor: "bare.cut" },
  { name: "dgram", socket: "dgram", frames: "together", tags: false, floor: "bare.dgram" },
];

interface Run {
  readonly clean: boolean;
  readonly goodput: number;
  readonly txCpuSeconds: number;
  readonly rxCpuSeconds: number;
}

function limitMs({ bundle }: Settings): number {
  return START_MS + ((bundle.size ?? 0) * 1000) / SLOWEST_GOODPUT;
}

interface Peer {
  readonly name: string;
  readonly value: number;
}

async function ferryOnce(
  settings: Settings,
  mtu: number,
  rate: number,
  { socket, frames, tags }: FerryWay,
  bitsPerSecond?: number,
): Promise<Run> {
  const { cargo, bundle, warmUp } = settings;
  const shaped = bitsPerSecond === undefined ? {} : { bitsPerSecond };
  const line = makeLine({ mtu, frames, middle: false, ...shaped });
  try {
    const options = { rate, mtu, secondPassSeconds: SECOND_PASS_SECONDS, socket, tags, base: BASE };
    const limits = { limitMs: limitMs(settings), untilLoss: true };
    const none = randomLoss(line, 0);
    const crossing = await cross(line, none, options, cargo, bundle, limits, warmUp);
    const { whole, seconds, reported, byTag, txCpuSeconds, rxCpuSeconds } = crossing;
    const asCalled = tags ? byTag >= LEAST_BY_TAG : byTag === 0;
    const goodput = seconds === undefined ? 0 : (bundle.size ?? 0) / 1e6 / seconds;
    process.stderr.write(
      `  ${mtu} ${socket} ${frames}: ${(rate / 1e6).toFixed(0)} MB/s paced, ${goodput.toFixed(0)} MB/s, ${reported} lost, ${(byTag * 100).toFixed(1)} % by tag\n`,
    );
    return { clean: whole && reported === 0 && asCalled, goodput, txCpuSeconds, rxCpuSeconds };
  } finally {
    line.remove();
  }
}

async function udpcastOnce(settings: Settings, mtu: number, bits: number): Promise<Run> {
  const { cargo, bundle } = settings;
  const line = makeLine({ mtu, frames: "together", middle: false });
  try {
    const { whole, seconds, txCpuSeconds, rxCpuSeconds } = await udpcastAcross(
      ...([line, cargo.path(bundle), `${Math.round(bits / 1e6)}m`, BASE] as const),
      limitMs(settings),
      (path) => cargo.isWhole(bundle, path),
    );
    const goodput = (bundle.size ?? 0) / 1e6 / seconds;
    return { clean: whole, goodput, txCpuSeconds, rxCpuSeconds };
  } finally {
    line.remove();
  }
}

async function floorOf(mtu: number, name: string, quick: boolean): Promise<Peer | undefined> {
  const way = WAYS.find((candidate) => candidate.name === name) as Way;
  return { name: `${name} loop`, value: (await measureFloor(mtu, way, quick)).rate };
}

function report(
  settings: Settings,
  figure: string,
  { best, attempts, rate }: Summit<Run>,
  peers: readonly (Peer | undefined)[],
  check?: string,
): void {
  const gigabytes = (settings.bundle.size ?? 0) / 1e9;
  const value = best?.goodput ?? 0;
  const perGigabyte = (cpu = 0) => Number((cpu / gigabytes).toPrecision(3));
  const [sendCpu, receiveCpu] = [perGigabyte(best?.txCpuSeconds), perGigabyte(best?.rxCpuSeconds)];
  const beside = peers.filter((peer) => peer !== undefined && peer.value > 0) as Peer[];
  const ratios = beside.map((peer) => `${(value / peer.value).toFixed(2)} × ${peer.name}`);
  const columns = [
    figure.padEnd(24),
    `${value.toFixed(0)} MB/s`.padStart(10),
    `${sendCpu} + ${receiveCpu} CPU s/GB`.padStart(24),
    ...ratios.map((text) => text.padStart(24)),
  ];
  process.stdout.write(`${columns.join("  ")}\n`);
  const mark = settings.quick ? ".quick" : "";
  const common = { bench: "gate", figure: `gate.${figure}${mark}`, unit: "MB/s", n: attempts };
  const conditions = `Node ${process.version}, veth in two namespaces with no way back, ${settings.bundle.size} bytes, no frame lost, ${check === undefined ? "" : `chunks checked by ${check}, `}state in memory, paced to ${Math.round(rate / 1e6)} MB/s`;
  const own = { value: Number(value.toPrecision(4)), cpu_send: sendCpu, cpu_receive: receiveCpu };
  const lines = beside.length === 0 ? [{}] : beside.map((peer) => against(peer, value));
  for (const line of lines) {
    process.stdout.write(`${JSON.stringify({ ...common, ...own, ...line, conditions })}\n`);
  }
}

function against(peer: Peer, value: number): object {
  return {
    peer: peer.name,
    peer_value: Number(peer.value.toPrecision(4)),
    ratio: Number((value / peer.value).toPrecision(3)),
  };
}

async function unlimited(settings: Settings, mtu: number): Promise<void> {
  const { halvings } = settings.quick ? QUICK : FULL;
  let udpcast: Peer | undefined;
  if (hasUdpcast() && settings.wanted(`${mtu}.udpcast`)) {
    const best = await climb(BITRATES, halvings, (bits) => udpcastOnce(settings, mtu, bits));
    report(settings, `${mtu}.udpcast`, { ...best, rate: best.rate / 8 }, []);
    udpcast = { name: "udpcast", value: best.best?.goodput ?? 0 };
  }
  for (const way of FERRY_WAYS) {
    if (!settings.wanted(`${mtu}.${way.name}`)) continue;
    const bare = await floorOf(mtu, way.floor, settings.quick);
    const best = await climb(RATES, halvings, (rate) => ferryOnce(settings, mtu, rate, way));
    report(settings, `${mtu}.${way.name}`, best, [bare, udpcast], checkOf(way));
  }
}

const checkOf = ({ tags }: FerryWay): string => (tags ? "tag" : "SM3");

/** A line of 1 Gb/s: how much of what line and code allow is used. */
async function shaped(settings: Settings): Promise<void> {
  const rate = LINE_BITS / 8;
  const way = FERRY_WAYS[0] as FerryWay;
  const run = await ferryOnce(settings, 1500, rate, way, LINE_BITS);
  const best = run.clean ? run : undefined;
  const share = { name: "line × code", value: (rate / 1e6) * codingShare(1500) };
  report(settings, LINE_FIGURE, { best, rate, attempts: 1 }, [share], checkOf(way));
}

/**
 * Prints a row and JSON lines for each figure, or for those that match the pattern behind `--only`,
 * as in `--only '1500.(fast|udpcast)$'`: all of them take half an hour.
 */
export async function run({ quick }: { quick: boolean }): Promise<void> {
  if (process.getuid?.() !== 0) {
    process.stderr.write("gate 需要 root（网络命名空间） | needs root, for network namespaces\n");
    process.exitCode = 2;
    return;
  }
  const restore = allowReceiveBuffers(UDPCAST_BUFFER);
  const cargo = new Cargo(BASE);
  try {
    const bundle = await cargo.seal((quick ? QUICK : FULL).bytes, 1);
    const warmUp = await cargo.seal(WARM_UP_BYTES, 2);
    const at = process.argv.indexOf("--only");
    const pattern = new RegExp(at < 0 ? "" : (process.argv[at + 1] ?? ""));
    const wanted = (figure: string) => pattern.test(figure);
    const settings = { quick, wanted, cargo, bundle, warmUp };
    for (const mtu of MTUS) await unlimited(settings, mtu);
    if (wanted(LINE_FIGURE)) await shaped(settings);
  } finally {
    cargo.remove();
    restore();
  }
}

if (import.meta.main) await run({ quick: process.argv.includes("--quick") });
