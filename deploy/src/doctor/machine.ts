/**
 * Guarantee: the doctor asks the machine through this alone, reads and never
 * writes. A file that is absent or closed to us is undefined, not an error.
 */
import { spawnSync } from "node:child_process";
import {
  readdirSync,
  readFileSync,
  realpathSync,
  type StatsFs,
  statfsSync,
  statSync,
} from "node:fs";
import type { State } from "./finding.ts";

/** A local tool that takes longer than this is itself the finding. */
const COMMAND_MS = 3_000;

export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  /** Effective user id; undefined where the system has none. */
  readonly uid: number | undefined;
  /** Strictest mode of the zones looked at. */
  readonly mode: "demo" | "production";
  readonly now: number;
  /** Text of a file of the system, trimmed. */
  read(path: string): string | undefined;
  /** Where it really lies, links followed. */
  real(path: string): string | undefined;
  /** Names in a folder; none when it cannot be read. */
  list(path: string): readonly string[];
  /** Owner and `major:minor` of the device it lies on. */
  stat(path: string): { readonly uid: number; readonly device: string } | undefined;
  statfs(path: string): Pick<StatsFs, "bavail" | "bsize" | "ffree" | "files"> | undefined;
  /** Undefined when there is no such program; a failed one has its status. */
  run(
    program: string,
    args: readonly string[],
  ): { readonly status: number; readonly stdout: string } | undefined;
}

/** A fault of the machine that a demonstration may live with and production may not. */
export const graveInProduction = ({ mode }: Pick<Machine, "mode">): State =>
  mode === "production" ? "fail" : "warn";

function attempt<T>(body: () => T): T | undefined {
  try {
    return body();
  } catch {
    return undefined;
  }
}

/** Linux packs a device number as glibc's `makedev` does. */
function deviceName(dev: number): string {
  const packed = BigInt(dev);
  const major = ((packed >> 8n) & 0xfffn) | ((packed >> 32n) & ~0xfffn);
  const minor = (packed & 0xffn) | ((packed >> 12n) & ~0xffn & 0xffffffffn);
  return `${major}:${minor}`;
}

/** @param mode of the strictest zone that the findings are for. */
export function thisMachine(mode: Machine["mode"]): Machine {
  return {
    platform: process.platform,
    arch: process.arch,
    uid: process.geteuid?.(),
    mode,
    now: Date.now(),
    read: (path) => attempt(() => readFileSync(path, "utf8").trim()),
    real: (path) => attempt(() => realpathSync(path)),
    list: (path) => attempt(() => readdirSync(path)) ?? [],
    stat: (path) =>
      attempt(() => {
        const { uid, dev } = statSync(path);
        return { uid, device: deviceName(dev) };
      }),
    statfs: (path) => attempt(() => statfsSync(path)),
    run(program, args) {
      const { status, stdout, error } = spawnSync(program, args, {
        encoding: "utf8",
        timeout: COMMAND_MS,
        stdio: ["ignore", "pipe", "ignore"],
      });
      return error === undefined ? { status: status ?? 1, stdout: stdout.trim() } : undefined;
    },
  };
}
