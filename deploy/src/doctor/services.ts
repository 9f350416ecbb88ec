/**
 * Guarantee: of each service that runs here, whether its memory can be had from
 * outside: by a core file, a tracer, another process of its user, or an
 * inspector. Read from /proc; what only the service itself could tell is not claimed.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { exposures } from "@lightferry/proto/service";
import type { ZonePaths } from "../layout.ts";
import { lockHolder } from "../zone/lock.ts";
import { type Finding, NOTHING } from "./finding.ts";
import { graveInProduction, type Machine } from "./machine.ts";

interface SupervisorFile {
  readonly services: Readonly<Record<string, { readonly pid?: number }>>;
}

/** Pids by service, of a zone that runs; empty when it does not. */
function running({ state }: ZonePaths): readonly (readonly [string, number])[] {
  if (lockHolder(join(state, "zone.lock")) === undefined) return [];
  try {
    const file = JSON.parse(readFileSync(join(state, "supervisor.json"), "utf8")) as SupervisorFile;
    return Object.entries(file.services).flatMap(([name, { pid }]) =>
      pid === undefined ? [] : [[name, pid] as const],
    );
  } catch {
    // Being written, or not there yet: the zone is starting.
    return [];
  }
}

/** Node's own options stand before the program in the command line. */
function ownOptions(machine: Machine, pid: number): readonly string[] {
  const words = machine.read(`/proc/${pid}/cmdline`)?.split("\0").slice(1) ?? [];
  const program = words.findIndex((word) => !word.startsWith("-"));
  return program < 0 ? words : words.slice(0, program);
}

function nodeOptions(machine: Machine, pid: number): string {
  const environment = machine.read(`/proc/${pid}/environ`)?.split("\0") ?? [];
  return environment.find((entry) => entry.startsWith("NODE_OPTIONS="))?.slice(13) ?? "";
}

/** What is open, in words of the system; none when the process ended meanwhile. */
export function openings(machine: Machine, pid: number): readonly string[] {
  const status = machine.read(`/proc/${pid}/status`);
  if (status === undefined) return [];
  const found: string[] = [];
  const core = /^Max core file size\s+(\S+)/m.exec(machine.read(`/proc/${pid}/limits`) ?? "")?.[1];
  if (core !== undefined && core !== "0") found.push(`core ${core}`);
  const tracer = /^TracerPid:\s+(\d+)/m.exec(status)?.[1] ?? "0";
  if (tracer !== "0") found.push(`tracer ${tracer}`);
  // The files of a process that is not dumpable belong to root, whoever runs it (proc(5)).
  const owner = machine.stat(`/proc/${pid}`)?.uid;
  const runsAs = Number(/^Uid:\s+\d+\s+(\d+)/m.exec(status)?.[1]);
  if (runsAs !== 0 && owner === runsAs) found.push("dumpable");
  return [...found, ...exposures(ownOptions(machine, pid), nodeOptions(machine, pid))];
}

/** One finding for each service that runs; none when the zone does not. */
export function services(machine: Machine, zone: string, paths: ZonePaths): Finding[] {
  if (machine.platform !== "linux") return [];
  return running(paths).map(([service, pid]): Finding => {
    const open = openings(machine, pid);
    const ok = open.length === 0;
    return {
      check: `service.exposure:${zone}/${service}`,
      state: ok ? "ok" : graveInProduction(machine),
      name: { zh: "运行中的服务", en: "running service" },
      found: `${zone}/${service} ${pid}${ok ? "" : `: ${open.join(", ")}`}`,
      means: ok
        ? { zh: "不写核心转储，没有调试器", en: "no core files, no debugger" }
        : { zh: "内存可被外部读取", en: "its memory can be read from outside" },
      advice: ok
        ? NOTHING
        : {
            zh: "去掉调试选项后重新启动；每个服务用各自的用户运行",
            en: "restart it without debugging options; run each service as a user of its own",
          },
    };
  });
}
