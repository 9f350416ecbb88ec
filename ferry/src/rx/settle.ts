/**
 * Guarantee: a whole object becomes a synced file that is judged, and lies under its name in the arrivals directory only
 * if it is good. Of two objects of one bundle one goes on, and of the other nothing is left.
 */
import { join } from "node:path";
import { bufferSource } from "@lightferry/proto/bundle";
import type { DoneLog } from "./done.ts";
import type { Incoming } from "./incoming.ts";
import type { Judge, Judgement } from "./judge.ts";
import { moveFile } from "./move-file.ts";
import type { PartialFile } from "./partial.ts";
import { writeArrival } from "./write-arrival.ts";

/** A bundle of which every byte is here, in memory or in a file of its own. */
export type WholeObject = Pick<
  Incoming,
  "bundleId" | "objectId" | "headerDigest" | "bytes" | "release"
> & {
  readonly geometry: { readonly size: number };
  readonly file: Pick<PartialFile, "path" | "complete" | "remove"> | undefined;
};

export interface SettlementParts {
  readonly arrivalsDir: string;
  readonly done: DoneLog;
  /** Bundles on their way, hex. */
  readonly inHand: Set<string>;
  readonly judge: Judge;
}

export class Settlement {
  readonly #parts: SettlementParts;
  /** Short ones that lie in their file and are held for a clock: in hand, and in nobody's memory. */
  readonly #laid = new WeakSet<WholeObject>();

  constructor(parts: SettlementParts) {
    this.#parts = parts;
  }

  /**
   * Makes the file of an object, judges it and, if it is good, moves it to the arrivals. What is not known is in hand
   * from here on.
   * @throws a fault of the disk, and what the judge throws: it may be tried again, and is in nobody's hand then, unless
   * what it had in memory was let go of
   */
  async settle(object: WholeObject): Promise<Judgement | "known"> {
    const { arrivalsDir, done, inHand } = this.#parts;
    const { bundleId, file } = object;
    if (!this.#laid.has(object) && (done.hasBundle(bundleId) || inHand.has(bundleId))) {
      await file?.remove(true);
      return "known";
    }
    // From here on: two ferries may have sent the bundle, as an object each.
    inHand.add(bundleId);
    try {
      const judged = await this.#fileAndJudge(object);
      if (!("refusal" in judged)) {
        await moveFile(this.#path(object), join(arrivalsDir, `${bundleId}.lfb`));
      }
      return judged;
    } catch (error) {
      if (!this.#laid.has(object)) inHand.delete(bundleId);
      throw error;
    }
  }

  #path({ file, bundleId }: WholeObject): string {
    return file?.path ?? join(this.#parts.arrivalsDir, `.${bundleId}.new`);
  }

  /** What a short object has in memory is not read back: each read is another wait. */
  async #fileAndJudge(object: WholeObject): Promise<Judgement> {
    const { judge } = this.#parts;
    const { bundleId, headerDigest, file, bytes } = object;
    const path = this.#path(object);
    if (file !== undefined) await file.complete();
    if (file !== undefined || this.#laid.has(object)) {
      return await judge.judge(path, bundleId, headerDigest);
    }
    const [written, judged] = await Promise.allSettled([
      writeArrival(path, bytes),
      judge.judge(path, bundleId, headerDigest, bufferSource(bytes)),
    ]);
    if (written.status === "rejected") throw written.reason;
    if (judged.status === "rejected") {
      // It waits for a heartbeat: bytes that wait in memory stop the gate, and then none comes.
      this.#laid.add(object);
      object.release();
      throw judged.reason;
    }
    return judged.value;
  }
}
