/**
 * Guarantee: the PostgreSQL of a zone as a program of its own, for a service
 * manager: databases and logins made, then it runs until it is asked to end;
 * when it dies, so does this, and the service manager starts both again.
 *
 * Usage: node deploy/src/setup/systemd/postgres-main.ts --home DIR --zone NAME
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { asGatewayError, GatewayError } from "@lightferry/proto/errors";
import { createLogger, hardenProcess, startPostgres } from "@lightferry/proto/service";
import { zonePaths, zonePorts } from "../../layout.ts";
import { createDatabases, POSTGRES_SETTINGS, zonePasswords } from "../databases.ts";
import { readZoneOptions, zoneName } from "../zone-options.ts";

const log = createLogger({ service: "postgres" });
hardenProcess(() => log.warn("SIGUSR1: no inspector is opened here"));

const { values } = parseArgs({
  options: { home: { type: "string" }, zone: { type: "string" } },
});
try {
  if (values.home === undefined || values.zone === undefined) {
    throw new GatewayError("config.invalid", { detail: "--home DIR --zone NAME" });
  }
  const paths = zonePaths(values.home, zoneName(values.zone));
  const { postgres: port } = zonePorts(zoneName(values.zone), readZoneOptions(paths.root).portBase);
  const passwords = zonePasswords(paths);
  const running = await startPostgres({
    // Within its own folder: the zone's is not for it to write.
    dataDir: join(paths.postgres, "data"),
    ...{ port, superuserPassword: passwords.postgres, durable: true },
    ...{ log, settings: POSTGRES_SETTINGS },
  });
  let asked = false;
  const end = (): void => {
    if (asked) return;
    asked = true;
    void running.stop();
  };
  process.on("SIGTERM", end);
  process.on("SIGINT", end);
  await createDatabases(port, passwords);
  log.info({ event: "ready", port, pid: running.pid }, "ready");
  await running.exited;
  process.exit(asked ? 0 : 1);
} catch (error) {
  const { code, detail } = asGatewayError(error);
  log.fatal({ code, detail, err: error }, "the database cannot run");
  process.exit(code === "config.invalid" ? 2 : 1);
}
