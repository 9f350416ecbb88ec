import { expect, it } from "vitest";
import { seededChoice } from "../../deploy/drills/random.ts";
import { faultsOf, fuzzBundles } from "../vectors/fuzz/run.ts";

it("refuses ten thousand mutated bundles by name", { timeout: 300_000 }, async () => {
  const report = await fuzzBundles(10_000, seededChoice(2026));
  expect(faultsOf(report)).toEqual([]);
  // Mutants that all die at the door would prove little.
  expect(Object.keys(report.refused).length).toBeGreaterThan(20);
});
