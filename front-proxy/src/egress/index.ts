/**
 * Guarantee: the sending side is one desk: submissions and uploads in, the seal
 * queue and the outbox out, and everything that was under way taken up again.
 *
 *   submit / uploads / folders ─▶ decided ─▶ permitted ─▶ seal queue ─▶ outbox ─▶ ferry tx
 */

import { GatewayError } from "@lightferry/proto/errors";
import { formatId } from "@lightferry/proto/ids";
import { bind, OutboxService, SealQueueService } from "@lightferry/proto/rpc";
import type { EgressDesk, FrontProxyContext } from "../context.ts";
import { Spool } from "../payload/spool.ts";
import { type ReceiptDesk, startReceipts } from "../receipts/index.ts";
import { readBacklog } from "./backlog.ts";
import { Doorbell } from "./doorbell.ts";
import { findExchange, listExchanges } from "./exchange-view.ts";
import { startFolders } from "./folder/index.ts";
import { OutboxDesk } from "./outbox-service.ts";
import { checkRetention } from "./retention.ts";
import { SendingRoom } from "./room.ts";
import { SealQueue } from "./seal-queue.ts";
import { SegmentStore } from "./segments.ts";
import { SpoolOutbox } from "./spool-outbox.ts";
import { decideAnew, stopExchange, whyNot } from "./stop-exchange.ts";
import { StoredDecider } from "./stored-decider.ts";
import { Submitter } from "./submit.ts";
import { removeOrphanPayloads, type SweepParts, sweepForever } from "./sweep.ts";
import { Uploads } from "./uploads.ts";

export interface Egress {
  readonly desk: EgressDesk;
  readonly submitter: Submitter;
  readonly uploads: Uploads;
  readonly room: SendingRoom;
  readonly receipts: ReceiptDesk;
  /** What a round of the sweep works on. */
  readonly sweep: SweepParts;
}

/**
 * Opens the sending side; parts close with the shell, last opened first.
 * @throws GatewayError `config.invalid` when bundles would be kept too short a time to repair.
 */
export async function startEgress(context: FrontProxyContext): Promise<Egress> {
  const { pool, shell, config } = context;
  checkRetention(context);
  const spool = await Spool.open(config.spoolDir, {
    highWaterBytes: config.limits.spoolHighWaterBytes,
    reserveBytes: config.limits.spoolReserveBytes,
  });
  const segments = new SegmentStore(pool, spool, context.vault);
  const stores = { spool, segments };
  const outbox = await SpoolOutbox.open(pool, config.outboxDir);
  const room = await SendingRoom.open(context, spool, outbox);
  const permitted = new Doorbell();
  // First of all: until then PostgreSQL may still be committing a batch whose files have no row.
  const submitter = await Submitter.start(context, { spool, room }, permitted);
  shell.onClose(() => submitter.close());
  const removed = {
    payloads: await removeOrphanPayloads(context, stores),
    bundles: await outbox.removeOrphans(0),
  };
  if (removed.payloads + removed.bundles > 0) shell.log.info(removed, "removed files of a crash");

  const decider = new StoredDecider(context, stores, () => permitted.ring());
  shell.onClose(() => decider.close());
  const uploads = new Uploads(context, room, segments, () => decider.kick());
  const stop = new AbortController();
  const sweep = {
    stores,
    uploads,
    outbox,
    room,
    undecided: () => decider.kick(),
    settle: () => submitter.settle(),
  };
  const sweeping = sweepForever(context, sweep, stop.signal);
  shell.onClose(async () => {
    stop.abort();
    await sweeping;
  });

  const receipts = startReceipts(context, submitter);
  const sealQueue = new SealQueue(context, permitted, outbox);
  const ferryDesk = new OutboxDesk(context, outbox, spool);
  const desk: EgressDesk = {
    bindings: [
      bind(
        SealQueueService,
        {
          lease: (request, call) => sealQueue.lease(request, call),
          commit: (request) => sealQueue.commit(request),
          fail: (request) => sealQueue.fail(request),
          leaseReceipts: (request, call) => receipts.lease(request, call),
          commitReceipts: (request) => receipts.commit(request),
        },
        {
          lease: ["seal"],
          commit: ["seal"],
          fail: ["seal"],
          leaseReceipts: ["seal"],
          commitReceipts: ["seal"],
        },
      ),
      bind(
        OutboxService,
        {
          lease: (request, call) => ferryDesk.lease(request, call),
          ack: (request) => ferryDesk.ack(request),
          renew: (request) => ferryDesk.renew(request),
          listEmitted: (request) => ferryDesk.listEmitted(request),
          recall: (request) => ferryDesk.recall(request),
        },
        {
          lease: ["ferry-tx", "media-tx"],
          ack: ["ferry-tx", "media-tx"],
          renew: ["ferry-tx"],
          listEmitted: ["ferry-tx"],
          recall: ["ferry-tx"],
        },
      ),
    ],
    find: (exchangeId, caller) => findExchange(pool, exchangeId, caller),
    list: (filter) => listExchanges(pool, filter),
    cancel: async (exchangeId, reason, actor) => {
      const refusal = { code: "exchange.cancelled", rule: "", reason };
      const by = { actor, reason };
      const id = formatId(exchangeId);
      const done = await stopExchange(context, stores, id, "cancelled", refusal, by);
      if (!done) throw await whyNot(context, exchangeId);
      return "cancelled";
    },
    backlog: async (lane, bytesPerSecond) => {
      const ours = context.registry().document.lanes.filter(({ from }) => from === config.zone);
      const asked = ours.map(({ id }) => id).filter((id) => lane === "" || id === lane);
      if (asked.length === 0 && lane !== "") {
        throw new GatewayError("submit.lane-unknown", { detail: lane });
      }
      return { lanes: await readBacklog(pool, asked, bytesPerSecond), room: room.state };
    },
    retry: async (exchangeId, actor) => {
      const by = { actor, reason: "" };
      const done = await decideAnew(context, formatId(exchangeId), by);
      if (!done) throw await whyNot(context, exchangeId);
      decider.kick();
      return "received";
    },
  };
  if (config.watch !== null) {
    const folders = await startFolders(context, config.watch, { uploads });
    shell.onClose(() => folders.close());
  }
  return { desk, submitter, uploads, room, receipts, sweep };
}
