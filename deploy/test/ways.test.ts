/** Guarantee tested: several lanes and links of a zone's options stand in its ferry's settings, in place of the one; senseless options are refused. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { zonePaths } from "../src/layout.ts";
import { writeConfigs } from "../src/setup/configs.ts";
import type { Passwords } from "../src/setup/databases.ts";
import {
  DEFAULT_OPTIONS,
  readZoneOptions,
  writeZoneOptions,
  type ZoneOptions,
} from "../src/setup/zone-options.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "lf-ways-"));
});
afterEach(() => rmSync(home, { recursive: true }));

const passwords = new Proxy({}, { get: () => "p" }) as Passwords;

function settings(zone: "extranet" | "business", service: string, options: ZoneOptions) {
  const { config, root } = zonePaths(home, zone);
  mkdirSync(config, { recursive: true });
  writeZoneOptions(root, options);
  writeConfigs(home, zone, readZoneOptions(root), passwords);
  return JSON.parse(readFileSync(join(config, `${service}.json`), "utf8")) as {
    readonly gate: object;
  };
}

test("one lane on one link unless the zone's options have lists", () => {
  const one = settings("extranet", "ferry-tx", DEFAULT_OPTIONS);
  expect(one).toMatchObject({ lane: "inbound", gate: { host: "127.0.0.1" } });
  expect(one).not.toHaveProperty("lanes");
  const ferryLanes = [{ lane: "inbound", number: 0, weight: 3 }];
  const ferryLinks = [{ link: 0, host: "192.0.2.1", port: 1, rateBytesPerSecond: 1e6 }];
  for (const [zone, service] of [
    ["extranet", "ferry-tx"],
    ["business", "ferry-rx"],
  ] as const) {
    const several = settings(zone, service, { ...DEFAULT_OPTIONS, ferryLanes, ferryLinks });
    expect(several).toMatchObject({
      lanes: ferryLanes,
      gate: { driver: "udp", links: ferryLinks },
    });
    expect(several).not.toHaveProperty("lane");
    for (const name of ["host", "port", "rateBytesPerSecond"]) {
      expect(several.gate).not.toHaveProperty(name);
    }
  }
});

test.each([{ ferryLanes: {} }, { ferryLinks: ["0"] }, { ferryLinks: [null] }, { ferryLane: [] }])(
  "refused in zone.json: %j",
  (options) => {
    writeFileSync(join(home, "zone.json"), JSON.stringify(options));
    expect(() => readZoneOptions(home)).toThrow("zone.json");
  },
);
