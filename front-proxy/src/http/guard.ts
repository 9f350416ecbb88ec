/**
 * Guarantee: no guarded route runs without a caller. A certificate counts only
 * when the zone's CA signed it and the registry names it.
 */
import type { TLSSocket } from "node:tls";
import type { FastifyRequest } from "fastify";
import type { CallerCheck } from "../auth/caller-check.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Registered caller; set by guard.ts. */
    caller?: string;
  }
}

/** Reading a certificate costs more than the rest of a request; a connection has only one. */
const fingerprints = new WeakMap<TLSSocket, string | undefined>();

export function guard(check: CallerCheck) {
  return async (request: FastifyRequest): Promise<void> => {
    request.caller = await check.identify({
      authorization: request.headers.authorization,
      certificateSha256: fingerprintOf(request.raw.socket as TLSSocket),
    });
  };
}

function fingerprintOf(socket: TLSSocket): string | undefined {
  if (fingerprints.has(socket)) return fingerprints.get(socket);
  const fingerprint = socket.authorized
    ? socket.getPeerCertificate().fingerprint256?.replaceAll(":", "").toLowerCase()
    : undefined;
  fingerprints.set(socket, fingerprint);
  return fingerprint;
}

/** The caller of a guarded route. */
export function callerOf(request: FastifyRequest): string {
  return request.caller ?? "";
}
