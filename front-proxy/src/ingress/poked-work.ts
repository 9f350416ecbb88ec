/**
 * Guarantee: work that is poked runs one at a time, and again for every poke
 * that came while it ran: none is lost. After a fault it rests, then runs again.
 *
 * idle ─poke▶ running ─┬ done, poked meanwhile or more waits ▶ running
 *                      ├ done ▶ idle
 *                      └ fault ▶ resting ─time▶ running
 */

export interface PokedWorkOptions {
  /** One round. @returns true when more may wait. */
  readonly round: () => Promise<boolean>;
  /** Rest after a fault, milliseconds. */
  readonly pauseMs: number;
  readonly failed: (error: unknown) => void;
}

export class PokedWork {
  readonly #options: PokedWorkOptions;
  #running: Promise<void> | undefined;
  #again = false;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: PokedWorkOptions) {
    this.#options = options;
  }

  /** True once it is to end: a long round looks here between its steps. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** There may be work. */
  poke(): void {
    if (this.#stopped) return;
    this.#again = true;
    this.#running ??= this.#ended(this.#run());
  }

  /** Runs something else while no round runs; pokes that come meanwhile are taken up afterwards. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    while (this.#running !== undefined) await this.#running;
    const result = work();
    this.#running = this.#ended(
      result.then(
        () => undefined,
        () => undefined,
      ),
    );
    return result;
  }

  /** Ends after the round, or the work alone, that is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  #ended(run: Promise<void>): Promise<void> {
    return run.finally(() => {
      this.#running = undefined;
      if (this.#again) this.poke();
    });
  }

  async #run(): Promise<void> {
    while (this.#again && !this.#stopped) {
      this.#again = false;
      try {
        if (await this.#options.round()) this.#again = true;
      } catch (error) {
        this.#options.failed(error);
        // What was poked meanwhile rests with it.
        this.#again = false;
        clearTimeout(this.#timer);
        if (!this.#stopped) {
          this.#timer = setTimeout(() => this.poke(), this.#options.pauseMs);
        }
        return;
      }
    }
  }
}
