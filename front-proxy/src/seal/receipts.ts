/**
 * Guarantee: seal signs as receipts only a list of this very node, for the node
 * at the other end of a lane that leads into this zone, dated now. Its label
 * makes the signature worthless for anything else.
 *
 *   LeaseReceipts ─▶ check ─▶ sign ─▶ CommitReceipts
 */
import { setTimeout as delay } from "node:timers/promises";
import { asGatewayError, GatewayError } from "@lightferry/proto/errors";
import {
  decodeReceiptList,
  encodeSignedReceipts,
  signReceiptList,
} from "@lightferry/proto/receipt";
import { Troubles } from "@lightferry/proto/service";
import type { SealTools } from "./seal-lease.ts";
import { presentedChains, signingKey } from "./signing.ts";
import type { Worker } from "./worker.ts";

/** As for bundles: a poll this long costs nothing. */
const WAIT_MS = 10_000;
const LEASE_DEADLINE_MS = 15_000;
const PAUSE_FIRST_MS = 100;
const PAUSE_LONGEST_MS = 5_000;
/** The list was dated by the front-proxy of this machine a moment ago. */
const DATE_ALLOWANCE_MS = 5 * 60_000;
const WORK = "signing receipts";

/** @throws GatewayError `seal.key-unregistered`, `receipt.malformed`, `receipt.foreign-lane`, `sm.key-*`. */
export function signReceipts(tools: SealTools, list: Uint8Array): Uint8Array {
  const { shell, registry } = tools;
  const { config, provider } = shell;
  const nowMs = tools.now();
  const { lane: laneId, sender, receiver, number, createdMs } = decodeReceiptList(list);
  const lane = registry().lane(laneId);
  const ours =
    receiver === config.node &&
    lane?.to === config.zone &&
    registry().nodeOfZone(lane.from)?.id === sender;
  if (!ours || Math.abs(createdMs - nowMs) > DATE_ALLOWANCE_MS) {
    throw new GatewayError("receipt.foreign-lane", { detail: `${laneId} ${receiver}/${number}` });
  }
  const { key, keyId } = signingKey(tools.ring, tools.trust(), config, nowMs);
  return encodeSignedReceipts({
    ...{ list, keyId, signature: signReceiptList(provider, key, list) },
    certificates: presentedChains(tools.trust(), [keyId]),
  });
}

/** Signs until the shell closes. */
export async function signReceiptsForever({ tools, queue }: Worker): Promise<void> {
  const { shell } = tools;
  const troubles = new Troubles(shell.journal, (error) =>
    shell.log.error({ code: asGatewayError(error).code }, "trouble could not be journalled"),
  );
  let pause = PAUSE_FIRST_MS;
  while (!shell.closing.aborted) {
    try {
      const { list } = await queue.leaseReceipts(
        { waitMs: WAIT_MS },
        { deadlineMs: LEASE_DEADLINE_MS, signal: shell.closing },
      );
      if (list.length > 0) {
        const signed = signReceipts(tools, list);
        await queue.commitReceipts({ signed }, { signal: shell.closing });
        await troubles.over(WORK);
      }
      pause = PAUSE_FIRST_MS;
    } catch (error) {
      if (shell.closing.aborted) return;
      const { code, detail } = asGatewayError(error);
      shell.log.warn({ code, detail, err: error }, "receipts wait for their signature");
      await troubles.met(WORK, error);
      await delay(pause, undefined, { signal: shell.closing }).catch(() => undefined);
      pause = Math.min(pause * 2, PAUSE_LONGEST_MS);
    }
  }
}
