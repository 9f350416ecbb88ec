/** Guarantee tested: the budget for bodies comes back whole, also from a caller who is gone before it was charged. */
import { once } from "node:events";
import { request as open } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import fastify from "fastify";
import { expect, it } from "vitest";
import { BODIES, limitBodies } from "../src/http/reading-budget.ts";

/** Unlike `once`, an error before it is no end of the wait. */
const closed = (socket: Socket) => new Promise<void>((resolve) => socket.once("close", resolve));

it("a caller who hangs up while he is being recognised takes nothing of his share", async () => {
  const body = 3_000_000;
  const app = fastify({ bodyLimit: body });
  app.decorateRequest("caller");
  // As the guard does, which asks the database meanwhile.
  app.addHook("onRequest", async (request) => {
    request.caller = "city";
    if (request.headers["x-leaves"] !== undefined) await closed(request.raw.socket);
  });
  limitBodies(app);
  let handled = 0;
  app.post("/", async () => ({ handled: ++handled }));
  await app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const headers = { "content-type": "application/json", "content-length": String(body) };
  try {
    for (let sent = 0; sent <= BODIES.perCaller; sent += body) {
      const leaving = open({ port, method: "POST", headers: { ...headers, "x-leaves": "1" } });
      leaving.on("error", () => undefined);
      const seen = once(app.server, "request");
      leaving.flushHeaders();
      const [{ socket }] = (await seen) as [{ socket: Socket }];
      const gone = closed(socket);
      leaving.destroy();
      await gone;
    }
    const staying = await fetch(`http://127.0.0.1:${port}/`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify("x".repeat(body - 10)),
    });
    expect(staying.status).toBe(200);
  } finally {
    await app.close();
  }
});
