/** The doctor compares what carries a zone's lanes with what the registry names for them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { laneDrivers } from "../src/doctor/lane-drivers.ts";
import { nodeIdOf, ZONES, type ZoneName, zonePaths } from "../src/layout.ts";
import { demoRegistry } from "../src/setup/demo-registry.ts";
import { DEFAULT_OPTIONS, DEMO_RECEIPT_LANE, type ZoneOptions } from "../src/setup/zone-options.ts";

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "lf-drivers-"));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

const APPLIANCE = { ferryDirectory: { lane: "inbound", path: "/srv/appliance/out" } };
const introductions = ZONES.map((zone) => ({
  ...{ zone, node: nodeIdOf(zone), demo: true, requests: [] },
  callerCertificateSha256: "0".repeat(64),
}));

/** @param appliance lane that the registry has for one */
function said(zone: ZoneName, change: Partial<ZoneOptions>, appliance?: string): string[] {
  const paths = zonePaths(home, zone);
  mkdirSync(paths.registry, { recursive: true });
  const document = demoRegistry(introductions, undefined, DEMO_RECEIPT_LANE, appliance);
  writeFileSync(join(paths.registry, "registry.json"), JSON.stringify(document));
  return laneDrivers(zone, paths, { ...DEFAULT_OPTIONS, ...change }).map(
    ({ check, state, found }) => `${check} ${state} ${found}`,
  );
}

it.each(ZONES)("is content in %s where gate or appliance is what is registered", (zone) => {
  expect(said(zone, {})).toEqual([`lane.driver:${zone}/inbound ok inbound: udp`]);
  const carried = [`lane.driver:${zone}/inbound ok inbound: directory`];
  expect(said(zone, { ...APPLIANCE, receiptLane: DEMO_RECEIPT_LANE }, "inbound")).toEqual(carried);
});

it("names a lane that is carried by something else; of one that is not registered it says nothing", () => {
  const other = "fail inbound: directory; registry: udp";
  expect(said("business", APPLIANCE)).toEqual([`lane.driver:business/inbound ${other}`]);
  const ferryLanes = [
    { lane: "inbound", number: 0 },
    { lane: "inbound-media", number: 1 },
    { lane: "elsewhere", number: 2 },
  ];
  expect(said("extranet", { ferryLanes })).toEqual([
    "lane.driver:extranet/inbound ok inbound: udp",
    "lane.driver:extranet/inbound-media fail inbound-media: udp; registry: media",
  ]);
});

it("waits for the registry", () => {
  expect(
    laneDrivers("business", zonePaths(join(home, "new"), "business"), DEFAULT_OPTIONS),
  ).toEqual([]);
});
