/**
 * Guarantee: a PostgreSQL cluster that listens on 127.0.0.1 only, asks for
 * SCRAM passwords, and whose folder is either absent or completely initialised.
 * A start takes over from a server that outlived its starter and waits for the
 * remains of one that was killed; with `durable` every commit reaches the disk.
 *
 * absent → `<dataDir>.new` (initdb) → rename → dataDir → postgres → ready → stopped
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { access, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { GatewayError } from "../errors/index.ts";
import type { Logger } from "./logger.ts";
import { commandPrefix, postgresBinaries } from "./postgres-binaries.ts";
import { stopLeftover } from "./postgres-leftover.ts";

/** Recovery after a crash may replay minutes of log; beyond this something is wrong. */
const START_LIMIT_MS = 120_000;
/** Backends of a killed server notice its death and leave within seconds. */
const LEFTOVER_LIMIT_MS = 30_000;
const RETRY_MS = 250;
/** A fast shutdown writes one checkpoint; longer means a hanging disk: then SIGQUIT. */
const STOP_LIMIT_MS = 30_000;
/** Lines of server output kept for the error when it does not start. */
const KEPT_LINES = 12;

export interface PostgresOptions {
  /** Owned by this cluster alone; created and initialised when absent. */
  readonly dataDir: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Password of the superuser `postgres`; used at initialisation and in the URL. */
  readonly superuserPassword: string;
  /** False turns fsync off: for tests that throw the cluster away. */
  readonly durable: boolean;
  readonly log: Logger;
  /** Further server settings, e.g. `{ max_connections: "60" }`. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface RunningPostgres {
  /** `postgres://postgres:…@127.0.0.1:port/postgres` */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Resolves when the server has ended, by whatever cause. */
  readonly exited: Promise<void>;
  /** Fast shutdown: open transactions are rolled back, everything committed is kept. */
  stop(): Promise<void>;
}

/**
 * Initialises the cluster when its folder is empty and starts it.
 * @throws GatewayError `postgres.start-failed`, `postgres.root-refused`
 */
export async function startPostgres(given: PostgresOptions): Promise<RunningPostgres> {
  const options = { ...given, dataDir: resolve(given.dataDir) };
  const prefix = await commandPrefix();
  const binaries = postgresBinaries();
  if (!(await exists(join(options.dataDir, "PG_VERSION")))) {
    await initialise(binaries.initdb, prefix, options);
  }
  await stopLeftover(options.dataDir, options.log);
  const deadline = Date.now() + LEFTOVER_LIMIT_MS;
  for (;;) {
    const port = options.port === 0 ? await freePort() : options.port;
    const attempt = await launch(binaries.postgres, prefix, options, port);
    if ("running" in attempt) return attempt.running;
    const transient =
      attempt.output.includes("pre-existing shared memory block") ||
      attempt.output.includes("lock file") ||
      attempt.output.includes("Address already in use");
    if (!transient || Date.now() > deadline) {
      throw new GatewayError("postgres.start-failed", { detail: attempt.output });
    }
    await new Promise((wake) => setTimeout(wake, RETRY_MS));
  }
}

async function initialise(
  initdb: string,
  prefix: readonly string[],
  options: PostgresOptions,
): Promise<void> {
  const fresh = `${options.dataDir}.new`;
  const passwordFile = `${options.dataDir}.pw-${randomBytes(6).toString("hex")}`;
  await mkdir(dirname(options.dataDir), { recursive: true });
  await rm(fresh, { recursive: true, force: true });
  await writeFile(passwordFile, `${options.superuserPassword}\n`, { mode: 0o600 });
  try {
    const child = spawnUnder(prefix, initdb, [
      `--pgdata=${fresh}`,
      "--username=postgres",
      "--auth=scram-sha-256",
      `--pwfile=${passwordFile}`,
      "--encoding=UTF8",
      "--locale-provider=builtin",
      "--builtin-locale=C.UTF-8",
      "--locale=C",
      "--no-instructions",
      ...(options.durable ? [] : ["--no-sync"]),
    ]);
    const kept = keepLines(child, options.log);
    const code = await exitOf(child);
    if (code !== 0) throw new GatewayError("postgres.start-failed", { detail: kept.join(" | ") });
  } finally {
    await rm(passwordFile, { force: true });
  }
  // An empty folder that stood there beforehand is replaced; a filled one is an error.
  await rename(fresh, options.dataDir);
}

type Attempt = { readonly running: RunningPostgres } | { readonly output: string };

async function launch(
  postgres: string,
  prefix: readonly string[],
  options: PostgresOptions,
  port: number,
): Promise<Attempt> {
  const settings: Record<string, string> = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    password_encryption: "scram-sha-256",
    timezone: "UTC",
    log_timezone: "UTC",
    lc_messages: "C",
    ...(options.durable
      ? {}
      : { fsync: "off", synchronous_commit: "off", full_page_writes: "off" }),
    ...options.settings,
  };
  const child = spawnUnder(prefix, postgres, [
    "-D",
    options.dataDir,
    "-p",
    String(port),
    ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
  ]);
  const exited = exitOf(child).then(() => undefined);
  let ready: (() => void) | undefined;
  const becameReady = new Promise<"ready">((resolve) => {
    ready = () => resolve("ready");
  });
  const kept = keepLines(child, options.log, (line) => {
    if (line.includes("database system is ready to accept connections")) ready?.();
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), START_LIMIT_MS);
  });
  const outcome = await Promise.race([becameReady, late, exited.then(() => "ended" as const)]);
  clearTimeout(timer);
  if (outcome === "late") {
    child.kill("SIGQUIT");
    await exited;
  }
  const pid = child.pid;
  if (outcome !== "ready" || pid === undefined) return { output: kept.join(" | ") };
  const stop = async (): Promise<void> => {
    child.kill("SIGINT");
    const force = setTimeout(() => child.kill("SIGQUIT"), STOP_LIMIT_MS);
    await exited;
    clearTimeout(force);
  };
  const password = encodeURIComponent(options.superuserPassword);
  const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
  return { running: { url, port, pid, exited, stop } };
}

function spawnUnder(
  prefix: readonly string[],
  program: string,
  args: readonly string[],
): ChildProcess {
  const [file = program, ...rest] = [...prefix, program, ...args];
  return spawn(file, rest, {
    // Own working folder: the starter's may vanish or be unreadable. LC_ALL: the ready line is read.
    cwd: "/",
    stdio: ["ignore", "pipe", "pipe"],
    // Own session: Ctrl-C in a terminal must not end the database before the services that use it.
    detached: true,
    env: { PATH: process.env.PATH ?? "", LC_ALL: "C" },
  });
}

function keepLines(
  child: ChildProcess,
  log: Logger,
  onLine: (line: string) => void = () => undefined,
): string[] {
  const kept: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on("line", (line) => {
      kept.push(line);
      if (kept.length > KEPT_LINES) kept.shift();
      log.debug({ postgres: line }, "postgres");
      onLine(line);
    });
  }
  return kept;
}

/** Waits for the end of the process and of its output. */
function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => {
    child.once("error", () => resolve(null));
    child.once("close", (code) => resolve(code));
  });
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
