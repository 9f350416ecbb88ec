/** Guarantee: the sending program with this driver wires the parts and does nothing else. */
import type { Shell } from "@lightferry/proto/service";
import { showProgram, wireSending } from "../../wiring.ts";
import type { DirectoryTxConfig } from "../settings.ts";
import { openTarget } from "./open-target.ts";
import { DirectorySender } from "./sender.ts";

export async function startDirectorySender(shell: Shell<DirectoryTxConfig>): Promise<void> {
  const { config, log, journal, onClose } = shell;
  const { gate, mode, node, lane, outboxDir, stateDir } = config;
  const { keys, signer, outbox } = await wireSending(shell, { driver: gate.driver, lanes: [lane] });
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
  const metrics = await showProgram(shell, () => sender.status());
  const where = target.where;
  shell.ready({ driver: "directory", locked: false, epoch: sender.epoch, target: where, metrics });
}
