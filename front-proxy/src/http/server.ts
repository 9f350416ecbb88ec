/**
 * Guarantee: the API listens with TLS 1.3 and the zone's own CA; whatever goes
 * wrong in it is answered as problem+json and leaves an audit event.
 */
import { readFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import swagger from "@fastify/swagger";
import { asGatewayError, type ErrorCode, GatewayError } from "@lightferry/proto/errors";
import fastify, { type FastifyError, type FastifyReply, type FastifyRequest } from "fastify";
import type { FrontProxyContext } from "../context.ts";
import { limitConnections } from "./connections.ts";
import { exchangeRoutes } from "./exchange-routes.ts";
import { fileRoutes } from "./file-routes.ts";
import { guard } from "./guard.ts";
import { OPENAPI } from "./openapi.ts";
import type { ApiParts } from "./parts.ts";
import { sendGatewayError } from "./problem.ts";
import { publicRoutes } from "./public-routes.ts";
import { RefusalLog } from "./refusal-log.ts";
import { MAX_REQUEST_BODY } from "./request-body.ts";
import { requestRoutes } from "./request-routes.ts";
import { EXCHANGE, PROBLEM, RECEIPT, UPLOAD_PROGRESS } from "./schemas.ts";

/** Business systems keep connections open between submissions; a new TLS handshake costs 1 ms. */
const KEEP_ALIVE_MS = 65_000;
/** Headers must be complete within this time; bodies of uploads may take as long as they move. */
const HEADERS_TIMEOUT_MS = 20_000;
/** A handshake takes milliseconds; Node would wait two minutes for a stranger's. */
const HANDSHAKE_TIMEOUT_MS = 20_000;
/** A connection on which nothing moves for this long is gone. */
const IDLE_TIMEOUT_MS = 120_000;

export interface Api {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

/** @throws GatewayError `tls.invalid`, `config.invalid` when it cannot listen. */
export async function startApi(context: FrontProxyContext, parts: ApiParts): Promise<Api> {
  const { shell, config } = context;
  const refusals = new RefusalLog(shell.journal, shell.log);
  const app = fastify({
    https: {
      ...(await tlsOf(config.api.tls)),
      minVersion: "TLSv1.3",
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      requestCert: true,
      // A caller without certificate shows a token; a wrong certificate is refused by guard.ts.
      rejectUnauthorized: false,
    },
    logger: false,
    bodyLimit: MAX_REQUEST_BODY,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionTimeout: IDLE_TIMEOUT_MS,
    requestTimeout: 0,
    forceCloseConnections: "idle",
    return503OnClosing: true,
    routerOptions: { maxParamLength: 64, caseSensitive: true },
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, allErrors: false } },
  });
  app.server.headersTimeout = HEADERS_TIMEOUT_MS;
  limitConnections(app.server, (clientAddress) => {
    void refusals.note({ type: "exchange.refused", code: "api.busy", actor: "", clientAddress });
  });

  for (const schema of [PROBLEM, RECEIPT, UPLOAD_PROGRESS, EXCHANGE]) app.addSchema(schema);
  await app.register(swagger, OPENAPI);

  const report = async (
    request: Pick<FastifyRequest, "caller" | "ip" | "routeOptions" | "raw">,
    reply: FastifyReply,
    error: GatewayError,
  ) => {
    if (error.code === "internal.fault") {
      shell.log.error({ err: error.cause, route: request.routeOptions.url }, "an API call failed");
    }
    await refusals.note({
      type: error.code.startsWith("token.") ? "token.refused" : "exchange.refused",
      code: error.code,
      actor: request.caller ?? "",
      clientAddress: request.ip,
    });
    // A body that nobody will read may trickle for ever: a stranger is not waited for.
    const stranger = request.caller === undefined && !request.raw.complete;
    const ends = stranger || isHalfRead(request.raw);
    // The one condition whose end can be foreseen.
    const seconds = error.code === "spool.full" ? parts.room.retryAfterSeconds() : undefined;
    return sendGatewayError(ends ? reply.header("connection", "close") : reply, error, seconds);
  };
  app.setErrorHandler((error: FastifyError, request, reply) =>
    report(request, reply, readFault(error)),
  );
  app.setNotFoundHandler((request, reply) =>
    report(
      request,
      reply,
      new GatewayError("api.route-unknown", {
        detail: `${request.method} ${request.url.split("?", 1)[0]?.slice(0, 200)}`,
      }),
    ),
  );

  app.decorateRequest("caller");
  await app.register(publicRoutes, { context });
  await app.register(async (guarded) => {
    guarded.addHook("onRequest", guard(context.tokens.check));
    await guarded.register(requestRoutes, { context, parts });
    await guarded.register(exchangeRoutes, { parts });
    await guarded.register(fileRoutes, { context, parts });
  });

  try {
    await app.listen({ host: config.api.host, port: config.api.port });
  } catch (cause) {
    throw new GatewayError("config.invalid", { detail: "api.port: cannot listen", cause });
  }
  const address = app.server.address();
  const port = address !== null && typeof address === "object" ? address.port : config.api.port;
  return {
    host: config.api.host,
    port,
    close: async () => {
      await app.close();
      await refusals.close();
    },
  };
}

/**
 * Whether someone began to read the body and stopped. Node drains a body that nobody touched; this one
 * would stand in the way of the next request on the connection for ever.
 */
function isHalfRead(raw: IncomingMessage): boolean {
  return !raw.complete && raw.readableFlowing !== null;
}

async function tlsOf(files: { readonly cert: string; readonly key: string; readonly ca: string }) {
  try {
    const [cert, key, ca] = await Promise.all(
      [files.cert, files.key, files.ca].map((path) => readFile(path)),
    );
    return { cert, key, ca };
  } catch (cause) {
    throw new GatewayError("tls.invalid", { detail: "api.tls", cause });
  }
}

/** Faults that fastify itself finds, by the code of our table. */
const FASTIFY_CODES: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: "api.body-too-large",
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "api.media-type",
};

function readFault(error: FastifyError): GatewayError {
  if (error instanceof GatewayError) return error;
  if (error.validation !== undefined) {
    const [first] = error.validation;
    const where = `${error.validationContext ?? "request"}${first?.instancePath ?? ""}`;
    return new GatewayError("api.bad-request", { detail: `${where} ${first?.message ?? ""}` });
  }
  const code = FASTIFY_CODES[error.code];
  if (code !== undefined) return new GatewayError(code);
  if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500) {
    return new GatewayError("api.bad-request", { detail: error.code });
  }
  return asGatewayError(error);
}
