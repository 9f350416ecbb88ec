/** Guarantee: every area is asked once, in the order in which a fault of one explains those after it. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { ZONES, type ZoneName, zonePaths } from "../layout.ts";
import { applianceOf, FERRY_PROGRAMS } from "../setup/receipt-lane.ts";
import { readZoneOptions } from "../setup/zone-options.ts";
import { appliance } from "./appliance.ts";
import { clock } from "./clock.ts";
import { cryptography } from "./cryptography.ts";
import { disks } from "./disks.ts";
import type { Finding } from "./finding.ts";
import { machinesOf } from "./hsm.ts";
import { kernelLimits } from "./kernel.ts";
import { authorityKeys, zoneKeys } from "./keys.ts";
import { laneDrivers } from "./lane-drivers.ts";
import { type Machine, thisMachine } from "./machine.ts";
import { memory } from "./memory.ts";
import { processor } from "./processor.ts";
import { receiptLane } from "./receipts.ts";
import { services } from "./services.ts";
import { gateTags } from "./tags.ts";
import { trust } from "./trust.ts";

/** Zones set up in a home; one alone when it is named. */
function zonesOf(home: string, only: string | undefined): ZoneName[] {
  return ZONES.filter(
    (zone) =>
      (only === undefined || only === zone) && existsSync(join(zonePaths(home, zone).root, "keys")),
  );
}

/**
 * @param zone looks at this zone alone, besides the machine.
 * @param machine tests hand in one that is faulty.
 */
export function examine(
  home: string,
  zone: string | undefined,
  machine: (mode: Machine["mode"]) => Machine = thisMachine,
): Finding[] {
  const zones = zonesOf(home, zone).map((name) => [name, zonePaths(home, name)] as const);
  const strict = zones.some(([, { root }]) => readZoneOptions(root).mode === "production");
  const here = machine(strict ? "production" : "demo");
  const folders = zones.flatMap(([, paths]) => Object.values(paths));
  return [
    ...cryptography(),
    ...processor(here),
    ...clock(here),
    ...disks(here, [resolve(home), ...folders]),
    ...zones.flatMap(([name, paths]) => {
      const options = readZoneOptions(paths.root);
      return [
        ...FERRY_PROGRAMS.flatMap((program) =>
          appliance(here, name, applianceOf(name, program, options)),
        ),
        ...laneDrivers(name, paths, options),
        ...receiptLane(here, name, paths, options.receiptLane),
      ];
    }),
    ...kernelLimits(here),
    ...memory(here),
    ...zones.flatMap(([name, paths]) => services(here, name, paths)),
    ...zones.flatMap(([name, paths]) => zoneKeys(here, name, paths)),
    ...authorityKeys(here, join(resolve(home), "authority")),
    ...zones.flatMap(([name, paths]) => {
      const { findings, keyIds } = machinesOf(name, paths);
      return [
        ...findings,
        ...trust(here, name, paths, keyIds),
        ...gateTags(here, name, paths, readZoneOptions(paths.root), keyIds),
      ];
    }),
  ];
}
