/**
 * Guarantee: a receipt exists only after the exchange is committed. Whatever
 * is submitted at the same time shares one decision, one journal write and one
 * commit; a fault anywhere accepts nothing and says so.
 */
import { GatewayError } from "@lightferry/proto/errors";
import { newId } from "@lightferry/proto/ids";
import type { FrontProxyContext } from "../context.ts";
import type { Spool } from "../payload/spool.ts";
import type { Doorbell } from "./doorbell.ts";
import { Drain } from "./drain.ts";
import type { Receipt, RequestSubmission } from "./submission.ts";
import { runBatch, type Slot } from "./submit-batch.ts";

/** policy.proto: a Decide takes 1,024 items and 4 MiB of content. */
const BATCH_ITEMS = 1_024;
const BATCH_BYTES = 4 * 1_048_576;
/** Two: while one batch commits, the next is decided. More would only make batches smaller. */
const BATCH_RUNS = 2;
/** About five seconds of work at full rate; a caller that would wait longer is better told 429. */
const MAX_WAITING = 16_384;
const MAX_WAITING_BYTES = 64 * 1_048_576;
/** Fixed part of an item on the wire: ids, names, framing. */
const ITEM_OVERHEAD = 512;

export class Submitter {
  readonly #spool: Spool;
  readonly #drain: Drain<Slot, Receipt>;
  /** Same key twice at the same moment: the second waits for what becomes of the first. */
  readonly #underWay = new Map<string, { digest: string; receipt: Promise<Receipt> }>();

  constructor(context: FrontProxyContext, spool: Spool, permitted: Doorbell) {
    this.#spool = spool;
    this.#drain = new Drain({
      maxItems: BATCH_ITEMS,
      maxBytes: BATCH_BYTES,
      runs: BATCH_RUNS,
      maxWaiting: MAX_WAITING,
      maxWaitingBytes: MAX_WAITING_BYTES,
      weigh: (slot) => slot.submission.content.length + ITEM_OVERHEAD,
      run: async (slots) => {
        await runBatch(context, spool, slots);
        if (slots.some((slot) => slot.decided?.state === "permitted")) permitted.ring();
        return slots.map((slot) => slot.answer ?? new GatewayError("internal.fault"));
      },
    });
  }

  /**
   * Decides and keeps one request.
   * @throws GatewayError `spool.full`, `spool.disk-full`, `idempotency.conflict`, `api.busy`,
   *   `database.unavailable`, `rpc.unavailable`, `journal.full`: nothing was accepted.
   */
  async submit(submission: RequestSubmission): Promise<Receipt> {
    await this.#spool.assertRoom(submission.content.length);
    const { idempotency } = submission;
    if (idempotency === undefined) return this.#push(submission);

    const key = `${submission.caller}\n${hex(idempotency.keyDigest)}`;
    const digest = hex(idempotency.contentDigest);
    const first = this.#underWay.get(key);
    if (first !== undefined) {
      if (first.digest !== digest) throw new GatewayError("idempotency.conflict");
      return { ...(await first.receipt), repeated: true };
    }
    const receipt = this.#push(submission);
    this.#underWay.set(key, { digest, receipt });
    try {
      return await receipt;
    } finally {
      this.#underWay.delete(key);
    }
  }

  /** Takes no more and resolves when what was taken has been answered. */
  close(): Promise<void> {
    return this.#drain.close();
  }

  #push(submission: RequestSubmission): Promise<Receipt> {
    return this.#drain.push({ id: newId(), submission, submittedMs: Date.now() });
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}
