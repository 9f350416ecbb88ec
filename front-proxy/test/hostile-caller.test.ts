/** Guarantee tested: neither a stranger nor a registered caller can take from others what the door has: connections, memory, spool, database. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, expect, it } from "vitest";
import { CONNECTIONS } from "../src/http/connections.ts";
import { BODIES } from "../src/http/reading-budget.ts";
import { expectEvent, expectProblem } from "./support/refusal.ts";
import { REQUEST, sendingZone, submit, token, world } from "./support/sending.ts";

sendingZone();

const open = new Set<{ destroy(): unknown }>();
afterEach(() => {
  for (const one of open) one.destroy();
  open.clear();
});

it("health costs one query at a time, however many ask", async () => {
  const { pool } = world.running.context;
  const original = pool.query.bind(pool) as (...of: never[]) => Promise<unknown>;
  let running = 0;
  let most = 0;
  Object.assign(pool, {
    query: async (...of: never[]) => {
      most = Math.max(most, ++running);
      return await original(...of).finally(() => running--);
    },
  });
  try {
    const answers = await Promise.all(
      Array.from({ length: 200 }, () => world.api.call("GET", "/health")),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(most).toBe(1);
  } finally {
    Object.assign(pool, { query: original });
  }
});

it("one address has a share of the connections; beyond it a connection ends before its handshake", async () => {
  const sockets: Socket[] = [];
  while (sockets.length < CONNECTIONS.perAddress + 50) {
    // No more at once than wait to be accepted: what a full queue drops comes again after up to 31 s.
    const some = Math.min(250, CONNECTIONS.perAddress + 50 - sockets.length);
    const opened = Array.from({ length: some }, () => plainConnection());
    await Promise.all(opened.map((socket) => once(socket, "connect")));
    sockets.push(...opened);
  }
  const ended = () => sockets.filter((socket) => socket.destroyed).length;
  // Those of the client of these tests count too.
  await expect.poll(ended).toBeGreaterThanOrEqual(50);
  expect(ended()).toBeLessThan(100);
  await expectEvent(world.peers.events, "exchange.refused", "api.busy");
  for (const socket of sockets) socket.destroy();
  await expect.poll(async () => (await submit()).status).toBe(202);
});

function plainConnection(): Socket {
  const socket = connect(world.running.apiPort, "127.0.0.1");
  socket.on("error", () => undefined);
  // Without a reader the end of a connection is not noticed.
  socket.resume();
  open.add(socket);
  return socket;
}

it("a caller's bodies on their way take no more than its share of the memory; others are read", async () => {
  const body = 3_000_000;
  const trickles = Array.from({ length: Math.ceil(BODIES.perCaller / body) }, () => {
    const request = world.api.open("POST", "/v1/requests", {
      token,
      certificate: world.certificate,
      headers: { "content-type": "application/json", "content-length": String(body) },
    });
    open.add(request);
    const status = new Promise<number>((resolve) => {
      request.on("response", (response) => resolve(response.statusCode ?? 0));
      request.on("error", () => resolve(0));
    });
    request.write("{");
    return status;
  });
  // The last of them is over the share, whichever it is.
  expect(await Promise.race(trickles)).toBe(429);
  expectProblem(
    await world.api.call("POST", "/v1/requests", {
      token,
      body: { ...REQUEST, body: "x".repeat(body / 2) },
    }),
    "api.busy",
  );
  const other = { token: await world.token("county"), body: REQUEST };
  expect((await world.api.call("POST", "/v1/requests", other)).status).not.toBe(429);
  for (const one of open) one.destroy();
  await expect.poll(async () => (await submit()).status).toBe(202);
});

it("a stream of unknown length is weighed with the part that is under way", async () => {
  const { limits } = world.running.context.config;
  await world.restart({ limits: { ...limits, uploadShareBytes: 50_000_000 } });
  const answers: number[] = [];
  for (let n = 0; n < 4; n += 1) {
    const request = world.api.open(
      "POST",
      `/v1/files?lane=inbound&service=maps&grade=G1&filename=${n}`,
      {
        token,
        headers: { "transfer-encoding": "chunked" },
      },
    );
    open.add(request);
    request.on("error", () => undefined);
    request.on("response", (response) => answers.push(response.statusCode ?? 0));
    // No part is whole, so none counts as durable yet.
    request.write("x".repeat(100_000));
  }
  await expect.poll(() => answers).toEqual([429, 429]);
  for (const one of open) one.destroy();
  await world.restart({ limits });
});
