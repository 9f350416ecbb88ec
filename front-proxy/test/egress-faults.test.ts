/** What is out of order around the sending side: nothing lost, nothing half accepted, a code each. */
import { readdir } from "node:fs/promises";
import net from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { createEgressWorld, type EgressWorld } from "./support/egress-world.ts";
import { expectEvent, expectProblem } from "./support/refusal.ts";

let world: EgressWorld;
let token: string;
let proxy: DatabaseProxy;

/** A wire to the database that a test can cut. */
interface DatabaseProxy {
  readonly url: string;
  cut(): void;
  mend(): Promise<void>;
}

async function databaseProxy(target: string): Promise<DatabaseProxy> {
  const to = new URL(target);
  const sockets = new Set<net.Socket>();
  const server = net.createServer((client) => {
    const upstream = net.connect(Number(to.port), to.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        client.destroy();
        upstream.destroy();
      });
    }
    client.pipe(upstream).pipe(client);
  });
  const listen = (port: number) =>
    new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  await listen(0);
  const { port } = server.address() as net.AddressInfo;
  const url = new URL(target);
  url.hostname = "127.0.0.1";
  url.port = String(port);
  return {
    url: url.href,
    cut: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      sockets.clear();
    },
    mend: () => listen(port),
  };
}

beforeAll(async () => {
  world = await createEgressWorld();
  proxy = await databaseProxy(world.databaseUrl);
  await world.start({ databaseUrl: proxy.url });
  token = await world.token();
});
afterAll(async () => {
  await world.close();
  proxy.cut();
});
beforeEach(() => {
  world.peers.policyDown = false;
});
afterEach(() => world.pool.query("DELETE FROM exchange"));

const submit = (body: unknown = "x") =>
  world.api.call("POST", "/v1/requests", {
    token,
    body: {
      lane: "inbound",
      service: "registration",
      grade: "G2",
      method: "POST",
      path: "/records/1",
      body,
    },
  });
const rowCount = async () =>
  Number((await world.pool.query("SELECT count(*) AS n FROM exchange")).rows[0].n);

it("says 503 while the database is away, and works again when it is back", async () => {
  expect((await submit()).status).toBe(202);
  proxy.cut();
  const down = await submit();
  expectProblem(down, "database.unavailable");
  expect((await world.api.call("GET", "/health")).status).toBe(503);
  await proxy.mend();
  await expect.poll(async () => (await submit()).status).toBe(202);
  // The one that stood in the log already when the commit failed is closed there and here.
  const { rows } = await world.pool.query("SELECT state, code FROM exchange ORDER BY id");
  expect(rows).toEqual([
    { state: "permitted", code: "" },
    { state: "failed", code: "exchange.not-accepted" },
    { state: "permitted", code: "" },
  ]);
  await expectEvent(world.peers.events, "exchange.refused", "database.unavailable");
  await expectEvent(world.peers.events, "exchange.failed", "exchange.not-accepted");
});

it("says 503 while policy is away: nothing is accepted undecided", async () => {
  world.peers.policyDown = true;
  const answer = await submit();
  expectProblem(answer, "rpc.unavailable");
  await expectEvent(world.peers.events, "exchange.refused", "rpc.unavailable");
  expect(await rowCount()).toBe(0);
});

it("says 429 above the high-water mark and 507 on a full disk, with when to try again", async () => {
  const limits = {
    spoolHighWaterBytes: 100,
    uploadShareBytes: 1e9,
    spoolReserveBytes: 0,
    outboxRetentionSeconds: undefined,
  };
  await world.restart({ databaseUrl: proxy.url, limits });
  const full = await submit("x".repeat(101));
  expectProblem(full, "spool.full");
  await expectEvent(world.peers.events, "exchange.refused", "spool.full");
  expect((await submit("small")).status).toBe(202);
  const file = await world.api.call(
    "POST",
    "/v1/files?lane=inbound&service=maps&grade=G1&filename=a",
    { token, body: "y".repeat(500) },
  );
  expectProblem(file, "spool.full");

  await world.restart({
    databaseUrl: proxy.url,
    limits: { ...limits, spoolHighWaterBytes: 1e9, spoolReserveBytes: 2 ** 50 },
  });
  const disk = await submit();
  expectProblem(disk, "spool.disk-full");
  await expectEvent(world.peers.events, "exchange.refused", "spool.disk-full");
  expect(await rowCount()).toBe(1);
  await world.restart({ databaseUrl: proxy.url });
});

it("one caller's unfinished uploads stay within its share; the others have theirs", async () => {
  const limits = {
    spoolHighWaterBytes: 1e9,
    uploadShareBytes: 30_000_000,
    spoolReserveBytes: 0,
    outboxRetentionSeconds: undefined,
  };
  await world.restart({ databaseUrl: proxy.url, limits });
  const url = "/v1/files?lane=inbound&service=maps&grade=G1&filename=a";
  const begin = (length: number, by = token) =>
    world.api.call("POST", url, { token: by, headers: { "upload-length": String(length) } });
  expectProblem(await begin(30_000_001), "upload.over-share");
  const first = await begin(20_000_000);
  expect(first.status).toBe(201);
  expectProblem(await begin(10_000_001), "upload.share-used");
  await expectEvent(world.peers.events, "exchange.refused", "upload.share-used");
  // However small, a thousand beginnings are not free.
  const small = await Promise.all(Array.from({ length: 200 }, () => begin(1)));
  expect(small.filter(({ status }) => status === 201)).toHaveLength(152);
  // A stream of unknown length is weighed as it grows, and leaves nothing behind.
  await world.pool.query("DELETE FROM upload WHERE length = 1");
  const grown = await world.api.call("POST", url, { token, body: "y".repeat(17_000_000) });
  expectProblem(grown, "upload.share-used");
  const left = await world.pool.query("SELECT length FROM upload");
  expect(left.rows).toEqual([{ length: 20_000_000 }]);
  expect((await begin(30_000_000, await world.token("county"))).status).toBe(201);
  await world.pool.query("DELETE FROM upload");
  expect((await begin(30_000_000)).status).toBe(201);
  await world.pool.query("DELETE FROM upload");
  await world.restart({ databaseUrl: proxy.url });
});

it("stops with 503 when the journal is full, and leaves nothing half accepted", async () => {
  await world.restart({ databaseUrl: proxy.url, journalMaxBytes: 1 });
  const answer = await submit("x".repeat(100_000));
  // The one refusal without an event: there is no room for it. The log file of the service has it.
  expectProblem(answer, "journal.full");
  expect(await rowCount()).toBe(0);
  await world.restart({ databaseUrl: proxy.url });
  expect(await readdir(join(world.dir, "spool"))).toEqual([]);
  expect((await submit()).status).toBe(202);
});

it("answers what was under way before it closes", async () => {
  const answers = Promise.all(Array.from({ length: 20 }, () => submit()));
  await answers;
  await world.restart({ databaseUrl: proxy.url });
  expect(await rowCount()).toBe(20);
});
