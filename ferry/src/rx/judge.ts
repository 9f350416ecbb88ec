/**
 * Guarantee: a file is an arrival, or a refusal whose cause is the bundle; a disk that fails and a clock that may be
 * wrong are neither, but thrown, so that it is looked at again.
 */
import {
  type ByteSource,
  type ReceivedBundle,
  readHeader,
  type SenderTime,
  type VerifyContext,
} from "@lightferry/proto/bundle";
import { GatewayError } from "@lightferry/proto/errors";
import type { SmProvider } from "@lightferry/proto/sm";
import { type Arrival, arrivalOf } from "./arrival.ts";
import { ClockDoubt } from "./clock-doubt.ts";

export interface JudgeParts {
  readonly provider: SmProvider;
  readonly verifyContext: () => VerifyContext;
  /** What the heartbeats of this run tell of the sender's clock; undefined before the first. */
  readonly senderTime: () => SenderTime | undefined;
  /** This machine's clock, Unix milliseconds. */
  readonly clock: () => number;
}

export interface Refusal {
  readonly refusal: GatewayError;
  readonly path: string;
  /** How often trust had changed when it was judged. */
  readonly round: number;
}

/** What a file is found to be. */
export type Judgement = Arrival | Refusal;

export class Judge {
  /** What is held for a clock. */
  readonly doubt: ClockDoubt;
  readonly #parts: JudgeParts;
  #round = 0;

  constructor(parts: JudgeParts) {
    this.#parts = parts;
    this.doubt = new ClockDoubt(parts);
  }

  /** What is judged from now on is judged by other keys than before. */
  trustChanged(): void {
    this.#round += 1;
  }

  /** Whether the keys are still those by which it was judged. */
  stands({ round }: Refusal): boolean {
    return round === this.#round;
  }

  /**
   * Reads and verifies the header of a file.
   * @param bundleId hex, as announced @param headerDigest where the manifest is known
   * @param from where its bytes are, when not in the file
   * @throws a fault of the disk; GatewayError `bundle.expired`, `bundle.from-future` while {@link doubt} holds it
   */
  async judge(
    path: string,
    bundleId: string,
    headerDigest?: Uint8Array,
    from: string | ByteSource = path,
  ): Promise<Judgement> {
    const { provider, verifyContext } = this.#parts;
    const round = this.#round;
    // With the context, before the file is read: a heartbeat that comes in between has not judged it.
    const judging = this.doubt.begin();
    let received: ReceivedBundle | undefined;
    try {
      const context = verifyContext();
      received = await readHeader(from);
      const arrival = arrivalOf(provider, received, context, bundleId, headerDigest);
      this.doubt.over(bundleId);
      return arrival;
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      const header = received?.header;
      if (header && this.doubt.holds(bundleId, error.code, judging, header)) throw error;
      this.doubt.over(bundleId);
      return { refusal: error, path, round };
    }
  }
}
