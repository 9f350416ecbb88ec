/**
 * Guarantee: everything that the project promises is run once: the slow
 * suites, the demonstration on a fresh folder, the static checks. Seconds are
 * printed for each; the last line is the true total.
 *
 * Usage: node deploy/src/checks/ci.ts UNIT_REPORT UNIT_EXIT_CODE UNIT_SECONDS
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { REPOSITORY } from "../repository.ts";
import { CHECKS } from "./list.ts";
import { type Count, countReport, runCommand, runVitest } from "./vitest.ts";

interface Suite extends Count {
  readonly name: string;
  readonly seconds: number;
}

const suites: Suite[] = [];

async function suite(name: string, run: () => Promise<Count>): Promise<void> {
  console.log(`\n══ ${name}`);
  const started = performance.now();
  const count = await run();
  suites.push({ name, ...count, seconds: (performance.now() - started) / 1000 });
}

const asCount = (code: number): Count => ({
  passed: code === 0 ? 1 : 0,
  failed: code === 0 ? 0 : 1,
  failures: code === 0 ? [] : [`exit status ${code}`],
  skipped: [],
});
const bin = (program: string) => join(REPOSITORY, "node_modules/.bin", program);

const [unitReport = "", unitCode = "1", unitSeconds = "0"] = process.argv.slice(2);
suites.push({
  name: "npm test",
  ...countReport(unitReport, Number(unitCode)),
  seconds: Number(unitSeconds),
});

const scratch = mkdtempSync(join(tmpdir(), "lightferry-ci-"));
try {
  for (const { name, command } of CHECKS) {
    const [program = "", ...args] = command;
    await suite(name, async () => asCount(await runCommand(bin(program), args)));
  }
  await suite("npm start -- --once", async () =>
    asCount(
      await runCommand("npm", [
        "start",
        "--",
        "--once",
        "--home",
        join(scratch, "home"),
        "--port-base",
        "17100",
      ]),
    ));
  await suite("slow suites", async () => {
    const report = join(scratch, "slow.json");
    const code = await runVitest({ filters: [], slow: true, report });
    return countReport(report, code);
  });
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

for (const { name, failures, skipped } of suites) {
  for (const test of skipped) console.log(`skipped: ${name}: ${test}`);
  for (const failure of failures) console.log(`failed: ${name}: ${failure}`);
}
console.log("\nseconds  passed  failed  skipped  suite");
for (const { name, passed, failed, skipped, seconds } of suites) {
  const cells = [
    seconds.toFixed(1).padStart(7),
    String(passed).padStart(7),
    String(failed).padStart(7),
    String(skipped.length).padStart(8),
  ];
  console.log(`${cells.join(" ")}  ${name}`);
}
const passed = suites.reduce((sum, { passed: n }) => sum + n, 0);
const failed = suites.reduce((sum, { failed: n }) => sum + n, 0);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
