/** Guarantee: what the programs of every driver need of their zone is opened in one way, and ends with the program. */
import { createClient, InboxService, OutboxService } from "@lightferry/proto/rpc";
import {
  activeKey,
  type BaseConfig,
  openRing,
  renewWithTrust,
  type Shell,
} from "@lightferry/proto/service";
import { type Carriage, leasingWhere } from "./lane-driver.ts";
import { showMetrics } from "./metrics/index.ts";
import type { MetricsListen } from "./metrics/settings.ts";
import { requirePeer } from "./peers.ts";
import type { LinkSigner } from "./signed.ts";
import { StatusFile } from "./status.ts";
import { followLink } from "./trust.ts";

/** Waits for policy. @throws GatewayError `config.invalid`, `ferry.lane-driver`, `sm.key-*` */
export async function wireSending(
  shell: Shell<BaseConfig & { readonly ferryKeysDir: string | undefined }>,
  carriage: Carriage,
) {
  const { config, provider, onClose } = shell;
  const { tls, zone } = config;
  const ring = shell.hsm?.signKeys ?? openRing(config, config.ferryKeysDir, "ferry-sign");
  onClose(() => ring.close());
  const { trust, keys, assertLane } = await followLink(shell, carriage);
  renewWithTrust(shell, trust, ring);
  const signer: LinkSigner = {
    provider,
    active: () => activeKey(config, "ferry", ring, trust.current(), Date.now()),
    chain: (keyId) => trust.current().chain(keyId),
  };
  const address = requirePeer(config, "frontProxy");
  const outbox = createClient(OutboxService, { address, tls, zone, peer: "front-proxy" });
  onClose(() => outbox.close());
  return { keys, signer, outbox: leasingWhere(assertLane, outbox) };
}

/** @param address of the front-proxy that takes what arrives */
export function openInbox({ config, onClose }: Shell<BaseConfig>, address: string) {
  const { tls, zone } = config;
  const inbox = createClient(InboxService, { address, tls, zone, peer: "front-proxy" });
  onClose(() => inbox.close());
  return inbox;
}

/**
 * What the program shows of itself: `status.json`, and figures where its settings ask for them.
 * @returns the port of the figures, for the ready line
 */
export async function showProgram(
  shell: Shell<BaseConfig & { readonly metrics: MetricsListen | undefined }>,
  read: () => object,
): Promise<number | undefined> {
  const status = new StatusFile(shell.config.stateDir, read);
  status.start();
  shell.onClose(() => status.close());
  return await showMetrics(shell, () => status.picture());
}
