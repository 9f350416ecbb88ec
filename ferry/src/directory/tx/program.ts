/** Guarantee: the sending program with this driver wires the parts and does nothing else. */
import { createClient, OutboxService } from "@lightferry/proto/rpc";
import { activeKey, openRing, renewWithTrust, type Shell } from "@lightferry/proto/service";
import { showMetrics } from "../../metrics/index.ts";
import { requirePeer } from "../../peers.ts";
import type { LinkSigner } from "../../signed.ts";
import { StatusFile } from "../../status.ts";
import { followLink } from "../../trust.ts";
import type { DirectoryTxConfig } from "../settings.ts";
import { openTarget } from "./open-target.ts";
import { DirectorySender } from "./sender.ts";

export async function startDirectorySender(shell: Shell<DirectoryTxConfig>): Promise<void> {
  const { config, log, provider, journal, onClose } = shell;
  const { gate, tls, zone, mode, node, lane, outboxDir, stateDir } = config;
  const ring = shell.hsm?.signKeys ?? openRing(config, config.ferryKeysDir, "ferry-sign");
  onClose(() => ring.close());
  const { trust, keys } = await followLink(shell);
  renewWithTrust(shell, trust, ring);
  const signer: LinkSigner = {
    provider,
    active: () => activeKey(config, "ferry", ring, trust.current(), Date.now()),
    chain: (keyId) => trust.current().chain(keyId),
  };
  const address = requirePeer(config, "frontProxy");
  const outbox = createClient(OutboxService, { address, tls, zone, peer: "front-proxy" });
  onClose(() => outbox.close());
  const warn = (reason: string): void => log.warn({ reason }, "gate");
  const target = await openTarget(gate.target, gate.profile, { mode, warn });
  const sender = await DirectorySender.start({
    ...{ node, lane, outboxDir, stateDir, profile: gate.profile, target, signer, outbox, log },
    heartbeatMs: gate.heartbeatSeconds * 1_000,
    secondPassMs: gate.secondPassSeconds * 1_000,
    keys: () => keys.keys,
    receiver: () => keys.receiverOf(lane),
    events: journal,
  });
  onClose(() => sender.close());
  const status = new StatusFile(stateDir, () => sender.status());
  status.start();
  onClose(() => status.close());
  const metrics = await showMetrics(shell, () => status.picture());
  const where = target.where;
  shell.ready({ driver: "directory", locked: false, epoch: sender.epoch, target: where, metrics });
}
