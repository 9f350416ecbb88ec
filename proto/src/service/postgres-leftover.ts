/**
 * Guarantee: when it returns, no earlier PostgreSQL server runs on the data
 * folder and no stale lock file keeps the next one from starting. It ends a
 * process only if that process is a PostgreSQL server of this very folder.
 */
import { execFile } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { GatewayError } from "../errors/index.ts";
import type { Logger } from "./logger.ts";

/** A fast shutdown ends in seconds; after this the left-over server counts as stuck. */
const SHUTDOWN_LIMIT_MS = 30_000;
const POLL_MS = 100;

/** @throws GatewayError `postgres.start-failed` when the earlier server does not end. */
export async function stopLeftover(dataDir: string, log: Logger): Promise<void> {
  const lockFile = join(dataDir, "postmaster.pid");
  const text = await readFile(lockFile, "utf8").catch(() => "");
  const pid = Number.parseInt(text.split("\n", 1)[0] ?? "", 10);
  if (!Number.isSafeInteger(pid) || pid <= 1) return;
  if (!(await isServerOf(pid, dataDir))) {
    // The number may by now belong to another program, which PostgreSQL would take for a server.
    await rm(lockFile, { force: true });
    return;
  }
  log.warn({ pid }, "a database server outlived its starter; stopping it");
  signal(pid, "SIGINT");
  const deadline = Date.now() + SHUTDOWN_LIMIT_MS;
  while (await isServerOf(pid, dataDir)) {
    if (Date.now() > deadline) {
      throw new GatewayError("postgres.start-failed", {
        detail: `an earlier server (process ${pid}) does not end`,
      });
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function isServerOf(pid: number, dataDir: string): Promise<boolean> {
  const command = await commandLine(pid);
  return command.includes("postgres") && ` ${command} `.includes(` -D ${dataDir} `);
}

async function commandLine(pid: number): Promise<string> {
  if (process.platform === "linux") {
    const words = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    return words.replaceAll("\0", " ");
  }
  return new Promise((resolve) => {
    execFile("ps", ["-o", "command=", "-p", String(pid)], (error, stdout) => {
      resolve(error === null ? stdout : "");
    });
  });
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone between the check and the signal: that is the wanted state.
  }
}
