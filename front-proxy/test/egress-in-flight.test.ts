/** Killed between the journal and the commit: the log and the database end up saying the same. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { formatId } from "@lightferry/proto/ids";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { issueToken } from "../src/auth/tokens.ts";
import { ApiClient } from "./support/api-client.ts";
import { provider } from "./support/egress-keys.ts";
import { createEgressWorld, type EgressWorld } from "./support/egress-world.ts";

const WAIT = { timeout: 30_000 };
/** As many as there are runs of the drain, each a batch; one with a spool file of its own. */
const BODIES = ["small", "x".repeat(80_000)];

let world: EgressWorld;
let token: string;
let child: ChildProcess | undefined;
/** All that were started: a test that failed before its end leaves none behind. */
const children = new Set<ChildProcess>();

// Each test starts programs: the limit tells a hang from a busy machine, it is no measure of speed.
vi.setConfig({ testTimeout: 90_000 });

/** @returns the port of the API. */
async function launch(): Promise<number> {
  const { dir, zone, peers, keys } = world;
  const path = join(dir, "front-proxy.json");
  const tls = zone.tls["front-proxy"];
  const config = {
    zone: "extranet",
    node: "node-extranet",
    service: "front-proxy",
    mode: "demo",
    stateDir: join(dir, "state"),
    tls,
    peers: { policy: peers.policyAddress, audit: peers.auditAddress },
    anchorPath: join(dir, "anchor.json"),
    trustRootPath: keys.rootPath,
    vaultPath: keys.vaultPath,
    spoolDir: join(dir, "spool"),
    outboxDir: join(dir, "outbox"),
    listen: { host: "127.0.0.1", port: 0 },
    api: { host: "127.0.0.1", port: 0, tls },
    databaseUrl: world.databaseUrl,
    arrivalsDir: join(dir, "arrivals"),
    inboxDir: join(dir, "inbox"),
    encryptKeysDir: keys.encryptKeysDir,
    unlockPath: keys.encryptUnlockPath,
    limits: { spoolReserveBytes: 0 },
  };
  await writeFile(path, JSON.stringify(config));
  const main = new URL("../src/main.ts", import.meta.url).pathname;
  const started = spawn(process.execPath, [main, "--config", path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  child = started;
  children.add(started);
  for await (const line of createInterface({ input: started.stdout })) {
    if (!line.includes('"event":"ready"')) continue;
    started.stdout.resume();
    return Number(new URL(JSON.parse(line).api).port);
  }
  throw new Error("it ended before it was ready");
}

async function kill(): Promise<void> {
  const ending = child;
  if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
  ending.kill("SIGKILL");
  await once(ending, "exit");
}

beforeAll(async () => {
  world = await createEgressWorld();
  await mkdir(join(world.dir, "arrivals"));
  const anchor = { publicKey: Buffer.from(world.signed.authority).toString("hex"), demo: true };
  await writeFile(join(world.dir, "anchor.json"), JSON.stringify(anchor));
  const terms = { zone: "extranet", caller: "city", days: 1, note: "" };
  token = (await issueToken(world.pool, provider, world.registry, terms)).token;
  // Stands between the INSERT and its commit as long as a test holds the lock.
  await world.pool.query(`
    CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS
      'BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN NULL; END';
    CREATE TRIGGER hold AFTER INSERT ON exchange FOR EACH STATEMENT EXECUTE FUNCTION hold()`);
});
afterAll(async () => {
  for (const one of children) one.kill("SIGKILL");
  await world.close();
});

function submit(api: ApiClient, key: string | undefined, body: string): Promise<string> {
  const submission = {
    lane: "inbound",
    service: "registration",
    grade: "G2",
    method: "POST",
    path: "/records/1",
    body,
  };
  const headers = key === undefined ? {} : { "idempotency-key": key };
  return api.call("POST", "/v1/requests", { token, headers, body: submission }).then(
    () => "answered",
    () => "no answer",
  );
}

/** Connections to the database that wait for such a lock. */
async function waiting(event: "advisory" | "transactionid"): Promise<number> {
  const { rows } = await world.pool.query(
    `SELECT count(*)::int AS n FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event = $1`,
    [event],
  );
  return rows[0].n;
}

/** Lets submissions come as far as the table, but not to the commit. */
async function cutShort(
  keyed: boolean,
): Promise<{ readonly ids: string[]; release(): Promise<void> }> {
  const port = await launch();
  const api = new ApiClient(world.zone.tls["front-proxy"].ca, () => port);
  const lock = await world.pool.connect();
  await lock.query("SELECT pg_advisory_lock(1)");
  const before = world.peers.events.length;
  const answers: Promise<string>[] = [];
  for (const [index, body] of BODIES.entries()) {
    answers.push(submit(api, keyed ? `cut-${index}` : undefined, body));
    await expect.poll(() => waiting("advisory"), WAIT).toBe(index + 1);
  }
  const permitted = () =>
    world.peers.events.slice(before).filter((event) => event.type === "exchange.permitted");
  await expect.poll(() => permitted().length, WAIT).toBe(BODIES.length);
  await kill();
  expect(await Promise.all(answers)).toEqual(BODIES.map(() => "no answer"));
  api.close();
  const release = async () => {
    await lock.query("SELECT pg_advisory_unlock(1)");
    lock.release();
  };
  return { ids: permitted().map((event) => formatId(event.exchangeId)), release };
}

const codes = (ids: readonly string[]) =>
  world.peers.events
    .filter((event) => event.type === "exchange.failed" && ids.includes(formatId(event.exchangeId)))
    .map((event) => event.code);
const states = async (ids: readonly string[]) => {
  const found = await world.pool.query("SELECT state FROM exchange WHERE id = ANY($1::uuid[])", [
    ids,
  ]);
  return found.rows.map((row) => row.state);
};

it("what was never committed is closed as never accepted, once", async () => {
  const { ids, release } = await cutShort(true);
  // The machine went down with it: PostgreSQL forgets what it was about to commit.
  await world.pool.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event = 'advisory'`,
  );
  await release();
  await launch();
  expect(await states(ids)).toEqual(BODIES.map(() => "failed"));
  await expect.poll(() => codes(ids).length, WAIT).toBe(BODIES.length);
  await kill();
  await launch();
  await kill();
  expect(codes(ids)).toEqual(BODIES.map(() => "exchange.not-accepted"));
});

it("what PostgreSQL commits after the program died is accepted, and not called failed", async () => {
  // Without keys the batch is one statement: nobody is needed to commit it.
  const { ids, release } = await cutShort(false);
  const starting = launch();
  // The new program waits for the old one's statements before it judges.
  await expect.poll(() => waiting("transactionid"), WAIT).toBe(1);
  await release();
  await starting;
  expect(await states(ids)).toEqual(BODIES.map(() => "permitted"));
  expect(codes(ids)).toEqual([]);
});
