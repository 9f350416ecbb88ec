/**
 * Guarantee: hostile datagrams of every kind during a real transfer: the receiver goes on, its memory stays bounded,
 * what is durable is what honest frames made of it, every bundle arrives byte for byte and once, and the goodput is
 * that of the same line without them, measured right before.
 *
 * count = datagrams during the transfer; a tenth more come when it is over. A full run is 10 million. Needs root.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { LANE } from "../test/world.ts";
import { Cargo } from "./cargo.ts";
import { type Bundle, Ferries } from "./ferries.ts";
import { Attacker } from "./hostile/attacker.ts";
import { peakMemory } from "./wire/cpu.ts";
import { until } from "./wire/ends.ts";
import { makeLine } from "./wire/line.ts";

export const FULL_COUNT = 10_000_000;
const BASE = "/dev/shm";
const MTU = 1500;
/** Bytes of the line a second: what one of two processors sends and takes beside the attack. */
const BYTES_PER_SECOND = 6e6;
/** By turns: one that waits for its end in memory, and one whose chunks have tags. */
const BUNDLE_BYTES = [512 * 1024, 1280 * 1024] as const;
const BUNDLE_MEAN = (BUNDLE_BYTES[0] + BUNDLE_BYTES[1]) / 2;
/** The queue is never empty: the line is full. */
const WAITING = 24;
const SECOND_PASS_SECONDS = 6;
/** Before it counts, the line is full and second passes have begun. */
const WARM_UP_MS = (SECOND_PASS_SECONDS + 2) * 1_000;
/** Most in a second: ten times the frames of the transfer. A short run is stretched to {@link ATTACK_LEAST_S}. */
const PER_SECOND = 40_000;
const ATTACK_LEAST_S = 8;
const BASELINE_LONGEST_S = 60;
/** A machine that does much else may take longer over the attack. */
const SLACK = 1.5;
/** A false shard that fits costs its bundle a pass: one in so long is a part of a hundred bundles and less. */
const POISON_EVERY_S = 15;
/** The line is full for as long as bundles are put; then their second passes follow. */
const DRAIN_LIMIT_MS = 900_000;
const LOOK_MS = 100;

export interface HostileReport {
  readonly seed: number;
  readonly datagrams: number;
  /** By kind, those of the end among them. */
  readonly kinds: Readonly<Record<string, number>>;
  /** Frames of the sender that the attacker heard and could make use of. */
  readonly overheard: number;
  readonly perSecond: number;
  readonly bundles: number;
  /** Bytes of bundles delivered a second. */
  readonly goodput: { readonly without: number; readonly with: number };
  /** Part of the goodput that the attack cost; below 0 when there was more. */
  readonly lost: number;
  /** Bundles not there, or not byte for byte. Must be empty. */
  readonly missing: readonly string[];
  /** What the inbox answered other than that it took a bundle. Must be empty. */
  readonly notAccepted: readonly string[];
  /** Bundles that a false shard which fitted cost a pass, at most one for each of them. */
  readonly poisoned: number;
  /** Most that objects, shards and parts took at once, and most memory of the program before and after, in bytes. */
  readonly held: number;
  readonly memory: { readonly before: number; readonly after: number };
  /** Durable files that the attack at the end changed, made or removed. Must be empty. */
  readonly changed: readonly string[];
  /** Datagrams that the kernel dropped for want of buffer. */
  readonly overruns: number;
  readonly rejected: Readonly<Record<string, number>>;
}

const nameOf = (bundle: { readonly bundleId?: Uint8Array | null | undefined }): string =>
  Buffer.from(bundle.bundleId ?? []).toString("hex");

/** Keeps the line full with what was sealed before, so that nothing but the line is measured, and holds every bundle against what arrived. */
class Feed {
  readonly missing: string[] = [];
  readonly #ferries: Ferries;
  readonly #cargo: Cargo;
  readonly #sealed: Bundle[] = [];
  readonly #put: Bundle[] = [];
  #stopped = false;
  #running: Promise<void> | undefined;

  constructor(ferries: Ferries, cargo: Cargo) {
    this.#ferries = ferries;
    this.#cargo = cargo;
  }

  async seal(count: number, seed: number): Promise<void> {
    for (let n = 0; n < count; n += 1) {
      this.#sealed.push(await this.#cargo.seal(BUNDLE_BYTES[n & 1] as number, seed + n, "normal"));
    }
  }

  start(): void {
    this.#running = this.#run();
  }

  get bundles(): number {
    return this.#put.length;
  }

  /** Ids of all that were put, hex. */
  get names(): readonly string[] {
    return this.#put.map(nameOf);
  }

  /** Bytes of bundles delivered so far. */
  get delivered(): number {
    return this.#ferries.at.inbox.delivered.reduce((sum, { size }) => sum + (size ?? 0), 0);
  }

  /** No further ones; resolves when all have arrived. @throws RangeError when the line was not kept full */
  async drained(): Promise<void> {
    if (this.#sealed.length === 0) throw new RangeError("the line ran out of bundles");
    this.#stopped = true;
    await this.#running;
    const { inbox, takenDir } = this.#ferries.at;
    const all = () => (inbox.delivered.length >= this.#put.length ? true : undefined);
    await until("every bundle", DRAIN_LIMIT_MS, all).catch(() => undefined);
    for (const bundle of this.#put) {
      const path = join(takenDir, bundle.file ?? "");
      if (!(await this.#cargo.isWhole(bundle, path).catch(() => false))) {
        this.missing.push(nameOf(bundle));
      }
      rmSync(path, { force: true });
    }
  }

  async #run(): Promise<void> {
    const { inbox } = this.#ferries.at;
    while (!this.#stopped) {
      const waiting = this.#put.length - inbox.delivered.length;
      const bundle = waiting < WAITING ? this.#sealed.shift() : undefined;
      if (bundle === undefined) {
        await delay(LOOK_MS / 10);
        continue;
      }
      this.#ferries.put(bundle, this.#cargo.folder);
      this.#put.push(bundle);
    }
  }
}

/** Everything below a folder but what only tells how things are, with its digest. */
function durable(folder: string): Map<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  return new Map(
    files.flatMap((path) => {
      const name = relative(folder, path);
      // Pictures and the counts of heartbeats and frames, which honest ones move too; their epoch is held to below.
      if (/status\.json|missing|\.tmp|journal/.test(name)) return [];
      const bytes = readIfThere(path);
      if (bytes === undefined) return [];
      const told = name.startsWith("links/") ? epochIn(bytes) : bytes;
      return [[name, createHash("sha256").update(told).digest("hex")] as const];
    }),
  );
}

/** The program runs: what it has removed or renamed since the folder was listed is not there. */
function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function epochIn(bytes: Buffer): string {
  const { sender, epoch } = JSON.parse(bytes.toString()) as { sender: string; epoch: number };
  return `${sender} ${epoch}`;
}

/** What the inbox took is written down a little later. @throws RangeError when it is not */
async function writtenDown(rxState: string, feed: Feed): Promise<void> {
  const log = join(rxState, "lanes", LANE, "done.log");
  await until("the record of every bundle", DRAIN_LIMIT_MS, () => {
    const done = readIfThere(log)?.toString() ?? "";
    return feed.names.every((name) => done.includes(name)) ? true : undefined;
  });
}

async function goodputOf(feed: Feed, work: Promise<unknown>): Promise<number> {
  const from = { bytes: feed.delivered, atMs: performance.now() };
  await work;
  return ((feed.delivered - from.bytes) * 1000) / (performance.now() - from.atMs);
}

export async function drill(options: {
  readonly count: number;
  readonly seed: number;
}): Promise<HostileReport> {
  const { count, seed } = options;
  const seconds = Math.max(ATTACK_LEAST_S, count / PER_SECOND);
  const perSecond = Math.ceil(count / seconds);
  const cargo = new Cargo(BASE);
  const line = makeLine({ mtu: MTU, frames: "together", middle: false });
  let ferries: Ferries | undefined;
  let attacker: Attacker | undefined;
  let watching: NodeJS.Timeout | undefined;
  try {
    ferries = await Ferries.start(line, {
      ...{ rate: BYTES_PER_SECOND, mtu: MTU, base: BASE },
      ...{ secondPassSeconds: SECOND_PASS_SECONDS, tags: true },
    });
    const { inbox, rxState } = ferries.at;
    attacker = await Attacker.start(line, ferries.port, seed);
    const feed = new Feed(ferries, cargo);
    const baseline = Math.min(seconds, BASELINE_LONGEST_S);
    // More than the line can carry in that time.
    const bytes = BYTES_PER_SECOND * (WARM_UP_MS / 1000 + baseline + seconds * SLACK);
    await feed.seal(Math.ceil(bytes / BUNDLE_MEAN) + WAITING, seed);
    feed.start();
    await delay(WARM_UP_MS);
    const without = await goodputOf(feed, delay(baseline * 1000));
    const before = peakMemory(ferries.pid("rx"));
    let held = 0;
    const running = ferries;
    watching = setInterval(() => {
      held = Math.max(held, running.picture("rx")?.heldBytes ?? 0);
    }, LOOK_MS);
    const attacked = attacker.attack({
      count,
      perSecond,
      poison: Math.ceil(seconds / POISON_EVERY_S),
    });
    const goodput = { without, with: await goodputOf(feed, attacked) };
    const during = await attacked;
    await feed.drained();
    await writtenDown(rxState, feed);
    // What honest frames are still sent repeat what has arrived: what changes now, the attack has changed.
    const kept = durable(rxState);
    const after = await attacker.attack({ count: Math.ceil(count / 10), perSecond, poison: 0 });
    const { rx } = await ferries.settled();
    const now = durable(rxState);
    const names = new Set([...kept.keys(), ...now.keys()]);
    return {
      ...{ seed, goodput, held, perSecond },
      datagrams: during.sent + after.sent,
      kinds: after.kinds,
      overheard: after.overheard,
      bundles: feed.bundles,
      lost: 1 - goodput.with / goodput.without,
      missing: feed.missing,
      notAccepted: inbox.answers.filter((answer) => answer !== "accepted"),
      poisoned: after.kinds.poisoned ?? 0,
      memory: { before, after: peakMemory(ferries.pid("rx")) },
      changed: [...names].filter((name) => kept.get(name) !== now.get(name)),
      overruns: rx.received.overruns ?? 0,
      rejected: rx.rejected,
    };
  } finally {
    clearInterval(watching);
    await attacker?.stop();
    await ferries?.stop();
    line.remove();
    cargo.remove();
  }
}
