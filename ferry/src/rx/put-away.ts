/**
 * Guarantee: a refused bundle is on record before it leaves the arrivals, lies among the refused or in quarantine, is
 * told to the inbox where its sender may hear of it, and is remembered as done; until then it is in hand, so that a copy
 * is neither judged nor told again.
 */
import { isSendersOwn } from "@lightferry/proto/bundle";
import { asGatewayError } from "@lightferry/proto/errors";
import type { EventSink, Log } from "../events.ts";
import { untilAnswered } from "../retry.ts";
import type { DoneLog } from "./done.ts";
import type { HandOverParts } from "./hand-over.ts";
import type { Refusal } from "./judge.ts";
import type { Quarantine } from "./quarantine.ts";
import type { RefusedBundles } from "./refused.ts";
import type { Storing } from "./storing.ts";

export interface PutAwayParts
  extends Pick<HandOverParts, "deliver" | "clock" | "troubles" | "signal"> {
  readonly lane: string;
  readonly refused: RefusedBundles;
  readonly quarantine: Quarantine;
  readonly done: DoneLog;
  readonly events: EventSink;
  readonly log: Log;
  readonly storing: Storing;
  /** Bundles on their way, hex. */
  readonly inHand: Set<string>;
}

/** What is known of the object that brought a bundle. */
export interface RefusedObject {
  readonly objectId: number;
  readonly headerDigest: Uint8Array;
  readonly geometry: { readonly size: number };
}

export class PutAway {
  /** Quarantined: here, not by the inbox. */
  readonly counts = { quarantined: 0, refused: 0 };
  readonly #parts: PutAwayParts;

  constructor(parts: PutAwayParts) {
    this.#parts = parts;
  }

  /**
   * @param object undefined when a former run left the bundle
   * @returns whether it lies in quarantine
   * @throws the reason of the abort
   */
  async refused(
    refusal: Refusal,
    bundleId: string,
    object: RefusedObject | undefined,
  ): Promise<boolean> {
    const { inHand } = this.#parts;
    let keep: boolean;
    try {
      keep = await this.#move(refusal, bundleId, object);
    } finally {
      // Not before it is remembered: a copy that came meanwhile would be judged and told again, and take the file.
      inHand.delete(bundleId);
    }
    this.counts[keep ? "quarantined" : "refused"] += 1;
    return keep;
  }

  async #move(
    { refusal, path }: Refusal,
    bundleId: string,
    object: RefusedObject | undefined,
  ): Promise<boolean> {
    const { events, lane, log, refused, quarantine, done, storing } = this.#parts;
    const { code, detail } = refusal;
    const keep = quarantine.keeps(code);
    log.warn({ bundle: bundleId, code, detail }, "bundle refused");
    const facts =
      object === undefined ? {} : { digest: object.headerDigest, size: object.geometry.size };
    const id = Buffer.from(bundleId, "hex");
    await storing.persist(bundleId, () =>
      events.record([
        {
          type: "bundle.refused",
          outcome: "refused",
          ...{ code, bundleId: id, lane, ...facts },
          ...(keep ? { attributes: { kept: "quarantine" } } : {}),
        },
      ]),
    );
    await storing.persist(bundleId, () => (keep ? quarantine : refused).take(path, bundleId));
    // Before the inbox is told, which may be away while thousands come.
    if (!keep) await refused.trim();
    if (isSendersOwn(code)) await this.#tell(code, id, object?.headerDigest ?? NO_DIGEST);
    // It fills no position of its stream: the gap stays open until a good one comes.
    const over = { objectId: object?.objectId ?? 0, bundleId, stream: "", sequence: 0 };
    await storing.persist(bundleId, () => done.add(over));
    return keep;
  }

  /** Until the inbox has it: once the bundle is done nobody comes back to it. */
  async #tell(refusedCode: string, bundleId: Uint8Array, headerDigest: Uint8Array): Promise<void> {
    const { lane, deliver, clock, log, signal, troubles } = this.#parts;
    const subject = { bundleId, lane };
    const request = { ...subject, headerDigest, receivedMs: clock(), refusedCode };
    await untilAnswered(
      () => deliver(request),
      signal,
      (error) => {
        const { code, detail } = asGatewayError(error);
        log.warn(
          { bundle: Buffer.from(bundleId).toString("hex"), code, detail },
          "refusal not told",
        );
        void troubles.met("delivering", error, subject);
        return true;
      },
    );
    await troubles.over("delivering", subject);
  }
}

/** What is known of a file that a former run left is its id. */
const NO_DIGEST = new Uint8Array(32);
