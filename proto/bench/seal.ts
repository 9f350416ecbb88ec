/**
 * Guarantee: what sealing and opening cost beside the bare sum of what the
 * format makes necessary (bench/seal/bare.ts), beside the same work with OpenSSL
 * alone, and with sm-crypto. Rates are content bytes per processor second of the
 * whole process, workers included; every case is a process of its own, its
 * rounds alternate with those of its bare sum, and the median round counts.
 * `--scale` compares one core and two by wall clock (bench/seal/scale.ts).
 * `--size 20GB` seals and opens one streamed item of that size (`--seal-only`
 * leaves out opening) and reports the peak of memory.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { GatewayError } from "../src/errors/index.ts";
import type { Case, Report, Step } from "./seal/child.ts";
import { scale } from "./seal/scale.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const CHILD = fileURLToPath(new URL("./seal/child.ts", import.meta.url));
/** What the product seals at most under one signature. */
const BUNDLE_ITEMS = 1024;
const OPENSSL_ALONE = { LIGHTFERRY_SM4_BULK: "openssl", LIGHTFERRY_SM3_LANES: "off" };

interface Load {
  readonly name: string;
  readonly bundles: readonly number[];
  readonly size: number;
  /** The same for sm-crypto, which is slower by far. */
  readonly small: { readonly bundles: readonly number[]; readonly size: number };
}

function bundlesOf(items: number): number[] {
  const counts: number[] = [];
  for (let left = items; left > 0; left -= BUNDLE_ITEMS) counts.push(Math.min(BUNDLE_ITEMS, left));
  return counts;
}

function loads(quick: boolean): Load[] {
  const large = quick ? 64 * MIB : 1024 * MIB;
  const many = quick ? 2_000 : 10_000;
  return [
    {
      name: "1KiB",
      bundles: bundlesOf(many),
      size: KIB,
      small: { bundles: [200], size: KIB },
    },
    {
      name: "1MiB",
      bundles: Array<number>(quick ? 8 : 32).fill(1),
      size: MIB,
      small: { bundles: [1, 1], size: MIB },
    },
    { name: "1GiB", bundles: [1], size: large, small: { bundles: [1], size: 8 * MIB } },
  ];
}

/** All, or the one after `--only`. */
function chosenLoads(quick: boolean): Load[] {
  const at = process.argv.indexOf("--only");
  return loads(quick).filter(({ name }) => at === -1 || name === process.argv[at + 1]);
}

interface Figure {
  readonly figure: string;
  readonly value: number;
  readonly unit: string;
  readonly peer: string;
  readonly peerValue: number;
  readonly n: number;
  readonly conditions: string;
}

function runCase(given: Case, env: Readonly<Record<string, string>> = {}): Report {
  const out = execFileSync(process.execPath, [CHILD, JSON.stringify(given)], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8",
  });
  return JSON.parse(out) as Report;
}

/** Content MB per second, the median round. */
function rate(report: Report, step: Step, clock: "cpu" | "wall" = "cpu"): number {
  const seconds = (report.timings[step] ?? []).map((timing) => timing[clock]).sort((a, b) => a - b);
  return report.bytes / 1e6 / (seconds[Math.floor(seconds.length / 2)] ?? Number.NaN);
}

/**
 * Ours and the bare sum of that round whose ratio is the median one: the two stand side by side in
 * time, so that a change in the machine's load between rounds does not come between them.
 */
function paired(report: Report, step: "seal" | "open"): { ours: number; bare: number } {
  const bare = report.timings[BARE[step]] ?? [];
  const pairs = (report.timings[step] ?? [])
    .map(({ cpu }, round) => ({ ours: cpu, bare: bare[round]?.cpu ?? Number.NaN }))
    .sort((a, b) => a.bare / a.ours - b.bare / b.ours);
  const middle = pairs[Math.floor(pairs.length / 2)] ?? { ours: Number.NaN, bare: Number.NaN };
  const mb = report.bytes / 1e6;
  return { ours: mb / middle.ours, bare: mb / middle.bare };
}

const BARE: Readonly<Record<"seal" | "open", Step>> = { seal: "bareSeal", open: "bareOpen" };

/** One load on all sides. */
function compare(load: Load, rounds: number, folder: string, mark: string): Figure[] {
  const common = { folder, rounds };
  const { bundles, size } = load;
  const ours = (workers: number): Report =>
    runCase({ ...common, provider: "openssl", workers, bundles, size, bare: workers !== 1 });
  const [two, one, none] = [ours(2), ours(1), ours(0)];
  const peer = { ...common, workers: 0, bare: false, onlySealAndOpen: true };
  const alone = runCase({ ...peer, provider: "openssl", bundles, size }, OPENSSL_ALONE);
  const portable = runCase({ ...peer, provider: "sm-crypto", ...load.small, rounds: 1 });
  const count = bundles.reduce((sum, items) => sum + items, 0);
  const what = `${count} items of ${size} bytes in ${bundles.length} bundles, bulk ${two.bulk}, Node ${process.version}, content MB`;
  const smallCount = load.small.bundles.reduce((sum, items) => sum + items, 0);
  const figures: Figure[] = [];
  for (const step of ["seal", "open"] as const) {
    const value = rate(two, step);
    const add = (tail: string, peer: string, peerValue: number, note = "", of = value) =>
      figures.push({
        figure: `${step}.${load.name}.${tail}${mark}`,
        value: of,
        unit: tail.startsWith("wall") ? "MB/s" : "MB/s per core",
        peer,
        peerValue,
        n: rounds,
        conditions: `${what}${note}`,
      });
    const bare = "GCM + table SM3 + item SM3, bare";
    const threads = ` per CPU second, two workers on both sides, wall ${rate(two, step, "wall").toFixed(0)} MB/s (bare ${rate(two, BARE[step], "wall").toFixed(0)})`;
    const [pair, thisThread] = [paired(two, step), paired(none, step)];
    add("vs-bare", bare, pair.bare, threads, pair.ours);
    const here = " per CPU second, calling thread on both sides";
    add("calling-thread.vs-bare", bare, thisThread.bare, here, thisThread.ours);
    if (load.name === "1GiB") {
      // A difference of two measurements: among thousands of items their noise is larger than it.
      const chunks = 1 / (1 / thisThread.bare - itemSeconds(none));
      add("vs-bare-chunks", "GCM + table SM3, bare", chunks, here, thisThread.ours);
    }
    add("vs-openssl", "OpenSSL alone", rate(alone, step), here, rate(none, step));
    const smaller = `${here}, peer with ${smallCount} items of ${load.small.size} bytes, one round`;
    add("vs-sm-crypto", "sm-crypto", rate(portable, step), smaller, rate(none, step));
    const wall = rate(two, step, "wall");
    const clock = " per second of wall clock, not pinned";
    add("wall.two-vs-calling-thread", "calling thread", rate(none, step, "wall"), clock, wall);
    add("wall.two-vs-one", "one worker", rate(one, step, "wall"), clock, wall);
  }
  if (load.name === "1GiB") {
    figures.push({
      figure: `verify.1GiB.wall.two-vs-one${mark}`,
      value: rate(two, "verify", "wall"),
      unit: "MB/s",
      peer: "one worker",
      peerValue: rate(one, "verify", "wall"),
      n: rounds,
      conditions: `${what} per second of wall clock, all work in the workers`,
    });
  }
  return figures;
}

/** CPU seconds that the item digest takes for one MB of content. */
function itemSeconds(report: Report): number {
  return 1 / rate(report, "bareItem");
}

/** What a second core brings: one large item, and many of 1 MiB in one bundle. */
async function scales(quick: boolean, folder: string, mark: string): Promise<Figure[]> {
  const figures: Figure[] = [];
  const [large, many] = quick ? [64 * MIB, 32] : [512 * MIB, 128];
  for (const [items, bytes] of [
    [1, large],
    [many, many * MIB],
  ] as const) {
    const { one, two, ratio, cpu, others, pairs, tries } = await scale({
      ...{ folder, items, size: bytes / items },
    });
    const mb = bytes / 1e6;
    const cores = cpu.map((seconds) => ((seconds / bytes) * 1e9).toFixed(2)).join(" and ");
    figures.push({
      figure: `seal.${items === 1 ? "large" : "1MiB-items"}.wall.two-cores-vs-one${mark}`,
      ...{ value: mb / two, unit: "MB/s", peer: "calling thread on one core", peerValue: mb / one },
      n: pairs,
      conditions: `${items} items of ${bytes / items} bytes in one bundle, per second of wall clock, medians of those of ${tries} pairs that others left alone, beside the two cores they had ${others.toFixed(2)}, median ratio ${ratio.toFixed(2)}, ${cores} CPU ns a byte on one core and on two, file in ${dirname(folder)}, Node ${process.version}, content MB`,
    });
  }
  return figures;
}

/** One item of any size: what matters is that memory does not grow with it. */
function large(text: string, folder: string): Figure[] {
  const size = parseSize(text);
  const given = { provider: "openssl", workers: 2, bundles: [1], size, rounds: 1 } as const;
  const onlySeal = process.argv.includes("--seal-only");
  const report = runCase({ ...given, folder, bare: false, onlySealAndOpen: true, onlySeal });
  const speed = (step: "seal" | "open"): string =>
    `${rate(report, step).toFixed(0)} MB/s per core and ${rate(report, step, "wall").toFixed(0)} MB/s wall`;
  const opened = onlySeal ? "not opened" : `opened with ${speed("open")}`;
  const conditions = `one streamed item of ${size} bytes into a file, two workers, sealed with ${speed("seal")}, ${opened}, bulk ${report.bulk}, Node ${process.version}`;
  const value = report.rssMax;
  const peer = { peer: "limit", peerValue: 300, n: 1, conditions };
  return [{ figure: `seal.${text}.rss-max`, value, unit: "MB", ...peer }];
}

function parseSize(text: string): number {
  const [, number = "", unit = ""] = /^([0-9]+)(MB|GB)$/.exec(text) ?? [];
  if (number === "") throw new GatewayError("config.invalid", { detail: "--size takes 20GB" });
  return Number(number) * (unit === "GB" ? 1e9 : 1e6);
}

function print(figures: readonly Figure[]): void {
  const show = (value: number): string => value.toPrecision(3);
  const rows = figures.map(({ figure, value, unit, peer, peerValue }) => [
    figure,
    `${show(value)} ${unit}`,
    show(peerValue),
    `${(value / peerValue).toFixed(2)}×`,
    peer,
  ]);
  const table = [["figure", "lightferry", "peer", "ratio", "peer is"], ...rows];
  const widths = table[0]?.map((_, column) =>
    Math.max(...table.map((row) => (row[column] ?? "").length)),
  );
  for (const row of table) {
    const cells = row.map((cell, i) => cell.padEnd(widths?.[i] ?? 0));
    process.stdout.write(`${cells.join("  ").trimEnd()}\n`);
  }
  for (const { figure, value, unit, peer, peerValue, n, conditions } of figures) {
    const line = {
      ...{ bench: "seal", figure, value: Number(value.toPrecision(4)), unit, peer },
      peer_value: Number(peerValue.toPrecision(4)),
      ratio: Number((value / peerValue).toPrecision(3)),
      ...{ n, conditions },
    };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }
}

/** Prints a table, then one JSON object per figure. @param quick smaller sizes, other figure names. */
export async function run({ quick }: { quick: boolean }): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "lf-bench-"));
  try {
    const mark = quick ? ".quick" : "";
    const at = process.argv.indexOf("--size");
    if (at !== -1) print(large(process.argv[at + 1] ?? "", folder));
    else if (process.argv.includes("--scale")) print(await scales(quick, folder, mark));
    else print(chosenLoads(quick).flatMap((load) => compare(load, 3, folder, mark)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) await run({ quick: process.argv.includes("--quick") });
