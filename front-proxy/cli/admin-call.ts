/** Guarantee: a command speaks to the front-proxy of one zone with the operator's certificate, and hangs up. */
import type { CliContext } from "@lightferry/proto/cli";
import { GatewayError } from "@lightferry/proto/errors";
import { AdminService, type Client, createClient } from "@lightferry/proto/rpc";

/** @throws GatewayError `config.invalid` when the zone's cli.json names no front-proxy; what the call throws. */
export async function withAdmin<T>(
  context: CliContext,
  work: (admin: Client<typeof AdminService>) => Promise<T>,
): Promise<T> {
  const config = context.zoneConfig();
  const address = config.peers.frontProxy;
  if (address === undefined) {
    throw new GatewayError("config.invalid", { detail: "cli.json: peers.frontProxy" });
  }
  const { tls, zone } = config;
  const admin = createClient(AdminService, { address, tls, zone, peer: "front-proxy" });
  try {
    return await work(admin);
  } finally {
    admin.close();
  }
}

/** Local time of the terminal, to the second; empty for 0. */
export function clock(ms: number): string {
  // Swedish writes dates as ISO 8601 does, with a space.
  return ms === 0 ? "" : new Date(ms).toLocaleString("sv-SE");
}
