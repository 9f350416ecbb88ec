/**
 * Guarantee: a service is kept from coming back until `end()`: its process is
 * killed and its port is held, so that every new one fails to listen.
 */
import { createServer as createHttpServer, Server as HttpServer } from "node:http";
import { createServer, type Server } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { ZoneName } from "../src/layout.ts";
import type { RunningZones } from "./zones.ts";

export interface Outage {
  /** Connections that came meanwhile. */
  readonly calls: number;
  /** Gives the port back and waits until the service is ready again. */
  end(): Promise<void>;
}

const POLL_MS = 5;

/** Tries until the port is free: the dying process still holds it for a moment. @param again before a further try. */
async function hold(server: Server, port: number, again: () => void): Promise<void> {
  for (;;) {
    const taken = await new Promise<boolean>((resolve) => {
      const failed = () => resolve(true);
      server.once("error", failed);
      server.listen(port, "127.0.0.1", () => {
        server.removeListener("error", failed);
        resolve(false);
      });
    });
    if (!taken) return;
    again();
    await delay(POLL_MS);
  }
}

/**
 * @param answers "nothing" = connections break at once; a number = every HTTP request gets that status.
 */
export async function outage(
  zones: RunningZones,
  zone: ZoneName,
  service: string,
  port: number,
  answers: "nothing" | number,
): Promise<Outage> {
  let calls = 0;
  const server =
    answers === "nothing"
      ? createServer((socket) => {
          calls += 1;
          socket.on("error", () => undefined);
          socket.destroy();
        })
      : createHttpServer((request, response) => {
          calls += 1;
          request.resume();
          response.writeHead(answers).end();
        });
  const readyCount = () =>
    zones.events.filter(
      (event) =>
        event.event === "service-ready" && event.zone === zone && event.service === service,
    ).length;
  let before = readyCount();
  const killNow = () => process.kill(zones.pid(zone, service), "SIGKILL");
  killNow();
  // On a busy machine the successor may be quicker than this: then it dies as well.
  await hold(server, port, () => {
    if (readyCount() === before) return;
    before = readyCount();
    killNow();
  });
  return {
    get calls() {
      return calls;
    },
    async end() {
      if (server instanceof HttpServer) server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      while (readyCount() === before) await delay(POLL_MS);
    },
  };
}
