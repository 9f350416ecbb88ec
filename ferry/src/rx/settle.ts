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

  constructor(parts: SettlementParts) {
    this.#parts = parts;
  }

  /**
   * Makes the file of an object, judges it and, if it is good, moves it to the arrivals. What is not known is in hand
   * from here on.
   * @throws a fault of the disk, and what the judge throws: it is in nobody's hand then, and may be tried again
   */
  async settle(object: WholeObject): Promise<Judgement | "known"> {
    const { arrivalsDir, done, inHand } = this.#parts;
    const { bundleId, file } = object;
    if (done.hasBundle(bundleId) || inHand.has(bundleId)) {
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
      inHand.delete(bundleId);
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
    if (file !== undefined) {
      await file.complete();
      return await judge.judge(path, bundleId, headerDigest);
    }
    const [written, judged] = await Promise.allSettled([
      writeArrival(path, bytes),
      judge.judge(path, bundleId, headerDigest, bufferSource(bytes)),
    ]);
    if (written.status === "rejected") throw written.reason;
    if (judged.status === "rejected") throw judged.reason;
    return judged.value;
  }
}
