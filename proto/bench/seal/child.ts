/**
 * Guarantee: one case in a process of its own, so that its environment chooses
 * the libraries and its processor seconds and peak memory are its alone, workers
 * included. Takes the case as JSON, prints the measurements as JSON.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import {
  closeBundleWorkers,
  openBundle,
  openBundleWorkers,
  readHeader,
  sealBundle,
  verifyChunks,
  verifyHeader,
} from "../../src/bundle/index.ts";
import { loadProvider, type SmProvider } from "../../src/sm/index.ts";
import { type BenchProvider, bareThreads, bareWork } from "./bare.ts";
import { type Workload, workload } from "./workload.ts";

export interface Case {
  readonly provider: BenchProvider;
  /** 0: everything on the calling thread. */
  readonly workers: number;
  /** Items of each bundle. */
  readonly bundles: readonly number[];
  /** Bytes of each item. */
  readonly size: number;
  readonly rounds: number;
  readonly folder: string;
  /** Bare sums beside seal and open. */
  readonly bare: boolean;
  /** Leaves out the verification of chunks without a key. */
  readonly onlySealAndOpen?: boolean;
  /** Leaves out opening, too. */
  readonly onlySeal?: boolean;
}

/** Seconds of one round. */
export interface Timing {
  readonly wall: number;
  readonly cpu: number;
}

export type Step = "seal" | "open" | "verify" | "bareSeal" | "bareOpen" | "bareItem";

export interface Report {
  readonly bulk: string;
  readonly timings: Readonly<Partial<Record<Step, readonly Timing[]>>>;
  /** Content bytes of one round. */
  readonly bytes: number;
  /** Peak resident set of the process, MB. */
  readonly rssMax: number;
}

async function timed(body: () => Promise<void>): Promise<Timing> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await body();
  const { user, system } = process.cpuUsage(cpu);
  return { wall: (performance.now() - start) / 1e3, cpu: (user + system) / 1e6 };
}

function verified(provider: SmProvider, { keys, now, context }: Workload, path: string) {
  return readHeader(path).then((received) =>
    verifyHeader(provider, received, { now, keys, ...context }),
  );
}

async function open(provider: SmProvider, work: Workload, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const bundle = await verified(provider, work, path);
    for await (const item of openBundle(provider, bundle, work.decryptKey)) {
      for await (const _ of item.content);
    }
  }
}

async function measure(given: Case): Promise<Report> {
  const provider = loadProvider(given.provider);
  const work = workload(provider, given.bundles, given.size);
  const items = given.bundles.flatMap((count) => Array<number>(count).fill(given.size));
  const bytes = items.reduce((sum, size) => sum + size, 0);
  const paths = work.inputs.map((_, index) => join(given.folder, `${index}.lfb`));
  const timings: Partial<Record<Step, Timing[]>> = {};
  const add = async (step: Step, body: () => Promise<void>): Promise<void> => {
    timings[step] = [...(timings[step] ?? []), await timed(body)];
  };
  await openBundleWorkers(given.workers);
  const threads =
    given.bare && given.workers > 0 ? await bareThreads(given.provider, given.workers) : undefined;
  // One small bundle takes the workers and the compiler into use before anything is timed.
  const warm = workload(provider, [1], Math.min(given.size, 16 * 1024 * 1024));
  const warmPath = join(given.folder, "warm.lfb");
  for (const input of warm.inputs) await sealBundle(provider, input, warmPath);
  await open(provider, warm, [warmPath]);
  rmSync(warmPath);
  let plaintext = bytes;
  for (let round = 0; round < given.rounds; round += 1) {
    await add("seal", async () => {
      for (const [index, input] of work.inputs.entries()) {
        const { header } = await sealBundle(provider, input, paths[index] ?? "");
        if (index === 0) plaintext = 0;
        plaintext += header.plaintextSize;
      }
    });
    if (given.onlySeal !== true) await add("open", () => open(provider, work, paths));
    if (given.onlySealAndOpen !== true) {
      const bundles = await Promise.all(paths.map((path) => verified(provider, work, path)));
      await add("verify", async () => {
        for (const bundle of bundles) await verifyChunks(provider, bundle);
      });
    }
    if (given.bare) {
      const bare = { plaintext, items };
      await add("bareSeal", () => bareWork(provider, { ...bare, job: "seal" }, threads));
      await add("bareOpen", () => bareWork(provider, { ...bare, job: "open" }, threads));
      // The item digests alone, to tell them from the sum.
      const none = { plaintext: 0, items, job: "seal" } as const;
      await add("bareItem", () => bareWork(provider, none, undefined));
    }
    for (const path of paths) rmSync(path);
  }
  await closeBundleWorkers();
  await threads?.close();
  const rssMax = process.resourceUsage().maxRSS / 1e3;
  return { bulk: provider.bulk, timings, bytes, rssMax };
}

const [, , given] = process.argv;
if (import.meta.main && given !== undefined) {
  process.stdout.write(JSON.stringify(await measure(JSON.parse(given) as Case)));
}
