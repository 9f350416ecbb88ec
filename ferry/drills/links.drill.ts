/**
 * Guarantee: several lines, lanes and ferries as one: what two lines of 500 Mb/s carry
 * beside one, how two lanes share a line by weight and by cap, that a line and a ferry
 * that die in the middle cost no bundle and are named, and that what a line took is
 * what the receiver counts for its link, to the frame.
 *
 * count = MiB of bundles of each part; a full run is 1 GiB. Needs root.
 */
import { Cargo } from "./cargo.ts";
import { type DeadFerryReport, type DeadLineReport, deadFerry, deadLine } from "./links/deaths.ts";
import { BASE, type Ground } from "./links/field.ts";
import { type GoodputRow, laneShares, spreadOverLines } from "./links/shares.ts";

export const FULL_COUNT = 1024;
const LINES: Ground = { lineBits: 500e6, shaped: true };
/** Before what a dead ferry held is another's. */
const LEASE_MS = 3_000;

export interface LinksReport {
  readonly spread?: readonly GoodputRow[];
  readonly lanes?: readonly GoodputRow[];
  readonly deadLine?: DeadLineReport;
  readonly deadFerry?: DeadFerryReport;
}

export interface LinksOptions {
  readonly count: number;
  readonly seed: number;
  /** Parts; all of them without it. */
  readonly only?: readonly (keyof LinksReport)[];
  readonly ground?: Ground;
  readonly leaseMs?: number;
}

function print(columns: readonly (readonly [text: string, width: number])[]): void {
  const cells = columns.map(([text, width]) =>
    width < 0 ? text.padEnd(-width) : text.padStart(width),
  );
  process.stderr.write(`${cells.join("  ")}\n`);
}

const ratio = (of: number): [string, number] => [`${of.toFixed(3)} of what is set`, 22];

function printRows(rows: readonly GoodputRow[]): void {
  for (const { what, goodput, ratio: of, whole } of rows) {
    print([[what, -44], [`${goodput.toFixed(1)} MB/s`, 11], ratio(of), [whole ? "whole" : "✗", 6]]);
  }
}

function printDeath(what: string, report: DeadLineReport | DeadFerryReport): void {
  const { bundles, missing, twice, offeredAgain, named, alarmedAfterMs } = report;
  print([
    [what, -44],
    [`${bundles - missing.length} of ${bundles} bundles`, 20],
    [`${twice.length} twice`, 8],
    [`${offeredAgain} offered again`, 16],
    [`link ${named.join(", ")} named after ${(alarmedAfterMs / 1000).toFixed(1)} s`, 28],
  ]);
}

/** Each part printed as it is known. */
export async function drill(options: LinksOptions): Promise<LinksReport> {
  const { count, seed, only, ground = LINES, leaseMs = LEASE_MS } = options;
  const wanted = (part: keyof LinksReport) => only === undefined || only.includes(part);
  const cargo = new Cargo(BASE);
  let report: LinksReport = {};
  try {
    if (wanted("spread")) {
      report = { ...report, spread: await spreadOverLines(cargo, count, seed, ground) };
      printRows(report.spread ?? []);
    }
    if (wanted("lanes")) {
      report = { ...report, lanes: await laneShares(cargo, count, seed + 1_000, ground) };
      printRows(report.lanes ?? []);
    }
    if (wanted("deadLine")) {
      const of = await deadLine(cargo, count, seed + 2_000, ground);
      report = { ...report, deadLine: of };
      printDeath("one of two lines dies", of);
      for (const { link, injected, overruns, reported } of of.accounts) {
        print([
          [`  link ${link}`, -44],
          [`${injected} lost`, 20],
          [`${reported} reported`, 18],
          [`${overruns} overruns`, 14],
        ]);
      }
    }
    if (wanted("deadFerry")) {
      const of = await deadFerry(cargo, count, seed + 3_000, ground, leaseMs);
      report = { ...report, deadFerry: of };
      const each = of.goodput.map((one) => one.toFixed(1)).join(" + ");
      print([["two ferries of one lane", -44], [`${each} MB/s`, 18], ratio(of.ratio)]);
      printDeath("one of them is killed", of);
    }
    return report;
  } finally {
    cargo.remove();
  }
}
