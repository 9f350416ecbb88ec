/** Guarantee: a peer that the program cannot do without is configured. */
import { GatewayError } from "@lightferry/proto/errors";
import type { BaseConfig } from "@lightferry/proto/service";

/** @throws GatewayError `config.invalid` naming the peer */
export function requirePeer(config: BaseConfig, name: "policy" | "frontProxy"): string {
  const address = config.peers[name];
  if (address === undefined) throw new GatewayError("config.invalid", { detail: `peers.${name}` });
  return address;
}
