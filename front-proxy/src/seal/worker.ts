/**
 * Guarantee: one loop per priority, one lease at a time; what fails stops the
 * item that is to blame and gives the others back; nothing is committed twice.
 *
 *   Lease ─▶ seal ─▶ Commit
 *              └──▶ Fail (items to blame, or none)
 */
import { setTimeout as delay } from "node:timers/promises";
import { BundleItemError } from "@lightferry/proto/bundle";
import { asGatewayError, type ErrorCode, type GatewayError } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import type { Priority } from "@lightferry/proto/registry";
import type { Client, SealQueueService } from "@lightferry/proto/rpc";
import { Troubles } from "@lightferry/proto/service";
import { ItemsError } from "./items-error.ts";
import {
  discardSealed,
  type SealedFile,
  type SealedLease,
  type SealTools,
  sealLease,
} from "./seal-lease.ts";

type Queue = Client<typeof SealQueueService>;
type Lease = InstanceType<typeof lightferry.seal.v1.LeaseResponse>;

const MAX_ITEMS = 1_024;
/** A poll this long costs nothing and is answered at once when something comes. */
const WAIT_MS = 10_000;
const LEASE_DEADLINE_MS = 15_000;
/** Peers of one zone restart in a second or two. */
const PAUSE_FIRST_MS = 100;
const PAUSE_LONGEST_MS = 2_000;
/** Fewer items cure these. */
const TOO_MUCH: ReadonlySet<ErrorCode> = new Set([
  "bundle.header-too-large",
  "bundle.manifest-too-large",
]);

export interface Worker {
  readonly tools: SealTools;
  readonly queue: Queue;
  /** `<name>/<instance>`, see front-proxy's worker-name.ts. */
  readonly name: string;
}

/** Seals until the shell closes. */
export async function sealForever(worker: Worker, priority: Priority): Promise<void> {
  const { shell } = worker.tools;
  const work = `sealing ${priority}`;
  const troubles = new Troubles(shell.journal, (error) =>
    shell.log.error({ code: asGatewayError(error).code }, "trouble could not be journalled"),
  );
  let maxItems = MAX_ITEMS;
  let pause = PAUSE_FIRST_MS;
  while (!shell.closing.aborted) {
    try {
      const lease = await worker.queue.lease(
        { priority, maxItems, waitMs: WAIT_MS, worker: worker.name },
        { deadlineMs: LEASE_DEADLINE_MS, signal: shell.closing },
      );
      if (lease.leaseId !== "") {
        const fault = await handleLease(worker, lease);
        if (fault !== undefined && TOO_MUCH.has(fault.code) && lease.items.length > 1) {
          maxItems = Math.ceil(lease.items.length / 2);
          continue;
        }
        if (fault !== undefined && !speaksOfItems(fault)) throw fault;
        maxItems = MAX_ITEMS;
        await troubles.over(work);
      }
      pause = PAUSE_FIRST_MS;
    } catch (error) {
      if (shell.closing.aborted) return;
      const { code, detail } = asGatewayError(error);
      shell.log.warn({ code, detail, priority, err: error }, "sealing waits");
      await troubles.met(work, error);
      await delay(pause, undefined, { signal: shell.closing }).catch(() => undefined);
      pause = Math.min(pause * 2, PAUSE_LONGEST_MS);
    }
  }
}

/** @returns what kept the lease from becoming a bundle, after it was given back. */
async function handleLease(worker: Worker, lease: Lease): Promise<GatewayError | undefined> {
  const { tools, queue } = worker;
  let made: SealedLease;
  try {
    made = await sealLease(tools, lease);
  } catch (error) {
    const fault = asGatewayError(error);
    await queue.fail({ leaseId: lease.leaseId, items: blamed(lease, fault) });
    tools.shell.log.error(
      { code: fault.code, detail: fault.detail, stream: lease.stream },
      "a bundle was not sealed",
    );
    return fault;
  }
  await commit(worker, lease, made.sealed);
  if (made.announces !== undefined) {
    tools.announcements.said(lease.stream, made.announces, tools.now());
  }
  return undefined;
}

/** These stop the items they name; any other fault gives the whole lease back. */
function speaksOfItems(fault: GatewayError): fault is BundleItemError | ItemsError {
  return fault instanceof BundleItemError || fault instanceof ItemsError;
}

function blamed(lease: Lease, fault: GatewayError) {
  if (!speaksOfItems(fault)) return [];
  const indexes = fault instanceof ItemsError ? fault.itemIndexes : [fault.itemIndex];
  return indexes.flatMap((index) => {
    const item = lease.items[index];
    return item === undefined ? [] : [{ exchangeId: item.exchangeId ?? null, code: fault.code }];
  });
}

/** Answers that leave open whether the commit happened: ask again with the same bundle. */
const UNCERTAIN: ReadonlySet<ErrorCode> = new Set([
  "rpc.unavailable",
  "rpc.deadline",
  "database.unavailable",
]);

async function commit({ tools, queue }: Worker, lease: Lease, sealed: SealedFile): Promise<void> {
  const { shell } = tools;
  const request = {
    leaseId: lease.leaseId,
    fence: lease.fence,
    stream: lease.stream,
    sequence: lease.sequence,
    exchangeIds: lease.items.map((item) => item.exchangeId ?? new Uint8Array()),
    ...sealed,
  };
  for (let pause = PAUSE_FIRST_MS; ; pause = Math.min(pause * 2, PAUSE_LONGEST_MS)) {
    try {
      await queue.commit(request, { signal: shell.closing });
      break;
    } catch (error) {
      const { code } = asGatewayError(error);
      if (UNCERTAIN.has(code) && !shell.closing.aborted) {
        await delay(pause, undefined, { signal: shell.closing }).catch(() => undefined);
        continue;
      }
      // Refused for certain: the file belongs to nothing. While closing it is left to the front-proxy.
      if (!shell.closing.aborted) await discardSealed(shell.config.outboxDir, sealed);
      throw error;
    }
  }
  await shell.journal.record([
    {
      type: "bundle.sealed",
      outcome: "ok",
      bundleId: sealed.bundleId,
      lane: lease.lane,
      actor: "seal",
      digest: sealed.headerDigest,
      size: sealed.size,
      policyVersion: lease.policyVersion,
      attributes: {
        items: String(lease.items.length),
        sequence: String(lease.sequence),
        stream: lease.stream,
      },
    },
  ]);
}
