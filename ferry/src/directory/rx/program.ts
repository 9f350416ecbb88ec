/** Guarantee: the receiving program with this driver wires the parts and does nothing else. */
import { createClient, InboxService } from "@lightferry/proto/rpc";
import type { Shell } from "@lightferry/proto/service";
import { showMetrics } from "../../metrics/index.ts";
import { requirePeer } from "../../peers.ts";
import { StatusFile } from "../../status.ts";
import { followLink } from "../../trust.ts";
import { checkAccess } from "../access.ts";
import type { DirectoryRxConfig } from "../settings.ts";
import { DirectoryStation } from "./station.ts";

export async function startDirectoryStation(shell: Shell<DirectoryRxConfig>): Promise<void> {
  const { config, log, provider, journal, onClose } = shell;
  const { gate, tls, zone, mode, lane, expectedSender, arrivalsDir, stateDir } = config;
  const { trust, keys } = await followLink(shell);
  const address = requirePeer(config, "frontProxy");
  const inbox = createClient(InboxService, { address, tls, zone, peer: "front-proxy" });
  onClose(() => inbox.close());
  const warn = (reason: string): void => log.warn({ reason }, "gate");
  await checkAccess(gate.path, { mode, warn }, "directory.folder-unreadable");
  const station = await DirectoryStation.start({
    ...{ lane, expectedSender, arrivalsDir, stateDir, provider, inbox, log },
    ...{ path: gate.path, pollMs: gate.pollMs, notices: gate.watch },
    settleMs: gate.settleSeconds * 1_000,
    delayMs: gate.delaySeconds * 1_000,
    heartbeatMs: gate.heartbeatSeconds * 1_000,
    maxPartialBytes: gate.maxPartialBytes,
    keys: () => keys.keys,
    events: journal,
  });
  onClose(() => station.close());
  trust.changed(() => station.trustChanged());
  const status = new StatusFile(stateDir, () => station.status());
  status.start();
  onClose(() => status.close());
  const metrics = await showMetrics(shell, () => status.picture());
  shell.ready({ driver: "directory", locked: false, folder: gate.path, metrics });
}
