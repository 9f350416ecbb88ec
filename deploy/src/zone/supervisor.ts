/**
 * Guarantee: one zone runs whole or says what does not: its PostgreSQL first,
 * then all services side by side; whatever dies comes back; everything ends
 * with this process, also when it is killed (children watch their stdin).
 *
 * Usage: node deploy/src/zone/supervisor.ts --home DIR --zone NAME
 * Speaks one JSON line per event on stdout: service-ready, service-exit, zone-ready.
 */
import { renameSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { asGatewayError, GatewayError } from "@lightferry/proto/errors";
import { createLogger, type RunningPostgres, startPostgres } from "@lightferry/proto/service";
import { SERVICE_ENTRIES, type ZoneName, type ZonePaths, zonePaths, zonePorts } from "../layout.ts";
import { writeConfigs } from "../setup/configs.ts";
import { createDatabases, POSTGRES_SETTINGS, zonePasswords } from "../setup/databases.ts";
import { readZoneOptions, zoneName } from "../setup/zone-options.ts";
import { ServiceChild } from "./child.ts";
import { takeLock } from "./lock.ts";

/** First and longest pause before a database that did not come up is started again. */
const DATABASE_RETRY_FIRST_MS = 500;
const DATABASE_RETRY_LONGEST_MS = 5_000;

function say(event: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

/** What is kept there runs unseen as the service's own code: in production in the zone's folder, whatever the environment says. */
function compiledIn(paths: ZonePaths, mode: "demo" | "production"): string {
  const elsewhere = mode === "demo" ? process.env.NODE_COMPILE_CACHE : undefined;
  return elsewhere ?? join(paths.state, "compile-cache");
}

/** `state/supervisor.json`: pids and readiness, for `lightferry status` and the drills. */
function writeStatus(
  paths: ZonePaths,
  postgresPid: number,
  children: readonly ServiceChild[],
): void {
  const services = Object.fromEntries(
    children.map(({ name, pid, ready, restarts }) => [name, { pid, ready, restarts }]),
  );
  const path = join(paths.state, "supervisor.json");
  writeFileSync(
    `${path}.tmp`,
    `${JSON.stringify({ pid: process.pid, postgresPid, services }, null, 2)}\n`,
    { mode: 0o600 },
  );
  renameSync(`${path}.tmp`, path);
}

async function run(home: string, zone: ZoneName): Promise<void> {
  const paths = zonePaths(home, zone);
  const options = readZoneOptions(paths.root);
  const ports = zonePorts(zone, options.portBase);
  const release = takeLock(join(paths.state, "zone.lock"), options.portBase);
  const log = createLogger({ service: "supervisor", zone });
  const passwords = zonePasswords(paths);
  const children: ServiceChild[] = [];
  let postgres: RunningPostgres | undefined;
  let ending = false;
  const end = async (code: number) => {
    if (ending) return;
    ending = true;
    // The log goes last, so that what the others record at their end is still taken in.
    await Promise.all(children.filter(({ name }) => name !== "audit").map((child) => child.stop()));
    await children.find(({ name }) => name === "audit")?.stop();
    await postgres?.stop();
    release();
    process.exit(code);
  };
  process.on("SIGTERM", () => void end(0));
  process.on("SIGINT", () => void end(0));
  if (process.env.LIGHTFERRY_SUPERVISED === "1") {
    process.stdin.on("end", () => void end(0));
    process.stdin.resume();
  }
  const startDatabase = async () => {
    const running = await startPostgres({
      dataDir: paths.postgres,
      port: ports.postgres,
      superuserPassword: passwords.postgres,
      durable: true,
      log,
      settings: POSTGRES_SETTINGS,
    });
    postgres = running;
    say({ event: "service-ready", zone, service: "postgres", pid: running.pid });
    void running.exited.then(async () => {
      if (ending) return;
      say({ event: "service-exit", zone, service: "postgres" });
      await databaseAgain();
    });
  };
  // A disk that is full or a port that is taken passes; the services wait and lose nothing meanwhile.
  const databaseAgain = async () => {
    for (let pause = DATABASE_RETRY_FIRST_MS; !ending; ) {
      try {
        await startDatabase();
        status();
        return;
      } catch (error) {
        const { code, message } = asGatewayError(error);
        say({ event: "service-exit", zone, service: "postgres", code, detail: message });
        await delay(pause);
        pause = Math.min(pause * 2, DATABASE_RETRY_LONGEST_MS);
      }
    }
  };
  const status = () => writeStatus(paths, postgres?.pid ?? 0, children);
  await startDatabase();
  await createDatabases(ports.postgres, passwords);
  const services = writeConfigs(home, zone, options, passwords);
  const places = { logs: paths.logs, compiled: compiledIn(paths, options.mode) };
  let announced = false;
  for (const name of services) {
    children.push(
      new ServiceChild(name, SERVICE_ENTRIES[name], join(paths.config, `${name}.json`), places, {
        onReady: (service, pid) => {
          status();
          say({ event: "service-ready", zone, service, pid });
          if (!announced && children.every((child) => child.ready)) {
            announced = true;
            say({ event: "zone-ready", zone });
          }
        },
        onExit: (service, code, signal) => {
          if (ending) return;
          status();
          say({ event: "service-exit", zone, service, code, signal });
        },
      }),
    );
  }
  for (const child of children) child.start();
  status();
}

const { values } = parseArgs({
  options: { home: { type: "string" }, zone: { type: "string" } },
});
try {
  if (values.home === undefined || values.zone === undefined) {
    throw new GatewayError("config.invalid", { detail: "--home DIR --zone NAME" });
  }
  await run(resolve(values.home), zoneName(values.zone));
} catch (error) {
  const fault = asGatewayError(error);
  say({ event: "zone-failed", zone: values.zone, code: fault.code, detail: fault.message });
  process.stderr.write(`${fault.stack ?? fault.message}\n${String(fault.cause ?? "")}\n`);
  process.exit(1);
}
