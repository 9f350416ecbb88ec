/**
 * Guarantee: a wait ends when the bell has rung since the caller last looked,
 * when its time is over or when it is called off, whichever is first; it never
 * spins and never sleeps through a ring.
 */
export class Doorbell {
  readonly #waiting = new Set<() => void>();
  #rings = 0;

  /** Read before looking for work; pass to {@link wait} when there was none. */
  get rings(): number {
    return this.#rings;
  }

  ring(): void {
    this.#rings += 1;
    for (const wake of this.#waiting) wake();
  }

  /**
   * Resolves on a ring later than `since`, after `ms`, or on abort.
   * @param since value of {@link rings} before the caller looked.
   */
  wait(since: number, ms: number, signal?: AbortSignal): Promise<void> {
    if (since !== this.#rings || signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        signal?.removeEventListener("abort", wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#waiting.add(wake);
      signal?.addEventListener("abort", wake, { once: true });
    });
  }
}
