/**
 * Guarantee: `npm test` runs every fast test under the pinned Node; with
 * LIGHTFERRY_TEST_REPORT it also leaves a JSON report there.
 *
 * Usage: npm test [-- FILTER …]
 */
import { runVitest } from "./vitest.ts";

process.exitCode = await runVitest({
  filters: process.argv.slice(2),
  slow: process.env.LIGHTFERRY_SLOW === "1",
  report: process.env.LIGHTFERRY_TEST_REPORT,
});
