/**
 * Guarantee: one side of a wall-clock comparison: seals the same bundle once for
 * every line that it is sent, on the cores that it was started on, and says what
 * the round took. Its first words are "ready", after a round that nobody counts.
 */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { closeBundleWorkers, openBundleWorkers, sealBundle } from "../../src/bundle/index.ts";
import { loadProvider } from "../../src/sm/index.ts";
import { workload } from "./workload.ts";

export interface ScaleCase {
  readonly folder: string;
  /** Items of the bundle. */
  readonly items: number;
  /** Bytes of each item. */
  readonly size: number;
  /** Absent: as many as a service starts here. */
  readonly workers?: number;
}

/** Seconds of one round. */
export interface ScaleRound {
  readonly wall: number;
  /** Of the whole process. */
  readonly cpu: number;
  /** Cores that others had meanwhile, by the system's own count. */
  readonly others: number;
}

/** Jiffies of /proc/stat a second: USER_HZ of every Linux on x86 and arm. */
const USER_HZ = 100;
/** Places of idle and iowait behind "cpu" in /proc/stat. */
const IDLE_PLACES: ReadonlySet<number> = new Set([3, 4]);
/** guest and guest_nice stand in user and nice already. */
const PLACES = 8;

/** Seconds that all cores were busy since the start of the machine, time stolen by its host included. */
function busySeconds(): number {
  const [line = ""] = readFileSync("/proc/stat", "utf8").split("\n");
  const jiffies = line.split(/\s+/).slice(1, PLACES + 1);
  return (
    jiffies.reduce((sum, n, place) => sum + (IDLE_PLACES.has(place) ? 0 : Number(n)), 0) / USER_HZ
  );
}

async function serve({ folder, items, size, workers }: ScaleCase): Promise<void> {
  const provider = loadProvider("openssl");
  await openBundleWorkers(workers);
  const [input] = workload(provider, [items], size).inputs;
  if (input === undefined) return;
  const path = join(folder, `${process.pid}.lfb`);
  const round = async (): Promise<ScaleRound> => {
    const [before, busy] = [process.cpuUsage(), busySeconds()];
    const start = performance.now();
    await sealBundle(provider, input, path);
    const wall = (performance.now() - start) / 1e3;
    const { user, system } = process.cpuUsage(before);
    const cpu = (user + system) / 1e6;
    const others = Math.max(0, busySeconds() - busy - cpu) / wall;
    rmSync(path);
    return { wall, cpu, others };
  };
  await round();
  process.stdout.write("ready\n");
  for await (const _ of createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await round())}\n`);
  }
  await closeBundleWorkers();
}

const [, , given] = process.argv;
if (import.meta.main && given !== undefined) await serve(JSON.parse(given) as ScaleCase);
