/**
 * Guarantee: ways in which memory with keys or plaintext could reach a disk or
 * another process. The services close them for themselves where they can; this
 * names what only the machine's owner can close.
 */
import { type Finding, NOTHING, UNKNOWN } from "./finding.ts";
import { graveInProduction, type Machine } from "./machine.ts";

/** What device mapper puts before the name of an encrypted volume. */
const ENCRYPTED = /^CRYPT-/;

function coreLimit(machine: Machine): Finding[] {
  const found = /^Max core file size\s+(\S+)\s+(\S+)/m.exec(
    machine.read("/proc/self/limits") ?? "",
  );
  if (found === null) return [];
  const [, soft, hard] = found;
  const ok = soft === "0";
  return [
    {
      check: "core.limit",
      state: ok ? "ok" : "warn",
      name: { zh: "核心转储上限", en: "core file limit" },
      found: `${soft} / ${hard}`,
      means: ok
        ? { zh: "不写核心转储文件", en: "no core file is written" }
        : {
            zh: "各服务会自行关闭；数据库等其余进程崩溃时仍会把内存写到磁盘",
            en: "the services switch it off; the database and others would still write their memory to disk",
          },
      advice: ok
        ? NOTHING
        : {
            zh: "启动前执行 ulimit -c 0，或 systemd 单元写 LimitCORE=0",
            en: "ulimit -c 0 before the start, or LimitCORE=0 in the systemd unit",
          },
    },
  ];
}

function corePattern(machine: Machine): Finding[] {
  const pattern = machine.read("/proc/sys/kernel/core_pattern");
  if (pattern === undefined) return [];
  const piped = pattern.startsWith("|");
  return [
    {
      check: "core.pattern",
      state: piped ? "warn" : "ok",
      name: { zh: "核心转储去向", en: "core dump handler" },
      found: pattern,
      means: piped
        ? {
            zh: "转储交给程序处理，不受上限约束；各服务已设为不可转储，数据库没有",
            en: "dumps go to a program, past the limit; the services are not dumpable, the database is",
          }
        : { zh: "受上限约束", en: "held by the limit" },
      advice: piped
        ? {
            zh: "coredump.conf 写 Storage=none，或 sysctl -w kernel.core_pattern=core",
            en: "Storage=none in coredump.conf, or sysctl -w kernel.core_pattern=core",
          }
        : NOTHING,
    },
  ];
}

function readers(machine: Machine): Finding[] {
  if (machine.platform !== "linux") return [];
  const scope = machine.read("/proc/sys/kernel/yama/ptrace_scope");
  const ok = Number(scope ?? 0) >= 1;
  return [
    {
      check: "ptrace-scope",
      state: ok ? "ok" : "warn",
      name: { zh: "跟踪他人进程", en: "tracing of processes" },
      found: `ptrace_scope ${scope ?? UNKNOWN}`,
      means: ok
        ? { zh: "同一用户的进程不能互相跟踪", en: "processes of one user cannot trace one another" }
        : {
            zh: "同一用户的进程可读数据库等进程的内存；各服务已自行拒绝",
            en: "processes of the same user can read the database's memory; the services refuse for themselves",
          },
      advice: ok
        ? NOTHING
        : {
            zh: "sysctl -w kernel.yama.ptrace_scope=1（内核须有 Yama）；每个服务用各自的用户运行",
            en: "sysctl -w kernel.yama.ptrace_scope=1 (needs Yama); run each service as a user of its own",
          },
    },
  ];
}

/** Whether all of what a block device stands on is encrypted, or it lies in memory. */
function sealed(machine: Machine, device: string, depth = 0): boolean {
  const at = `/sys/dev/block/${device}`;
  if (ENCRYPTED.test(machine.read(`${at}/dm/uuid`) ?? "")) return true;
  const below = machine.list(`${at}/slaves`);
  // Volumes stand on at most a few layers: crypt, RAID, LVM.
  if (below.length === 0 || depth > 4) return false;
  return below.every((name) => {
    const number = machine.read(`/sys/class/block/${name}/dev`);
    return number !== undefined && sealed(machine, number, depth + 1);
  });
}

function swap(machine: Machine): Finding[] {
  const table = machine.read("/proc/swaps");
  if (table === undefined) return [];
  const areas = table.split("\n").slice(1).filter(Boolean);
  const open = areas
    .map((line) => line.split(/\s+/))
    .filter(([path = "", type]) => {
      if (/^\/dev\/zram/.test(path)) return false;
      const number =
        type === "file"
          ? machine.stat(path)?.device
          : machine.read(`/sys/class/block/${(machine.real(path) ?? path).split("/").at(-1)}/dev`);
      return number === undefined || !sealed(machine, number);
    })
    .map(([path = ""]) => path);
  const ok = open.length === 0;
  return [
    {
      check: "swap",
      state: ok ? "ok" : graveInProduction(machine),
      name: { zh: "交换区", en: "swap" },
      found: areas.length === 0 ? "0" : areas.map((line) => line.split(/\s+/)[0]).join(" "),
      means:
        areas.length === 0
          ? { zh: "没有交换区", en: "there is none" }
          : ok
            ? { zh: "已加密或在内存中", en: "encrypted, or in memory" }
            : {
                zh: "密钥与明文可能写到未加密的磁盘",
                en: "keys and plaintext may reach an unencrypted disk",
              },
      advice: ok
        ? NOTHING
        : {
            zh: `swapoff ${open.join(" ")}，或改用加密的交换区`,
            en: `swapoff ${open.join(" ")}, or encrypt it`,
          },
    },
  ];
}

export function memory(machine: Machine): Finding[] {
  return [...coreLimit(machine), ...corePattern(machine), ...readers(machine), ...swap(machine)];
}
