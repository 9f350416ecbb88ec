/** Guarantee: the share of frames lost in the last seconds, exact over whole heartbeats, in bounded memory. */

/** Twenty heartbeats a second are looked at, ten minutes is the longest window. */
const MAX_STEPS = 20 * 600;

export class LossRate {
  readonly #windowMs: number;
  readonly #steps: { readonly at: number; readonly frames: number; readonly lost: number }[] = [];
  #frames = 0;
  #lost = 0;

  constructor(windowSeconds: number) {
    this.#windowMs = windowSeconds * 1_000;
  }

  /** Frames that were accounted for. @param at monotonic milliseconds */
  add(at: number, frames: number, lost: number): void {
    this.#steps.push({ at, frames, lost });
    this.#frames += frames;
    this.#lost += lost;
    for (let oldest = this.#steps[0]; oldest !== undefined; oldest = this.#steps[0]) {
      if (at - oldest.at < this.#windowMs && this.#steps.length <= MAX_STEPS) break;
      this.#frames -= oldest.frames;
      this.#lost -= oldest.lost;
      this.#steps.shift();
    }
  }

  get frames(): number {
    return this.#frames;
  }

  get lost(): number {
    return this.#lost;
  }

  /** 0 … 1000. */
  get permille(): number {
    return this.#frames === 0 ? 0 : (this.#lost * 1_000) / this.#frames;
  }
}
