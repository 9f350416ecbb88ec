/**
 * Guarantee checked: the doctor calls a sound machine sound, names each fault of
 * another with what it means and what to do, and is stricter in production.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clock } from "../src/doctor/clock.ts";
import { cryptography } from "../src/doctor/cryptography.ts";
import { disks } from "../src/doctor/disks.ts";
import type { Finding } from "../src/doctor/finding.ts";
import { kernelLimits } from "../src/doctor/kernel.ts";
import type { Machine } from "../src/doctor/machine.ts";
import { thisMachine } from "../src/doctor/machine.ts";
import { memory } from "../src/doctor/memory.ts";
import { processor } from "../src/doctor/processor.ts";
import { openings } from "../src/doctor/services.ts";
import { type Faults, machine, NOW, states } from "./doctor-machine.ts";

const AREAS: readonly ((machine: Machine) => Finding[])[] = [
  processor,
  clock,
  (here) => disks(here, ["/srv/lightferry"]),
  kernelLimits,
  memory,
];
const all = (faults: Faults): Finding[] => AREAS.flatMap((area) => area(machine(faults)));
const TIMEDATECTL = "timedatectl show -p NTPSynchronized --value";
const SYNCHRONISED = { [TIMEDATECTL]: "yes" };
/** State of one check of a machine with these faults, in both modes. */
const both = (check: string, faults: Faults): string =>
  (["demo", "production"] as const)
    .map((mode) => states(all({ programs: SYNCHRONISED, ...faults, mode }))[check])
    .join(" ");

describe("a sound machine", () => {
  it("has nothing to do in production", () => {
    const findings = all({ programs: SYNCHRONISED, mode: "production" });
    expect(new Set(Object.values(states(findings)))).toEqual(new Set(["ok"]));
    expect(Object.keys(states(findings))).toHaveLength(findings.length);
    expect(findings.length).toBe(13);
  });

  it("is named with its versions and self-tests", () => {
    const found = cryptography();
    expect(found.map(({ check }) => check)).toEqual([
      "node",
      "sm-provider",
      "sm4-bulk",
      "sm3-lanes",
    ]);
    expect(found[0]?.found).toContain(process.versions.node);
    expect(found[1]).toMatchObject({ state: "ok", found: `openssl ${process.versions.openssl}` });
    expect(found[3]).toMatchObject({ state: "ok", found: "wasm-simd-4" });
  });

  it("is read through files of the system alone", () => {
    const here = thisMachine("demo");
    expect(here.read("/proc/self/status")).toMatch(/^Name:/);
    expect(here.read("/nonexistent")).toBeUndefined();
    expect(here.list("/nonexistent")).toEqual([]);
    expect(here.statfs("/nonexistent")).toBeUndefined();
    expect(here.run("lightferry-no-such-program", [])).toBeUndefined();
    expect(here.run("false", [])).toMatchObject({ status: 1 });
    const listed = here.read("/proc/self/mountinfo")?.split("\n") ?? [];
    expect(listed.map((line) => line.split(" ")[2])).toContain(here.stat("/")?.device);
  });
});

it("says of every fault what it means and what to do, in both languages", () => {
  const faulty = all({
    mode: "production",
    now: Date.UTC(1970, 0, 1),
    statfs: () => ({ bavail: 1, bsize: 1, ffree: 1, files: 10 }),
    files: {
      "/proc/cpuinfo": "flags\t: fpu",
      "/proc/self/limits":
        "Max core file size  unlimited unlimited bytes\nMax open files 256 256 files",
      "/proc/self/mountinfo": "22 1 8:1 / / ro - ext4 /dev/sda1 ro",
      "/proc/swaps": "Filename\n/dev/sda2 partition 1 0 -2",
      "/proc/sys/kernel/core_pattern": "|/usr/lib/systemd/systemd-coredump",
      "/proc/sys/kernel/yama/ptrace_scope": "0",
      "/proc/sys/net/core/rmem_max": "212992",
      "/proc/sys/net/core/wmem_max": "212992",
    },
  });
  expect(faulty.filter(({ state }) => state === "ok")).toEqual([]);
  for (const { name, means, advice, check } of faulty) {
    for (const words of [name, means, advice]) {
      expect(words.zh, check).not.toBe("");
      expect(words.en, check).not.toBe("");
    }
    expect(means.zh, check).toMatch(/\p{Script=Han}/u);
    expect(means.en, check).not.toMatch(/\p{Script=Han}/u);
  }
});

describe("processor", () => {
  const of = (arch: string, cpuinfo: string) =>
    processor(machine({ arch, files: { "/proc/cpuinfo": cpuinfo } }))[0];

  it.each([
    ["x64", "flags\t: aes pclmulqdq", "ok"],
    ["x64", "flags\t: aes avx2 gfni", "warn"],
    ["arm64", "Features\t: fp asimd aes pmull sha2", "ok"],
    ["arm64", "Features\t: fp asimd sm3 sm4", "warn"],
  ])("%s with %j is %s", (arch, cpuinfo, state) => {
    expect(of(arch, cpuinfo)?.state).toBe(state);
  });

  it("lists what is there and what is not, and nothing for an unknown kind", () => {
    expect(of("x64", "flags\t: aes pclmulqdq avx2")?.found).toBe(
      "x64: aes pclmulqdq avx2 –avx512f –gfni –vaes",
    );
    expect(of("riscv64", "isa : rv64")).toBeUndefined();
    expect(processor(machine({ files: { "/proc/cpuinfo": undefined } }))).toEqual([]);
  });
});

describe("clock", () => {
  const CHRONY = "chronyc -c tracking";
  const tracking = (offset: string, leap: string) =>
    `A9FEA97B,169.254.169.123,4,1780000000.1,${offset},-0.000001,0.00001,-7.2,0.0,0.1,0.0002,0.0005,16.2,${leap}`;

  it.each([
    ["chrony keeps it", { [CHRONY]: tracking("0.000002", "Normal") }, {}, "ok"],
    ["chrony is far off", { [CHRONY]: tracking("-1.5", "Normal") }, {}, "warn"],
    ["chrony has no source", { [CHRONY]: tracking("0.0", "Not synchronised") }, {}, "warn"],
    ["chrony does not answer", { [CHRONY]: { status: 1 }, ...SYNCHRONISED }, {}, "ok"],
    ["systemd says yes", SYNCHRONISED, {}, "ok"],
    ["systemd says no", { [TIMEDATECTL]: "no" }, {}, "warn"],
    ["the kernel says yes", { "adjtimex --print": "  offset: 3\n return value = 0" }, {}, "ok"],
    ["the kernel says no", { "adjtimex --print": " return value = 5 (clock error)" }, {}, "warn"],
    ["timesyncd left its mark", {}, { "/run/systemd/timesync/synchronized": "" }, "ok"],
    ["nobody tells", {}, {}, "warn"],
  ])("is judged when %s", (_, programs, files, state) => {
    expect(states(clock(machine({ programs, files })))["clock.synchronised"]).toBe(state);
  });

  it.each([
    [Date.UTC(2025, 11, 31), "fail"],
    [NOW, "ok"],
    [Date.UTC(2100, 0, 1), "fail"],
  ])("at %i is %s", (now, state) => {
    expect(states(clock(machine({ now })))["clock.time"]).toBe(state);
  });
});

describe("disks", () => {
  const mounted = (kind: string, options: string, inner = "rw") => ({
    files: { "/proc/self/mountinfo": `22 1 8:1 / / ${options} shared:1 - ${kind} /dev/x ${inner}` },
  });

  it.each([
    ["xfs", "rw,noatime", "rw", "ok ok"],
    ["ext4", "rw", "rw,nobarrier", "warn fail"],
    ["ext4", "rw", "rw,data=writeback", "warn fail"],
    ["ext4", "rw", "rw,data=ordered", "ok ok"],
    ["tmpfs", "rw,nosuid", "rw", "warn fail"],
    ["nfs4", "rw", "rw", "warn fail"],
    ["fuse.sshfs", "rw", "rw", "warn fail"],
    ["ntfs3", "rw", "rw", "warn warn"],
    ["ext4", "ro", "rw", "fail fail"],
    ["ext4", "rw", "ro", "fail fail"],
  ])("%s (%s; %s) is %s", (kind, options, inner, expected) => {
    expect(both("disk.kind:/", mounted(kind, options, inner))).toBe(expected);
  });

  it.each([
    [10e9, 1e6, 2e6, "ok", "ok"],
    [10e9 - 1, 1e6, 2e6, "warn", "ok"],
    [2e9 - 1, 1e6, 2e6, "fail", "ok"],
    [1e11, 99_999, 2e6, "ok", "warn"],
    [1e11, 4_999, 2e6, "ok", "fail"],
    [1e11, 0, 0, "ok", "ok"],
  ])("%i bytes and %i of %i entries", (bavail, ffree, files, space, entries) => {
    const statfs = () => ({ bavail, bsize: 1, ffree, files });
    expect(states(disks(machine({ statfs }), ["/srv"]))).toMatchObject({
      "disk.space:/": space,
      "disk.entries:/": entries,
    });
  });

  it("tells each file system once, by the folder that would lie there", () => {
    const here = machine({
      files: {
        "/proc/self/mountinfo": [
          "22 1 8:1 / / rw - ext4 /dev/a rw",
          "23 22 8:2 / /srv rw - xfs /dev/b rw",
          "24 22 8:3 / /srv/my\\040spool rw - tmpfs none rw",
          "25 22 8:4 / /srv/my\\040spool rw - xfs /dev/c rw",
        ].join("\n"),
      },
      real: (path) => (path.endsWith("not-yet") ? undefined : path),
    });
    const folders = ["/srv/home", "/srv/home/not-yet", "/srv/my spool/x", "/srvother"];
    expect(Object.keys(states(disks(here, folders)))).toEqual(
      ["/srv", "/srv/my spool", "/"].flatMap((at) =>
        ["space", "entries", "kind"].map((point) => `disk.${point}:${at}`),
      ),
    );
    expect(states(disks(here, folders))["disk.kind:/srv/my spool"]).toBe("ok");
  });

  it("never fails on what the kernel may write there", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const here = machine({ files: { "/proc/self/mountinfo": text, "/proc/swaps": text } });
        expect([...disks(here, ["/srv"]), ...memory(here)].length).toBeGreaterThan(0);
      }),
    );
  });
});

describe("kernel limits", () => {
  const file = (path: string, text: string | undefined) => ({ files: { [path]: text } });
  const RMEM = "/proc/sys/net/core/rmem_max";

  it("are judged against what the gate asks for", () => {
    expect(both("net.core.rmem_max", file(RMEM, "100663296"))).toBe("ok ok");
    expect(both("net.core.rmem_max", file(RMEM, "100663295"))).toBe("warn fail");
    expect(both("net.core.wmem_max", file("/proc/sys/net/core/wmem_max", "1048575"))).toBe(
      "warn warn",
    );
    const limits = (hard: string) =>
      file("/proc/self/limits", `Max core file size 0 0 bytes\nMax open files 9 ${hard} files`);
    expect(both("nofile", limits("4095"))).toBe("warn warn");
    expect(both("nofile", limits("unlimited"))).toBe("ok ok");
  });

  it("know what root may do, and what it may not", () => {
    const unshare = "unshare --user --map-user=1 --map-group=1 true";
    const root = { ...file(RMEM, "212992"), uid: 0 };
    expect(both("net.core.rmem_max", root)).toBe("ok ok");
    const programs = (answer: string | { status: number }) => ({
      ...root,
      programs: { ...SYNCHRONISED, [unshare]: answer },
    });
    expect(both("user-namespaces", programs(""))).toBe("ok ok");
    expect(both("user-namespaces", programs({ status: 1 }))).toBe("fail fail");
    expect(both("user-namespaces", root)).toBe("fail fail");
  });
});

describe("memory", () => {
  it("tells core files and tracers apart", () => {
    const limits = "Max core file size  1024 unlimited bytes";
    expect(both("core.limit", { files: { "/proc/self/limits": limits } })).toBe("warn warn");
    const pattern = (text: string) => ({ files: { "/proc/sys/kernel/core_pattern": text } });
    expect(both("core.pattern", pattern("|/usr/share/apport/apport %p"))).toBe("warn warn");
    expect(both("core.pattern", pattern("/var/crash/core.%p"))).toBe("ok ok");
    const scope = (text: string | undefined) => ({
      files: { "/proc/sys/kernel/yama/ptrace_scope": text },
    });
    expect(both("ptrace-scope", scope("0"))).toBe("warn warn");
    expect(both("ptrace-scope", scope(undefined))).toBe("warn warn");
    expect(both("ptrace-scope", scope("2"))).toBe("ok ok");
  });

  const area = (path: string, type: string) => `Filename\n${path}  ${type}  1024 0 -2`;

  it.each([
    ["a plain partition", area("/dev/sda2", "partition"), {}, "warn fail"],
    ["memory", area("/dev/zram0", "partition"), {}, "ok ok"],
    [
      "an encrypted volume",
      area("/dev/dm-1", "partition"),
      { "/sys/class/block/dm-1/dev": "253:1", "/sys/dev/block/253:1/dm/uuid": "CRYPT-PLAIN-swap" },
      "ok ok",
    ],
    [
      "a logical volume on an encrypted one",
      area("/dev/dm-2", "partition"),
      {
        "/sys/class/block/dm-2/dev": "253:2",
        "/sys/dev/block/253:2/dm/uuid": "LVM-abc",
        "/sys/class/block/dm-1/dev": "253:1",
        "/sys/dev/block/253:1/dm/uuid": "CRYPT-LUKS2-x",
      },
      "ok ok",
    ],
    [
      "a file on a plain disk",
      area("/swapfile", "file"),
      { "/sys/dev/block/8:1/dm/uuid": undefined },
      "warn fail",
    ],
    [
      "a file on an encrypted disk",
      area("/swapfile", "file"),
      { "/sys/dev/block/8:1/dm/uuid": "CRYPT-LUKS2-y" },
      "ok ok",
    ],
  ])("swap on %s", (_, swaps, files, expected) => {
    const faults = {
      files: { "/proc/swaps": swaps, ...files },
      folders: { "/sys/dev/block/253:2/slaves": ["dm-1"] },
      stats: { "/swapfile": { uid: 0, device: "8:1" } },
    };
    expect(both("swap", faults)).toBe(expected);
  });
});

describe("a running service", () => {
  const of = (files: Record<string, string>, owner = 0) =>
    openings(
      machine({
        files: {
          "/proc/7/status": "Name:\tnode\nTracerPid:\t0\nUid:\t1000\t1000\t1000\t1000",
          "/proc/7/limits": "Max core file size        0                    0    bytes",
          "/proc/7/cmdline": "node\0--disallow-code-generation-from-strings\0main.ts\0--inspect",
          ...files,
        },
        stats: { "/proc/7": { uid: owner, device: "0:5" } },
      }),
      7,
    );

  it("is closed, or each opening is named", () => {
    expect(of({})).toEqual([]);
    expect(of({}, 1_000)).toEqual(["dumpable"]);
    expect(of({ "/proc/7/limits": "Max core file size unlimited unlimited bytes" })).toEqual([
      "core unlimited",
    ]);
    expect(of({ "/proc/7/status": "TracerPid:\t99\nUid:\t1000\t1000\t1000\t1000" })).toEqual([
      "tracer 99",
    ]);
    expect(of({ "/proc/7/cmdline": "node\0--inspect=0\0main.ts" })).toEqual(["--inspect"]);
    expect(of({ "/proc/7/environ": "A=b\0NODE_OPTIONS=--inspect-brk --heap-prof\0C=d" })).toEqual([
      "--inspect-brk",
      "--heap-prof",
    ]);
  });

  it("that ended meanwhile is no finding", () => {
    expect(openings(machine(), 4_242)).toEqual([]);
  });
});
