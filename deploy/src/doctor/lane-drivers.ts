/** Guarantee: of the lanes that a zone's own ferry program carries: whether the registry names its driver for them; it would not start otherwise. */
import type { RegistryDocument } from "@lightferry/proto/registry";
import type { ZoneName, ZonePaths } from "../layout.ts";
import { ferryWay } from "../setup/ferry-way.ts";
import { FERRY_PROGRAMS, receiptProgram } from "../setup/receipt-lane.ts";
import type { ZoneOptions } from "../setup/zone-options.ts";
import { type Finding, NOTHING } from "./finding.ts";
import { registryOf } from "./registered.ts";

/** Undefined where there is none that can be read: policy says at its start what is wrong with it. */
function readable(paths: ZonePaths): RegistryDocument | undefined {
  try {
    return registryOf(paths);
  } catch {
    return undefined;
  }
}

/** None without a registry, or without a ferry program; a lane of receipts is receipts.ts's. */
export function laneDrivers(zone: ZoneName, paths: ZonePaths, options: ZoneOptions): Finding[] {
  const registry = readable(paths);
  if (registry === undefined) return [];
  return FERRY_PROGRAMS.filter((program) => program !== receiptProgram(zone)).flatMap((program) => {
    const way = ferryWay(zone, program, options);
    if (way === undefined) return [];
    const { driver } = way.gate;
    const lanes = way.lanes ?? [{ lane: way.lane }];
    return lanes.flatMap((named) => {
      const { lane = "" } = named as { readonly lane?: string };
      const entry = registry.lanes.find(({ id }) => id === lane);
      return entry === undefined ? [] : [findingOf(zone, lane, driver, entry.driver)];
    });
  });
}

function findingOf(zone: ZoneName, lane: string, driver: string, registered: string): Finding {
  const ok = driver === registered;
  return {
    check: `lane.driver:${zone}/${lane}`,
    state: ok ? "ok" : "fail",
    name: { zh: "通道的传输方式", en: "driver of a lane" },
    found: ok ? `${lane}: ${driver}` : `${lane}: ${driver}; registry: ${registered}`,
    means: ok
      ? { zh: "与注册表一致", en: "as the registry has it" }
      : {
          zh: "与注册表不一致：摆渡程序不会启动（ferry.lane-driver）",
          en: "not as the registry has it: the ferry does not start (ferry.lane-driver)",
        },
    advice: ok
      ? NOTHING
      : {
          zh: "改正有误的一方：重新签发注册表，或重新运行 lightferry setup",
          en: "correct whichever is wrong: sign a new registry, or run lightferry setup again",
        },
  };
}
