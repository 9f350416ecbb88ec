/** Guarantee: one way to run vitest, and one way to count what a run really did. */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { REPOSITORY } from "../repository.ts";

export interface VitestRun {
  readonly filters: readonly string[];
  readonly slow: boolean;
  readonly report: string | undefined;
}

export function runVitest(run: VitestRun): Promise<number> {
  const reporters =
    run.report === undefined
      ? []
      : ["--reporter=default", "--reporter=json", `--outputFile.json=${run.report}`];
  return runCommand(
    process.execPath,
    [join(REPOSITORY, "node_modules/vitest/vitest.mjs"), "run", ...reporters, ...run.filters],
    run.slow ? { LIGHTFERRY_SLOW: "1" } : {},
  );
}

/** Runs a command in the repository with its output shown; 1 when it died of a signal. */
export function runCommand(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: REPOSITORY,
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, ...env },
    });
    child.on("error", () => resolve(1));
    child.on("exit", (code) => resolve(code ?? 1));
  });
}

export interface Count {
  readonly passed: number;
  readonly failed: number;
}

interface JsonReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

/**
 * What a run did. A file that failed without a failed test counts as one
 * failure; so does an exit status that no test explains, a missing report, and
 * a run in which no test passed.
 */
export function countReport(path: string, exitCode: number): Count {
  if (!existsSync(path)) return { passed: 0, failed: 1 };
  const report = JSON.parse(readFileSync(path, "utf8")) as JsonReport;
  const brokenFiles = report.testResults.filter(
    (file) =>
      file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  ).length;
  const failed = report.numFailedTests + brokenFiles;
  const unexplained = failed === 0 && (exitCode !== 0 || report.numPassedTests === 0);
  return { passed: report.numPassedTests, failed: unexplained ? 1 : failed };
}
