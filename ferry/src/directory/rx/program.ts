/** Guarantee: the receiving program with this driver wires the parts and does nothing else. */
import type { Shell } from "@lightferry/proto/service";
import { requirePeer } from "../../peers.ts";
import { followLink } from "../../trust.ts";
import { openInbox, showProgram } from "../../wiring.ts";
import { checkAccess } from "../access.ts";
import type { DirectoryRxConfig } from "../settings.ts";
import { DirectoryStation } from "./station.ts";

export async function startDirectoryStation(shell: Shell<DirectoryRxConfig>): Promise<void> {
  const { config, log, provider, journal, onClose } = shell;
  const { gate, mode, lane, expectedSender, arrivalsDir, stateDir } = config;
  const { trust, keys } = await followLink(shell, { driver: gate.driver, lanes: [lane] });
  const inbox = openInbox(shell, requirePeer(config, "frontProxy"));
  const warn = (reason: string): void => log.warn({ reason }, "gate");
  await checkAccess(gate.path, { mode, warn }, "directory.folder-unreadable");
  const station = await DirectoryStation.start({
    ...{ lane, expectedSender, arrivalsDir, stateDir, provider, inbox, log },
    ...{ path: gate.path, pollMs: gate.pollMs, notices: gate.watch },
    settleMs: gate.settleSeconds * 1_000,
    delayMs: gate.delaySeconds * 1_000,
    heartbeatMs: gate.heartbeatSeconds * 1_000,
    maxPartialBytes: gate.maxPartialBytes,
    roomLimits: config.space,
    keys: () => keys.keys,
    events: journal,
  });
  onClose(() => station.close());
  trust.changed(() => station.trustChanged());
  const metrics = await showProgram(shell, () => station.status());
  shell.ready({ driver: "directory", locked: false, folder: gate.path, metrics });
}
