/**
 * Guarantee: a disk or journal in trouble costs a bundle time and nothing else: what must be done for it is tried until
 * it is, and who is to help is told once.
 */
import { asGatewayError } from "@lightferry/proto/errors";
import type { Troubles } from "@lightferry/proto/service";
import type { Log } from "../events.ts";
import { untilAnswered } from "../retry.ts";
import { asStorageFault } from "../storage-fault.ts";
import { SPACELESS } from "./write-arrival.ts";

export interface StoringParts {
  readonly lane: string;
  readonly log: Log;
  readonly troubles: Troubles;
  readonly signal: AbortSignal;
}

export class Storing {
  readonly #parts: StoringParts;

  constructor(parts: StoringParts) {
    this.#parts = parts;
  }

  /**
   * Does the work for a bundle, again and again until it is done; it must do no harm twice.
   * @throws GatewayError {@link SPACELESS}; the reason of the abort
   */
  async persist<T>(bundleId: string, work: () => Promise<T>): Promise<T> {
    const { lane, log, troubles, signal } = this.#parts;
    const subject = { bundleId: Buffer.from(bundleId, "hex"), lane };
    const done = await untilAnswered(work, signal, (error) => {
      const fault = asStorageFault(error);
      const { code, detail } = asGatewayError(fault);
      if (code === SPACELESS) {
        // It is tried no more: what was told of it before has come to its end as well.
        void troubles.over("storing", subject);
        return false;
      }
      const cause = (error as NodeJS.ErrnoException).code;
      log.error({ bundle: bundleId, code, detail, cause }, "not stored, tried again");
      void troubles.met("storing", fault, subject);
      return true;
    });
    await troubles.over("storing", subject);
    return done;
  }
}
