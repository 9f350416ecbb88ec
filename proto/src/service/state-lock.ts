/**
 * Guarantee: one process at a time works in a state folder. A lock whose owner
 * has died, also by kill -9 or a power cut, does not stand in the way.
 */
import { mkdirSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GatewayError } from "../errors/index.ts";

export interface StateLock {
  release(): void;
}

/** @throws GatewayError `service.already-running` naming the process */
export function takeStateLock(stateDir: string): StateLock {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const path = join(stateDir, "lock");
  const mine = `${process.pid} ${startOf(process.pid)}\n`;
  // Twice: once for a fresh folder, once more after a stale lock was removed.
  for (const attempt of ["first", "after removal"]) {
    try {
      writeFileSync(path, mine, { flag: "wx", mode: 0o600 });
      return { release: () => release(path, mine) };
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "EEXIST") {
        throw new GatewayError("config.invalid", { detail: `stateDir: ${path}`, cause });
      }
    }
    const [pid = "", start = ""] = read(path).trim().split(" ");
    if (attempt === "after removal" || (pid !== "" && startOf(Number(pid)) === start)) {
      throw new GatewayError("service.already-running", { detail: `${stateDir}, process ${pid}` });
    }
    remove(path);
  }
  throw new GatewayError("service.already-running", { detail: stateDir });
}

function release(path: string, mine: string): void {
  if (read(path) === mine) remove(path);
}

/** When a process began, so that a reused process number is not taken for the old one; "" = none. */
function startOf(pid: number): string {
  if (!Number.isSafeInteger(pid) || pid <= 0) return "";
  if (process.platform === "linux") {
    // Fields after the parenthesised name; the 20th of them is the start time (proc(5), field 22).
    const fields = read(`/proc/${pid}/stat`).split(") ").at(-1)?.split(" ") ?? [];
    return fields[19] ?? "";
  }
  try {
    process.kill(pid, 0);
    return "alive";
  } catch {
    return "";
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Another starter removed it first.
  }
}
