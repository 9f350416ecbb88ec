import { expect, it } from "vitest";
import { drill } from "../drills/canary.drill.ts";

it("no secret stands in any log, error, file or output but where it belongs", {
  timeout: 300_000,
}, async () => {
  const report = await drill({ count: 4 });
  expect(report.leaks).toEqual([]);
  // The search finds: marks at their targets, secrets in their own files.
  expect(report.foundAtHome).toBeGreaterThan(report.marks);
  expect(report.wordsRead).toBeGreaterThan(10_000);
});
