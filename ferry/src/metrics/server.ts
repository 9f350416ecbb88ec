/**
 * Guarantee: one page, `GET /metrics`, on one address; whoever asks for it can neither
 * send a body nor keep the program busy: few connections, short times, one text a second.
 */
import { GatewayError } from "@lightferry/proto/errors";
import fastify from "fastify";
import { CONTENT_TYPE } from "./exposition.ts";
import type { MetricsListen } from "./settings.ts";

/** Two scrapers and a person. */
const MAX_CONNECTIONS = 16;
/** A scrape is one request of a few lines. */
const REQUEST_TIMEOUT_MS = 5_000;
/** A scraper comes every 15 s or more often; then it connects anew. */
const KEEP_ALIVE_MS = 15_000;
/** Nothing is sent to this server. */
const MAX_BODY_BYTES = 1;
/** The text is made at most so often, however many ask. */
const FRESH_MS = 1_000;

export interface MetricsServer {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

/**
 * @param text the page, made when it is asked for
 * @throws GatewayError `config.invalid` when it cannot listen
 */
export async function startMetrics(
  { host, port }: MetricsListen,
  text: () => string,
): Promise<MetricsServer> {
  const app = fastify({
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: KEEP_ALIVE_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
  });
  app.server.maxConnections = MAX_CONNECTIONS;
  app.server.headersTimeout = REQUEST_TIMEOUT_MS;
  let page = "";
  let madeAt = Number.NEGATIVE_INFINITY;
  app.get("/metrics", (_request, reply) => {
    const now = performance.now();
    if (now - madeAt >= FRESH_MS) {
      page = text();
      madeAt = now;
    }
    return reply
      .header("content-type", CONTENT_TYPE)
      .header("cache-control", "no-store")
      .send(page);
  });
  // Nothing of what was asked comes back.
  app.setNotFoundHandler((_request, reply) => reply.code(404).type("text/plain").send("404\n"));
  app.setErrorHandler((_error, _request, reply) =>
    reply.code(400).type("text/plain").send("400\n"),
  );
  try {
    await app.listen({ host, port });
  } catch (cause) {
    throw new GatewayError("config.invalid", { detail: "metrics: cannot listen", cause });
  }
  const address = app.server.address();
  const bound = address !== null && typeof address === "object" ? address.port : port;
  return { host, port: bound, close: () => app.close() };
}
