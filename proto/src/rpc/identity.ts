/**
 * Guarantee: a peer has the name its certificate gives it in exactly one
 * subject alternative name `lightferry://<zone>/<service>`, or it has none.
 */
import { GatewayError } from "../errors/index.ts";

/**
 * Who may hold a service certificate. `operator` is the command line, `supervisor` the starter;
 * `media-tx` and `media-rx` are the commands that write and read removable media, beside a ferry that runs.
 */
export const SERVICE_NAMES = [
  "front-proxy",
  "seal",
  "policy",
  "audit",
  "ferry-tx",
  "ferry-rx",
  "media-tx",
  "media-rx",
  "operator",
  "supervisor",
] as const;

export type ServiceName = (typeof SERVICE_NAMES)[number];

export interface PeerIdentity {
  readonly zone: string;
  readonly service: ServiceName;
}

/** Zone names appear in URIs, folder names and log lines. */
const ZONE_NAME = /^[a-z][a-z0-9-]{0,31}$/;

export function isServiceName(value: string): value is ServiceName {
  return (SERVICE_NAMES as readonly string[]).includes(value);
}

/** @throws GatewayError `config.invalid` */
export function checkZoneName(zone: string): string {
  if (!ZONE_NAME.test(zone)) {
    throw new GatewayError("config.invalid", { detail: `zone name ${JSON.stringify(zone)}` });
  }
  return zone;
}

export function identityUri(identity: PeerIdentity): string {
  return `lightferry://${identity.zone}/${identity.service}`;
}

/**
 * Reads the identity out of Node's text form of the alternative names
 * (`URI:lightferry://extranet/policy, DNS:localhost`). Node quotes values that
 * hold a comma or a quote, so that no other name can pass for a URI entry.
 * Undefined when there is none, more than one, or an unknown service.
 */
export function identityOf(subjectAltName: string | undefined): PeerIdentity | undefined {
  const uris = (subjectAltName ?? "").split(", ").filter((name) => name.startsWith("URI:"));
  if (uris.length !== 1) return undefined;
  const match = /^URI:lightferry:\/\/([^/"]+)\/([^/"]+)$/.exec(uris[0] ?? "");
  const [, zone = "", service = ""] = match ?? [];
  if (!ZONE_NAME.test(zone) || !isServiceName(service)) return undefined;
  return { zone, service };
}
