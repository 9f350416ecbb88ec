/**
 * Guarantee: one file is under way at a time. Of the classes that wait an urgent file goes first, and every
 * class gets its share of the files, so that no class waits for ever.
 */

/** Of a line that is always full, in percent: urgent, normal, bulk, repeated passes. */
const SHARES: readonly number[] = [48, 32, 10, 10];
export const REPEAT_CLASS = 3;

export class Line {
  readonly #waiting: (() => void)[][] = SHARES.map(() => []);
  /** Virtual time of each class: bytes sent ÷ share. The smallest goes next. */
  readonly #times = SHARES.map(() => 0);
  #now = 0;
  #busy = false;

  /** Does the work when it is the class's turn. */
  async run<T>(serviceClass: number, bytes: number, work: () => Promise<T>): Promise<T> {
    if (this.#busy) await new Promise<void>((go) => this.#waiting[serviceClass]?.push(go));
    this.#busy = true;
    const start = Math.max(this.#times[serviceClass] ?? 0, this.#now);
    this.#now = start;
    this.#times[serviceClass] = start + bytes / (SHARES[serviceClass] ?? 1);
    try {
      return await work();
    } finally {
      const next = this.#next();
      if (next === undefined) this.#busy = false;
      else next();
    }
  }

  #next(): (() => void) | undefined {
    let best: number | undefined;
    let bestTime = Number.POSITIVE_INFINITY;
    for (const [serviceClass, waiting] of this.#waiting.entries()) {
      if (waiting.length === 0) continue;
      // A class that was idle does not save up: it starts from now.
      const time = Math.max(this.#times[serviceClass] ?? 0, this.#now);
      if (time < bestTime) {
        bestTime = time;
        best = serviceClass;
      }
    }
    return best === undefined ? undefined : this.#waiting[best]?.shift();
  }
}
