/** Guarantee: runs `lightferry` as a person would and gives back what it said and its exit code. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { REPOSITORY } from "../src/repository.ts";

export interface CliResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A verification of a million events fits; a hanging command does not hold up a drill for ever. */
const LIMIT_MS = 180_000;

export function cli(home: string, args: readonly string[]): Promise<CliResult> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(REPOSITORY, "deploy/cli/lightferry.ts"), ...args, "--home", home],
      { timeout: LIMIT_MS, maxBuffer: 64 * 1024 * 1024 },
      (error, out, err) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : 1;
        resolve({ code, out, err });
      },
    );
  });
}
