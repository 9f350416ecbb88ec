/** Guarantee: a machine for the doctor that is sound until a test says otherwise. */
import type { Finding } from "../src/doctor/finding.ts";
import type { Machine } from "../src/doctor/machine.ts";

export interface Faults extends Partial<Omit<Machine, "read" | "list" | "stat" | "run">> {
  /** Undefined: the file is not there. */
  readonly files?: Readonly<Record<string, string | undefined>>;
  readonly folders?: Readonly<Record<string, readonly string[]>>;
  readonly stats?: Readonly<Record<string, { readonly uid: number; readonly device: string }>>;
  /** Output by command line; a program that is not named here is not installed. */
  readonly programs?: Readonly<Record<string, string | { readonly status: number }>>;
}

export const NOW = Date.UTC(2026, 10, 22, 8);

const SOUND: Readonly<Record<string, string | undefined>> = {
  "/proc/cpuinfo": "model name\t: Test CPU\nflags\t\t: fpu aes pclmulqdq avx2",
  "/proc/self/limits":
    "Limit                     Soft Limit           Hard Limit           Units\n" +
    "Max core file size        0                    unlimited            bytes\n" +
    "Max open files            1024                 524288               files",
  "/proc/self/mountinfo": "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw",
  "/proc/swaps": "Filename\tType\tSize\tUsed\tPriority",
  "/proc/sys/kernel/core_pattern": "core",
  "/proc/sys/kernel/yama/ptrace_scope": "1",
  "/proc/sys/net/core/rmem_max": "134217728",
  "/proc/sys/net/core/wmem_max": "4194304",
  "/proc/sys/user/max_user_namespaces": "1000",
};

export function machine(faults: Faults = {}): Machine {
  const { files, folders, stats, programs, ...rest } = faults;
  return {
    platform: "linux",
    arch: "x64",
    uid: 1_000,
    mode: "demo",
    now: NOW,
    real: (path) => path,
    statfs: () => ({ bavail: 1e8, bsize: 4_096, ffree: 1e7, files: 2e7 }),
    ...rest,
    read: (path) => ({ ...SOUND, ...files })[path],
    list: (path) => folders?.[path] ?? [],
    stat: (path) => stats?.[path],
    run(program, args) {
      const answer = programs?.[[program, ...args].join(" ")];
      if (answer === undefined) return undefined;
      return typeof answer === "string" ? { status: 0, stdout: answer } : { stdout: "", ...answer };
    },
  };
}

/** `check` → state, for comparison in one piece. */
export const states = (findings: readonly Finding[]): Record<string, string> =>
  Object.fromEntries(findings.map(({ check, state }) => [check, state]));
