/**
 * Guarantee: for each file system that the folders of an installation lie on:
 * room, file entries, kind and mount options, as far as they decide whether
 * what was said to be durable is.
 */
import { dirname } from "node:path";
import { type Finding, NOTHING, type State } from "./finding.ts";
import { graveInProduction, type Machine } from "./machine.ts";

/** Room for a spool of one large file, its bundle and the database's log. */
const WANTED_BYTES = 10e9;
/** Below this PostgreSQL may fail to extend its log (2 GB of it between checkpoints). */
const LEAST_BYTES = 2e9;
/** A bundle is a few files at each stage: a day's backlog of a busy node. */
const WANTED_ENTRIES = 100_000;
const LEAST_ENTRIES = 5_000;

/** Kinds that keep fsync, rename and locks as the product needs them. */
const KNOWN_KINDS = new Set(["ext4", "xfs", "btrfs", "zfs", "f2fs", "bcachefs"]);
/** In memory: everything is lost when the power is. */
const VOLATILE_KINDS = new Set(["tmpfs", "ramfs"]);
/** Another machine decides there what is durable and who holds a lock. */
const REMOTE_KINDS = /^(nfs|cifs|smb|fuse|9p|ceph|glusterfs|virtiofs)/;
/** Options that let a file system lose what fsync has confirmed. */
const UNSAFE_OPTIONS = /^(nobarrier|barrier=0|barrier=none|data=writeback|async_commit)$/;

interface Mount {
  readonly at: string;
  readonly kind: string;
  readonly options: readonly string[];
}

/** proc(5): id, parent, device, root, mount point, options, optional fields, "-", kind, source, its options. */
function mounts(machine: Machine): Mount[] {
  const lines = machine.read("/proc/self/mountinfo")?.split("\n") ?? [];
  return lines.flatMap((line) => {
    const [left = "", right = ""] = line.split(" - ");
    const [, , , , at, options] = left.split(" ");
    const [kind, , inner] = right.split(" ");
    if (at === undefined || kind === undefined) return [];
    const all = [...(options ?? "").split(","), ...(inner ?? "").split(",")];
    // Spaces in mount points are written in octal.
    return [{ at: at.replaceAll("\\040", " "), kind, options: [...new Set(all)] }];
  });
}

/** The mount a path lies on, or would: the longest mount point above it, the last one made there. */
function mountOf(all: readonly Mount[], path: string): Mount | undefined {
  const inside = all.filter(({ at }) => path === at || path.startsWith(at === "/" ? at : `${at}/`));
  return inside.reduce<Mount | undefined>(
    (best, next) => (best !== undefined && best.at.length > next.at.length ? best : next),
    undefined,
  );
}

function existing(machine: Machine, path: string): string {
  const found = machine.real(path);
  return found ?? (dirname(path) === path ? path : existing(machine, dirname(path)));
}

const graded = (value: number, wanted: number, least: number): State =>
  value >= wanted ? "ok" : value >= least ? "warn" : "fail";

function room(machine: Machine, at: string): Finding[] {
  const stat = machine.statfs(at);
  if (stat === undefined) return [];
  const free = stat.bavail * stat.bsize;
  const space = graded(free, WANTED_BYTES, LEAST_BYTES);
  // Some file systems have no fixed number of entries and say 0.
  const entries = stat.files === 0 ? "ok" : graded(stat.ffree, WANTED_ENTRIES, LEAST_ENTRIES);
  return [
    {
      check: `disk.space:${at}`,
      state: space,
      name: { zh: "磁盘空间", en: "disk space" },
      found: `${at}: ${(free / 1e9).toFixed(1)} GB`,
      means:
        space === "ok"
          ? { zh: "够用", en: "enough" }
          : {
              zh: "一个大文件就可能占满；满盘时交换暂停，不会丢失",
              en: "one large file may fill it; exchanges then wait, none is lost",
            },
      advice: space === "ok" ? NOTHING : { zh: "腾出至少 10 GB", en: "make at least 10 GB free" },
    },
    {
      check: `disk.entries:${at}`,
      state: entries,
      name: { zh: "磁盘文件数", en: "file entries" },
      found: stat.files === 0 ? at : `${at}: ${stat.ffree}`,
      means:
        entries === "ok"
          ? { zh: "够用", en: "enough" }
          : { zh: "空间未满也会写不进新文件", en: "new files fail although there is room" },
      advice:
        entries === "ok"
          ? NOTHING
          : {
              zh: "清理小文件，或重建文件系统",
              en: "remove small files, or make the file system anew",
            },
    },
  ];
}

function kind(machine: Machine, { at, kind: name, options }: Mount): Finding {
  const unsafe = options.filter((option) => UNSAFE_OPTIONS.test(option));
  const [state, means, advice] = ((): [State, Finding["means"], Finding["advice"]] => {
    if (options.includes("ro")) {
      return [
        "fail",
        { zh: "只读挂载", en: "mounted read-only" },
        {
          zh: "以读写方式挂载；先查明是否因磁盘故障",
          en: "mount it read-write; see first whether the disk failed",
        },
      ];
    }
    if (unsafe.length > 0) {
      return [
        graveInProduction(machine),
        {
          zh: `${unsafe.join(" ")}：断电时可能丢失已确认的内容`,
          en: `${unsafe.join(" ")}: confirmed content may be lost with the power`,
        },
        { zh: "去掉这些挂载选项", en: "remove these mount options" },
      ];
    }
    if (VOLATILE_KINDS.has(name)) {
      return [
        graveInProduction(machine),
        { zh: "在内存中，重启即失", en: "in memory: gone after a restart" },
        { zh: "换到磁盘上", en: "use a disk" },
      ];
    }
    if (REMOTE_KINDS.test(name)) {
      return [
        graveInProduction(machine),
        {
          zh: "网络或用户态文件系统：落盘与锁不由本机决定",
          en: "remote or in user space: durability and locks are not this machine's",
        },
        { zh: "换到本机磁盘上", en: "use a local disk" },
      ];
    }
    if (!KNOWN_KINDS.has(name)) {
      return [
        "warn",
        { zh: "未经测试的文件系统", en: "a kind that was not tested" },
        { zh: "建议用 ext4 或 xfs", en: "ext4 or xfs is advised" },
      ];
    }
    return ["ok", { zh: "本机磁盘，读写", en: "a local disk, read-write" }, NOTHING];
  })();
  return {
    check: `disk.kind:${at}`,
    state,
    name: { zh: "文件系统", en: "file system" },
    found: `${at}: ${name} (${options.join(",")})`,
    means,
    advice,
  };
}

/** @param folders that content, keys and databases lie in; each file system is told once. */
export function disks(machine: Machine, folders: readonly string[]): Finding[] {
  const all = mounts(machine);
  const places = folders.map((folder) => existing(machine, folder));
  const found = new Map(
    places.map((place) => {
      const mount = mountOf(all, place);
      return [mount?.at ?? place, mount] as const;
    }),
  );
  return [...found].flatMap(([at, mount]) => [
    ...room(machine, at),
    ...(mount === undefined ? [] : [kind(machine, mount)]),
  ]);
}
