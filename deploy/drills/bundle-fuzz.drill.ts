/**
 * Guarantee: a million mutated bundles are refused by name: none accepted, no
 * crash, no hang, bounded memory (proto/vectors/fuzz).
 */
import { type FuzzReport, faultsOf, fuzzBundles } from "../../proto/vectors/fuzz/run.ts";
import { seededChoice } from "./random.ts";

export const FULL_COUNT = 1_000_000;

export async function drill(options: {
  readonly count: number;
  readonly seed: number;
}): Promise<FuzzReport & { readonly faults: readonly string[] }> {
  const report = await fuzzBundles(options.count, seededChoice(options.seed));
  return { ...report, faults: faultsOf(report) };
}
