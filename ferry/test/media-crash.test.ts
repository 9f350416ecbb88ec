/** Guarantee tested: broken off between two steps, nothing acknowledged is lost and nothing is taken twice. */
import { expect, test } from "vitest";
import { exportFailing, exportFrozen, importFailing, importFrozen } from "./media-crash.ts";

/** Every step is tried by the slow tests. */
const STRIDE = 13;

test("export frozen at a step, and run again", async () => {
  expect(await exportFrozen(STRIDE)).toBeGreaterThan(30);
});

test("import frozen at a step, and run again", async () => {
  expect(await importFrozen(STRIDE)).toBeGreaterThan(30);
});

test("export to a medium that is pulled out, or full, from a step on", async () => {
  await exportFailing("EIO", 5);
  await exportFailing("ENOSPC", 5);
});

test("import from a medium that is pulled out goes on in another reader", async () => {
  await importFailing(5);
});
