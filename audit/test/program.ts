/** Guarantee: the real audit program and the real commands of an installation, for tests. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { runCaptured, type Said } from "@lightferry/proto/testing";
import { noun } from "../cli/audit.ts";
import type { Installation } from "./installation.ts";
import { ZONE } from "./kit.ts";

/** Level of the line with which a service gives up. */
const FATAL = 60;

export interface Program {
  readonly child: ChildProcess;
  readonly port: number;
}

/** @throws RangeError with its last line when the program gives up. */
export async function startProgram(installed: Installation): Promise<Program> {
  const main = new URL("../src/main.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [main, "--config", installed.auditConfig], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let port = 0;
  for await (const line of createInterface(child.stdout)) {
    const said = JSON.parse(line) as { event?: string; port?: number; level?: number };
    if (said.level === FATAL) {
      await once(child, "exit");
      throw new RangeError(line);
    }
    if (said.event !== "ready") continue;
    port = said.port ?? 0;
    break;
  }
  child.stdout.resume();
  await installed.writeCliConfig(port);
  return { child, port };
}

/** @returns the exit code; null after a kill. */
export async function endProgram(
  child: ChildProcess,
  signal: NodeJS.Signals,
): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const ended = once(child, "exit");
  child.kill(signal);
  return (await ended)[0] as number | null;
}

/** Runs `lightferry audit …` in this process. */
export const runCommand = (installed: Installation, ...argv: string[]): Promise<Said> =>
  runCaptured(noun, [...argv, "--home", installed.home, "--zone", ZONE]);
