/** Guarantee: figures are shown on an address that was named, never on every device of the machine: one of them is the gate's. */
import { isIP } from "node:net";
import {
  invalidField,
  readField,
  readInteger,
  readOptionalString,
  refuseUnknownFields,
} from "@lightferry/proto/service";

export interface MetricsListen {
  readonly host: string;
  /** 0 lets the system choose (tests). */
  readonly port: number;
}

const LOOPBACK = "127.0.0.1";
const PORT = { min: 0, max: 65_535 };

/**
 * Settings `metrics.{host?, port}`; without them nothing listens. The host is an address of this machine, loopback
 * where it is left out.
 * @throws GatewayError `config.invalid` naming the field
 */
export function readMetricsListen(raw: unknown): MetricsListen | undefined {
  if (readField(raw, "metrics") === undefined) return undefined;
  refuseUnknownFields(raw, "metrics", ["host", "port"]);
  const host = readOptionalString(raw, "metrics.host") ?? LOOPBACK;
  if (isIP(host) === 0) invalidField("metrics.host", "an IP address is expected");
  if (/^[0.:]+$/.test(host) && host !== "::1") {
    invalidField("metrics.host", "one address, not every device: the gate's is among them");
  }
  return { host, port: readInteger(raw, "metrics.port", PORT) };
}
