/**
 * Guarantee: both zones on a throw-away folder and a free range of ports, as
 * `npm start` would run them, with the handles a drill needs; nothing of it is
 * left behind.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ApiClient } from "../src/demo/api-client.ts";
import { Operators } from "../src/demo/follow.ts";
import { CALLERS, PORT_SPAN, ZONES, type ZoneName, zonePaths, zonePorts } from "../src/layout.ts";
import { issueDemo } from "../src/setup/authority.ts";
import { introduceZone } from "../src/setup/introduction.ts";
import { DEFAULT_OPTIONS, writeZoneOptions, type ZoneOptions } from "../src/setup/zone-options.ts";
import { type ZoneEvent, ZoneProcess } from "../src/zone/zone-process.ts";

export interface RunningZones {
  readonly home: string;
  readonly options: ZoneOptions;
  readonly operators: Operators;
  readonly apis: Readonly<Record<ZoneName, ApiClient>>;
  /** Events of both supervisors since the start, in order. */
  readonly events: readonly ZoneEvent[];
  /** The service's process as its supervisor last announced it. */
  pid(zone: ZoneName, service: string): number;
  /** Kills the process with SIGKILL and waits until its successor is ready. */
  kill(zone: ZoneName, service: string): Promise<void>;
  /** Stops every program; what they left in `home` stays to be looked at. */
  halt(): Promise<void>;
  /** Stops every program and removes `home`. */
  stop(): Promise<void>;
}

/** Tries of random ranges before giving up: the range of ephemeral ports is avoided. */
const PORT_TRIES = 50;
const FIRST_PORT = 20_000;
const LAST_PORT = 31_000;
const POLL_MS = 20;

function portFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}

/** False when it had ended by itself: then its successor is on its way. */
function killNow(pid: number): boolean {
  try {
    return process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

export async function freePortBase(): Promise<number> {
  for (let i = 0; i < PORT_TRIES; i += 1) {
    const base = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
    const free = await Promise.all(
      Array.from({ length: PORT_SPAN }, (_, offset) => portFree(base + offset)),
    );
    if (free.every(Boolean)) return base;
  }
  throw new RangeError("no free range of ports");
}

export async function startZones(
  overrides: Partial<ZoneOptions> = {},
  configure?: (home: string) => void | Promise<void>,
): Promise<RunningZones> {
  const home = mkdtempSync(join(tmpdir(), "lightferry-drill-"));
  const options = { ...DEFAULT_OPTIONS, portBase: await freePortBase(), ...overrides };
  const introductions = [];
  for (const zone of ZONES) introductions.push(await introduceZone(home, zone, { demo: true }));
  await issueDemo(home, introductions, options.receiptLane, options.ferryDirectory.lane);
  for (const zone of ZONES) writeZoneOptions(zonePaths(home, zone).root, options);
  await configure?.(home);
  const events: ZoneEvent[] = [];
  const zones = ZONES.map((zone) => new ZoneProcess(home, zone, (event) => events.push(event)));
  const haltZones = () => Promise.all(zones.map((zone) => zone.stop()));
  const stopZones = async () => {
    await haltZones();
    rmSync(home, { recursive: true, force: true });
  };
  try {
    await Promise.all(zones.map((zone) => zone.ready));
  } catch (error) {
    await stopZones();
    throw error;
  }
  const operators = new Operators(home);
  const api = async (zone: ZoneName) =>
    new ApiClient(
      `https://127.0.0.1:${zonePorts(zone, options.portBase).api}`,
      readFileSync(join(zonePaths(home, zone).tls, "ca.pem")),
      await operators.issueToken(zone, CALLERS[zone]),
    );
  const apis = { extranet: await api("extranet"), business: await api("business") };
  const readyEvents = (zone: ZoneName, service: string) =>
    events.filter(
      (event) =>
        event.event === "service-ready" && event.zone === zone && event.service === service,
    );
  const pid = (zone: ZoneName, service: string) => {
    const found = readyEvents(zone, service).at(-1)?.pid;
    if (found === undefined) throw new RangeError(`${zone}/${service} is not running`);
    return found;
  };
  return {
    home,
    options,
    operators,
    apis,
    events,
    pid,
    async kill(zone, service) {
      for (let killed = false; !killed; ) {
        const before = readyEvents(zone, service).length;
        killed = killNow(pid(zone, service));
        while (readyEvents(zone, service).length === before) await delay(POLL_MS);
      }
    },
    async halt() {
      await haltZones();
    },
    async stop() {
      operators.close();
      for (const client of Object.values(apis)) client.close();
      await stopZones();
    },
  };
}
