/**
 * Guarantee: over any stretch of time no more than rate × time plus a small
 * tolerance is let through. There is no unpaced mode: a fast sender overruns a
 * slow receiver, and nobody can tell it so through a one-way gate.
 */
import { GatewayError } from "@lightferry/proto/errors";

/**
 * How far behind its schedule a sender may catch up at once. Timers of a busy
 * machine come some milliseconds late; without tolerance that time would be lost,
 * with much more of it bursts would overrun the receiver's buffer.
 */
export const CATCH_UP_MS = 4;

/**
 * A sender that has to wait sleeps so much longer and then sends what has become due without a pause: to fall
 * asleep and wake costs a processor as much as the sending of a burst. A quarter of what it may catch up.
 */
const TOGETHER_MS = 1;

/** Slower than this no heartbeat would fit its second. */
const MIN_RATE = 10_000;

export class Pacer {
  readonly #rate: number;
  /** When the line is free again, in milliseconds of the caller's clock. */
  #freeAt = Number.NEGATIVE_INFINITY;

  /** @param bytesPerSecond wire bytes, at least 10,000 */
  constructor(bytesPerSecond: number) {
    if (!(bytesPerSecond >= MIN_RATE) || !Number.isFinite(bytesPerSecond)) {
      throw new GatewayError("config.invalid", {
        detail: `gate.rateBytesPerSecond below ${MIN_RATE}`,
      });
    }
    this.#rate = bytesPerSecond / 1000;
  }

  /** Milliseconds to sleep before the next burst leaves; 0 = none. */
  delay(nowMs: number): number {
    const early = this.#freeAt - nowMs;
    return early > 0 ? early + TOGETHER_MS : 0;
  }

  /** Takes the time that `wireBytes` need on the line. */
  spend(wireBytes: number, nowMs: number): void {
    const from = Math.max(this.#freeAt, nowMs - CATCH_UP_MS);
    this.#freeAt = from + wireBytes / this.#rate;
  }
}
