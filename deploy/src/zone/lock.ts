/**
 * Guarantee: at most one instance runs on a folder. The lock names the process
 * that holds it; a lock whose process is gone is taken over.
 */
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { GatewayError } from "@lightferry/proto/errors";

export interface LockRecord {
  readonly pid: number;
  /** Start time of the process in clock ticks since boot: a pid used again does not match. */
  readonly started: string;
  readonly portBase: number;
}

/** Field 22 of /proc/<pid>/stat; empty where there is no /proc (the pid alone then decides). */
function startedTicks(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return "";
  }
}

function alive(record: LockRecord): boolean {
  try {
    process.kill(record.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  return startedTicks(record.pid) === record.started;
}

/** The record of the running holder, if there is one. */
export function lockHolder(path: string): LockRecord | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const record = JSON.parse(readFileSync(path, "utf8")) as LockRecord;
    return alive(record) ? record : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Takes the lock; returns the function that gives it back.
 * @throws GatewayError `setup.already-running`.
 */
export function takeLock(path: string, portBase: number): () => void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const holder = lockHolder(path);
  if (holder !== undefined) {
    throw new GatewayError("setup.already-running", { detail: `pid ${holder.pid}` });
  }
  rmSync(path, { force: true });
  try {
    const record: LockRecord = { pid: process.pid, started: startedTicks(process.pid), portBase };
    writeSync(openSync(path, "wx", 0o600), JSON.stringify(record));
  } catch (cause) {
    throw new GatewayError("setup.already-running", { cause });
  }
  return () => rmSync(path, { force: true });
}
