/**
 * Both zones brought up for production as deploy/README.md says, by commands
 * and files alone: root, issuing CAs, node keys, authority, registry, pack. The
 * services that must wait for certificates do, and one request crosses.
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { cli } from "../drills/cli.ts";
import { freePortBase } from "../drills/zones.ts";
import { ZONES, zonePaths } from "../src/layout.ts";
import { ZoneProcess } from "../src/zone/zone-process.ts";
import { LIMIT_MS, ProductionZones } from "./production-zones.ts";

let folder: string;
const running: ZoneProcess[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lightferry-production-setup-"));
});

afterAll(async () => {
  await Promise.all(running.map((zone) => zone.stop()));
  rmSync(folder, { recursive: true, force: true });
});

it("comes up by commands alone, and a request crosses", { timeout: 3 * LIMIT_MS }, async () => {
  const zones = new ProductionZones(folder, await freePortBase());
  await zones.certify();
  await zones.signWhatMayCross();
  for (const zone of ZONES) running.push(new ZoneProcess(zones.home, zone, () => undefined));
  await zones.importCertificates();
  await Promise.all(running.map((zone) => zone.ready));
  await zones.oneCrosses();
  await Promise.all(ZONES.map((zone) => zones.run(`audit verify --zone ${zone}`)));
  // Compiled code that a service would run is the zone's own, also where the environment names a folder, as tests do.
  const compiled = (zone: (typeof ZONES)[number]) =>
    join(zonePaths(zones.home, zone).state, "compile-cache");
  expect(ZONES.map((zone) => existsSync(compiled(zone)))).toEqual([true, true]);
  const again = await cli(zones.home, ["setup", "--zone", "extranet", "--json"]);
  expect(again.code).toBe(2);
});
