/** Guarantee: one way to run vitest, and one way to count what a run really did. */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { REPOSITORY } from "../repository.ts";

/** Tests start hundreds of programs: compiled code that is kept halves what each start costs. */
const COMPILE_CACHE = join(REPOSITORY, "node_modules/.cache/lightferry-compile");

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
    { NODE_COMPILE_CACHE: COMPILE_CACHE, ...(run.slow ? { LIGHTFERRY_SLOW: "1" } : {}) },
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
  /** What failed, a line each: the last lines of a long log are often all that is kept of it. */
  readonly failures: readonly string[];
  /** Names of tests that the machine could not run. */
  readonly skipped: readonly string[];
}

interface JsonReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

/**
 * What a run did. A file that failed without a failed test counts as one
 * failure; so does an exit status that no test explains, a missing report, and
 * a run in which no test passed.
 */
export function countReport(path: string, exitCode: number): Count {
  if (!existsSync(path)) {
    return { passed: 0, failed: 1, failures: ["the run left no report"], skipped: [] };
  }
  const report = JSON.parse(readFileSync(path, "utf8")) as JsonReport;
  const failures = report.testResults.flatMap((file) => {
    const name = relative(REPOSITORY, file.name);
    const tests = file.assertionResults.filter((test) => test.status === "failed");
    if (tests.length > 0) {
      return tests.map((test) => failure(`${name} › ${test.fullName}`, test.failureMessages?.[0]));
    }
    return file.status === "failed" ? [failure(name, file.message)] : [];
  });
  if (failures.length === 0 && (exitCode !== 0 || report.numPassedTests === 0)) {
    failures.push(`exit status ${exitCode} after ${report.numPassedTests} tests that passed`);
  }
  const skipped = report.testResults.flatMap((file) =>
    file.assertionResults
      .filter((test) => test.status === "skipped")
      .map((test) => `${relative(REPOSITORY, file.name)} › ${test.fullName}`),
  );
  return { passed: report.numPassedTests, failed: failures.length, failures, skipped };
}

/** One line: where, and the first of what was said, with the place in our own code. */
function failure(where: string, message = ""): string {
  const lines = message.split("\n").map((line) => line.trim());
  const place = lines.find((line) => line.startsWith("at ") && !line.includes("node_modules"));
  return [where, lines[0] ?? "", place ?? ""].filter((part) => part !== "").join(" — ");
}
