/** Guarantee: a command asks the policy service of its zone with the operator's certificate, verifies the answer against the pinned root, and hangs up. */
import type { CliContext } from "@lightferry/proto/cli";
import { GatewayError } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import { type Client, createClient, TrustService } from "@lightferry/proto/rpc";
import { loadProvider } from "@lightferry/proto/sm";
import { readTrustRoot, TrustStore } from "@lightferry/proto/trust";
import { zoneKeys } from "./zone-keys.ts";

/** A person waits at a terminal. */
const DEADLINE_MS = 10_000;

/** @throws GatewayError `config.invalid` when cli.json names no policy service; what the call throws. */
export async function withTrust<T>(
  context: CliContext,
  work: (trust: Client<typeof TrustService>, options: { deadlineMs: number }) => Promise<T>,
): Promise<T> {
  const { peers, tls, zone } = context.zoneConfig();
  if (peers.policy === undefined) {
    throw new GatewayError("config.invalid", { detail: "cli.json: peers.policy" });
  }
  const trust = createClient(TrustService, { address: peers.policy, tls, zone, peer: "policy" });
  try {
    return await work(trust, { deadlineMs: DEADLINE_MS });
  } finally {
    trust.close();
  }
}

/** What the zone trusts now: verified here, with the local denials beside it. */
export async function readTrust(context: CliContext): Promise<{
  readonly store: TrustStore;
  readonly denials: readonly lightferry.policy.v1.Denial.$Properties[];
}> {
  const { rootPath } = zoneKeys(context);
  const root = readTrustRoot(rootPath);
  const { trust } = await withTrust(context, (client, options) =>
    client.getTrust({ knownVersion: 0, waitMs: 0 }, options),
  );
  const set = trust ?? {};
  // Showing is not deciding: demonstration certificates are shown, and marked.
  const store = TrustStore.build(loadProvider(), { root, set, mode: "demo" });
  return { store, denials: set.denials ?? [] };
}
