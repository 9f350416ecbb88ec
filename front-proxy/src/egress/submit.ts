/**
 * Guarantee: a receipt exists only after the exchange is committed. Whatever
 * is submitted at the same time shares one decision, one journal write and one
 * commit; a fault anywhere accepts nothing and says so.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { GatewayError } from "@lightferry/proto/errors";
import { newId } from "@lightferry/proto/ids";
import type { FrontProxyContext } from "../context.ts";
import type { Spool } from "../payload/spool.ts";
import type { Doorbell } from "./doorbell.ts";
import { Drain } from "./drain.ts";
import { InFlightFile } from "./in-flight.ts";
import type { SendingRoom } from "./room.ts";
import { settleInFlight } from "./settle.ts";
import type { Receipt, RequestSubmission } from "./submission.ts";
import { runBatch, type Slot } from "./submit-batch.ts";

/** policy.proto: a Decide takes 1,024 items and 4 MiB of content. */
const BATCH_ITEMS = 1_024;
const BATCH_BYTES = 4 * 1_048_576;
/** Two: while one batch commits, the next is decided. More would only make batches smaller. */
const BATCH_RUNS = 2;
/** A run has one batch in flight; one file more, so that the sweep never keeps a run waiting. */
const IN_FLIGHT_FILES = BATCH_RUNS + 1;
/**
 * A decision, its signature and the checks of it all along the way cost as much for one item as for
 * a hundred. A request behind a small batch waits half of this on average.
 */
const GATHER_MS = 25;
const GATHER_ITEMS = 128;
/** About five seconds of work at full rate; a caller that would wait longer is better told 429. */
const MAX_WAITING = 16_384;
const MAX_WAITING_BYTES = 64 * 1_048_576;
/** Fixed part of an item on the wire: ids, names, framing. */
const ITEM_OVERHEAD = 512;

export interface SubmitStores {
  readonly spool: Spool;
  readonly room: SendingRoom;
}

export class Submitter {
  readonly #room: SendingRoom;
  readonly #drain: Drain<Slot, Receipt>;
  /** Same key twice at the same moment: the second waits for what becomes of the first. */
  readonly #underWay = new Map<string, { digest: string; receipt: Promise<Receipt> }>();

  readonly #context: FrontProxyContext;
  readonly #inFlight: readonly InFlightFile[];
  readonly #free: InFlightFile[];

  private constructor(
    context: FrontProxyContext,
    { spool, room }: SubmitStores,
    permitted: Doorbell,
    inFlight: readonly InFlightFile[],
  ) {
    this.#context = context;
    this.#room = room;
    this.#inFlight = inFlight;
    this.#free = [...inFlight];
    this.#drain = new Drain({
      maxItems: BATCH_ITEMS,
      maxBytes: BATCH_BYTES,
      runs: BATCH_RUNS,
      gatherMs: GATHER_MS,
      gatherItems: GATHER_ITEMS,
      maxWaiting: MAX_WAITING,
      maxWaitingBytes: MAX_WAITING_BYTES,
      weigh: (slot) => slot.submission.content.length + ITEM_OVERHEAD,
      run: async (slots) => {
        await this.#withFile((inFlight) => runBatch(context, spool, inFlight, slots));
        if (slots.some((slot) => slot.decided?.state === "permitted")) permitted.ring();
        return slots.map((slot) => slot.answer ?? new GatewayError("internal.fault"));
      },
    });
  }

  /**
   * Closes what a crash left without an outcome, before anything else looks at the exchanges.
   * @throws GatewayError `database.unavailable`, `journal.full`.
   */
  static async start(
    context: FrontProxyContext,
    stores: SubmitStores,
    permitted: Doorbell,
  ): Promise<Submitter> {
    const { stateDir } = context.config;
    await mkdir(stateDir, { recursive: true, mode: 0o700 });
    const files: InFlightFile[] = [];
    for (let number = 0; number < IN_FLIGHT_FILES; number += 1) {
      files.push(await InFlightFile.open(join(stateDir, `in-flight-${number}`)));
    }
    const submitter = new Submitter(context, stores, permitted, files);
    const closed = await submitter.settle();
    if (closed > 0) context.shell.log.warn({ closed }, "closed submissions that were cut short");
    return submitter;
  }

  /**
   * Closes what the database or a crash left open, of batches that are not running.
   * @returns how many exchanges were closed.
   */
  async settle(): Promise<number> {
    let closed = 0;
    for (const _ of this.#free.filter((file) => file.named.length > 0)) {
      await this.#withFile(async (file) => {
        closed += await settleInFlight(this.#context, file);
      });
    }
    return closed;
  }

  /**
   * Decides and keeps one request.
   * @throws GatewayError `spool.full`, `spool.disk-full`, `idempotency.conflict`, `api.busy`,
   *   `database.unavailable`, `rpc.unavailable`, `journal.full`: nothing was accepted.
   */
  async submit(submission: RequestSubmission): Promise<Receipt> {
    await this.#room.assertRoom(submission.content.length);
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
  async close(): Promise<void> {
    await this.#drain.close();
    for (const file of this.#inFlight) await file.close();
  }

  /** Runs `work` with a file that no other run uses; one with something left to settle first. */
  async #withFile(work: (file: InFlightFile) => Promise<void>): Promise<void> {
    const open = this.#free.findIndex((file) => file.named.length > 0);
    const [file] = this.#free.splice(Math.max(open, 0), 1);
    if (file === undefined) throw new GatewayError("api.busy", { detail: "no free run" });
    try {
      await work(file);
    } finally {
      this.#free.push(file);
    }
  }

  #push(submission: RequestSubmission): Promise<Receipt> {
    return this.#drain.push({ id: newId(), submission, submittedMs: Date.now() });
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}
