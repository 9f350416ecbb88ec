/**
 * A home made for demonstration that is switched to production mode: every
 * program of both zones refuses to start, with its own code, and says so in
 * the log that is there again once the mode is set back.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { cli } from "../drills/cli.ts";
import { freePortBase } from "../drills/zones.ts";
import { ZONE_SERVICES, ZONES, type ZoneName, zonePaths } from "../src/layout.ts";
import { issueDemo } from "../src/setup/authority.ts";
import { introduceZone } from "../src/setup/introduction.ts";
import { DEFAULT_OPTIONS, writeZoneOptions, type ZoneOptions } from "../src/setup/zone-options.ts";
import { ZoneProcess } from "../src/zone/zone-process.ts";
import { until } from "./until.ts";

const LIMIT_MS = 120_000;

/** The receiver is the demonstration's own business system: it holds no key. */
const servicesOf = (zone: ZoneName) => ZONE_SERVICES[zone].filter((name) => name !== "receiver");

function codeOf(service: string): string {
  // Those that open a ring of keys before they read the registry.
  const own = ["seal", "audit", "ferry-tx"].includes(service);
  return own ? "key.demo-in-production" : "registry.demo-in-production";
}

function logOf(home: string, zone: ZoneName, service: string): string {
  try {
    return readFileSync(join(zonePaths(home, zone).logs, `${service}.log`), "utf8");
  } catch {
    return "";
  }
}

it("production mode refuses every demonstration key", { timeout: 4 * LIMIT_MS }, async () => {
  const home = mkdtempSync(join(tmpdir(), "lightferry-production-"));
  const portBase = await freePortBase();
  const write = (mode: ZoneOptions["mode"]) => {
    for (const zone of ZONES) {
      writeZoneOptions(zonePaths(home, zone).root, { ...DEFAULT_OPTIONS, portBase, mode });
    }
  };
  const running: ZoneProcess[] = [];
  const start = () => {
    for (const zone of ZONES) running.push(new ZoneProcess(home, zone, () => undefined));
  };
  const stop = () => Promise.all(running.splice(0).map((zone) => zone.stop()));
  try {
    const introductions = [];
    for (const zone of ZONES) introductions.push(await introduceZone(home, zone, { demo: true }));
    await issueDemo(home, introductions);
    write("production");
    start();
    for (const zone of ZONES) {
      for (const service of servicesOf(zone)) {
        const said = () => logOf(home, zone, service).includes(`"code":"${codeOf(service)}"`);
        await until(`${zone}/${service} refuses`, said);
        expect(logOf(home, zone, service)).not.toContain('"event":"ready"');
      }
    }
    await stop();
    write("demo");
    start();
    await Promise.all(running.map((zone) => zone.ready));
    for (const zone of ZONES) {
      for (const service of servicesOf(zone)) {
        const args = ["audit", "list", "--zone", zone, "--type", "service.stopped", "--json"];
        await until(`${service} in the log of ${zone}`, async () => {
          const { out } = await cli(home, [...args, "--code", codeOf(service), "--limit", "200"]);
          const { events } = JSON.parse(out) as { events: { emitter: string }[] };
          return events.some(({ emitter }) => emitter === service);
        });
      }
    }
  } finally {
    await stop();
    rmSync(home, { recursive: true, force: true });
  }
});
