/** Guarantee: bytes a second over the last ten seconds, in bounded memory; a file counts whole when it is there. */

/** Files are few: a rate is that of some of them. */
const WINDOW_MS = 10_000;
const STEP_MS = 100;

export class Rate {
  readonly #steps: { readonly at: number; bytes: number }[] = [];

  add(bytes: number): void {
    const at = performance.now();
    const last = this.#steps.at(-1);
    if (last !== undefined && at - last.at < STEP_MS) last.bytes += bytes;
    else this.#steps.push({ at, bytes });
    this.#forget(at);
  }

  get bytesPerSecond(): number {
    this.#forget(performance.now());
    const sum = this.#steps.reduce((total, { bytes }) => total + bytes, 0);
    return Math.round(sum / (WINDOW_MS / 1_000));
  }

  #forget(now: number): void {
    while (this.#steps[0] !== undefined && now - this.#steps[0].at > WINDOW_MS) this.#steps.shift();
  }
}
