/**
 * Guarantee: how long urgent bundles of 64 KiB take from the outbox to the inbox
 * while bulk fills a 1 Gb/s line, one after the other at random moments: with all
 * state in memory, then on the disk of the temporary folder, so that what the
 * disk's syncs take is seen; and in memory on an empty line, what the way itself
 * takes on this machine.
 *
 * count = urgent bundles; a full run is 200. Needs root.
 */
import { tmpdir } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { Cargo } from "./cargo.ts";
import { type Bundle, Ferries } from "./ferries.ts";
import { until } from "./wire/ends.ts";
import { makeLine } from "./wire/line.ts";
import { seeded } from "./wire/loss-model.ts";

export const FULL_COUNT = 200;
const URGENT_BYTES = 64 * 1024;
const MEMORY = "/dev/shm";
const LINE_BITS = 1e9;
const LINE_BYTES_PER_SECOND = LINE_BITS / 8;
const MTU = 1500;
/** Between two urgent bundles: at random up to this. */
const PAUSE_MS = 80;
/** Time of one sample for which there must be bulk, pause and bundle. */
const BULK_MS_PER_SAMPLE = 120;
/** Before the first sample: bulk leased, checked and on the line. */
const LEAD_MS = 2_000;
const BULK_BYTES = 256 << 20;
const SAMPLE_LIMIT_MS = 30_000;

export interface Latency {
  readonly where: "memory" | "disk";
  readonly line: "full" | "empty";
  readonly samples: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** MB of wire a second in the sender's account while samples were taken: is the line full? */
  readonly lineMegabytes: number;
}

function quantile(sorted: readonly number[], share: number): number {
  const at = Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1);
  return sorted[at] ?? Number.NaN;
}

async function sample(
  ferries: Ferries,
  cargo: Cargo,
  urgent: readonly Bundle[],
  seed: number,
): Promise<number[]> {
  const chance = seeded(seed);
  const { inbox } = ferries.at;
  const taken: number[] = [];
  for (const bundle of urgent) {
    await delay(chance() * PAUSE_MS);
    const id = Buffer.from(bundle.bundleId ?? []).toString("hex");
    const from = performance.now();
    ferries.put(bundle, cargo.folder);
    const at = await until(`urgent bundle ${taken.length}`, SAMPLE_LIMIT_MS, () => {
      const index = inbox.delivered.findLastIndex(
        (request) => Buffer.from(request.bundleId ?? []).toString("hex") === id,
      );
      return inbox.deliveredAt[index];
    });
    taken.push(at - from);
  }
  return taken;
}

async function measure(
  where: Latency["where"],
  filled: Latency["line"],
  count: number,
  seed: number,
): Promise<Latency> {
  const base = where === "memory" ? MEMORY : tmpdir();
  const cargo = new Cargo(base);
  const line = makeLine({ mtu: MTU, frames: "single", middle: false, bitsPerSecond: LINE_BITS });
  let ferries: Ferries | undefined;
  try {
    const needed = ((LEAD_MS + count * BULK_MS_PER_SAMPLE) / 1000) * LINE_BYTES_PER_SECOND;
    const bulk: Bundle[] = [];
    // The second passes, which follow at once, double it.
    const enough = filled === "full" ? needed / 2 + BULK_BYTES : 0;
    for (let bytes = 0; bytes < enough; bytes += BULK_BYTES) {
      bulk.push(await cargo.seal(BULK_BYTES, seed + bulk.length, "bulk"));
    }
    const urgent: Bundle[] = [];
    for (let index = 0; index < count; index += 1) {
      urgent.push(await cargo.seal(URGENT_BYTES, seed + 1_000 + index, "urgent"));
    }
    const settings = { rate: LINE_BYTES_PER_SECOND, mtu: MTU, secondPassSeconds: 0, base };
    ferries = await Ferries.start(line, settings);
    for (const bundle of bulk) ferries.put(bundle, cargo.folder);
    await delay(LEAD_MS);
    const begun = { at: performance.now(), bytes: line.sentBytes() };
    const sorted = (await sample(ferries, cargo, urgent, seed)).sort((a, b) => a - b);
    const seconds = (performance.now() - begun.at) / 1000;
    return {
      ...{ where, line: filled, samples: sorted.length },
      ...{ p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) },
      max: sorted.at(-1) ?? Number.NaN,
      lineMegabytes: (line.sentBytes() - begun.bytes) / seconds / 1e6,
    };
  } finally {
    await ferries?.stop();
    line.remove();
    cargo.remove();
  }
}

export async function drill(options: {
  readonly count: number;
  readonly seed: number;
}): Promise<readonly Latency[]> {
  return [
    await measure("memory", "full", options.count, options.seed),
    await measure("disk", "full", options.count, options.seed),
    await measure("memory", "empty", options.count, options.seed),
  ];
}
