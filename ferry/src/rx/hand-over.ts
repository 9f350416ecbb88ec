/**
 * Guarantee: a bundle that lies in the arrivals directory is durable there and on record before the inbox hears of it,
 * is delivered until the inbox answers, and only then remembered as done and removed.
 */
import { unlink } from "node:fs/promises";
import { join } from "node:path";
import type { SenderTime } from "@lightferry/proto/bundle";
import { asGatewayError } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import type { Troubles } from "@lightferry/proto/service";
import type { EventSink, FerryEvent, Log } from "../events.ts";
import { untilAnswered } from "../retry.ts";
import type { Arrival } from "./arrival.ts";
import { DirectorySync } from "./directory-sync.ts";
import type { DoneLog } from "./done.ts";
import type { Storing } from "./storing.ts";

type DeliverRequest = lightferry.ferry.v1.DeliverRequest.$Properties;
type DeliverResponse = lightferry.ferry.v1.DeliverResponse.$Properties;

export interface HandOverParts {
  readonly lane: string;
  readonly arrivalsDir: string;
  readonly done: DoneLog;
  readonly events: EventSink;
  readonly log: Log;
  /** What the heartbeats of this run tell of the sender's clock; undefined before the first. */
  readonly senderTime: () => SenderTime | undefined;
  /** This machine's clock, Unix milliseconds. */
  readonly clock: () => number;
  readonly deliver: (request: DeliverRequest) => Promise<DeliverResponse>;
  readonly troubles: Troubles;
  readonly storing: Storing;
  /** Bundles on their way, hex. */
  readonly inHand: Set<string>;
  readonly signal: AbortSignal;
}

export class HandOver {
  /** Quarantined: by the inbox. */
  readonly counts = { arrived: 0, delivered: 0, duplicates: 0, quarantined: 0 };
  readonly #parts: HandOverParts;
  readonly #directory: DirectorySync;
  #waiting = 0;

  constructor(parts: HandOverParts) {
    this.#parts = parts;
    this.#directory = new DirectorySync(parts.arrivalsDir);
  }

  /** Arrived and not yet taken by the inbox. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * The verified file lies in the arrivals directory: makes that durable, says so, hands it over.
   * @throws the reason of the abort
   */
  async arrived(
    arrival: Arrival,
    objectId: number,
    more: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const { lane, events, done, storing, inHand } = this.#parts;
    const { bundleId, headerDigest, size, stream, sequence } = arrival;
    inHand.add(bundleId);
    const event: FerryEvent = {
      type: "bundle.arrived",
      outcome: "ok",
      bundleId: Buffer.from(bundleId, "hex"),
      lane,
      digest: headerDigest,
      size,
      attributes: { object: String(objectId), sequence: String(sequence), stream, ...more },
    };
    let recorded = false;
    // Side by side: an urgent bundle waits for the longer of two syncs instead of for both. A crash between them may leave the
    // event alone: the bundle comes again, and has a second one.
    const record = async (): Promise<void> => {
      if (!recorded) await events.record([event]);
      recorded = true;
    };
    await storing.persist(bundleId, async () => {
      for (const step of await Promise.allSettled([this.#directory.sync(), record()])) {
        if (step.status === "rejected") throw step.reason;
      }
    });
    this.counts.arrived += 1;
    done.streams.arrived(stream, sequence);
    await this.#deliver(arrival);
    await storing.persist(bundleId, () => done.add({ objectId, bundleId, stream, sequence }));
    inHand.delete(bundleId);
    // A file that was taken was moved away; that of a duplicate was left.
    await unlink(join(this.#parts.arrivalsDir, `${bundleId}.lfb`)).catch(() => undefined);
  }

  /** Delivers until the inbox answers. */
  async #deliver(arrival: Arrival): Promise<void> {
    const { lane, deliver, signal, log, clock, senderTime, troubles } = this.#parts;
    const { bundleId, headerDigest, size } = arrival;
    const subject = { bundleId: Buffer.from(bundleId, "hex"), lane };
    const file = `${bundleId}.lfb`;
    const request = { ...subject, file, size, headerDigest, receivedMs: clock() };
    this.#waiting += 1;
    try {
      const { status = "", code = "" } = await untilAnswered(
        // The sender's time of each try, not of the first: the inbox may be away for hours.
        () => deliver({ ...request, senderTime: senderTime() ?? null }),
        signal,
        (error) => {
          const { code: reason, detail } = asGatewayError(error);
          log.warn({ bundle: bundleId, code: reason, detail }, "not delivered, tried again");
          void troubles.met("delivering", error, subject);
          return true;
        },
      );
      await troubles.over("delivering", subject);
      this.counts.delivered += 1;
      if (status === "duplicate") this.counts.duplicates += 1;
      else if (status === "quarantined") this.counts.quarantined += 1;
      if (status !== "accepted") log.warn({ bundle: bundleId, status, code }, "inbox answered");
    } finally {
      this.#waiting -= 1;
    }
  }
}
