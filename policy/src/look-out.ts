/**
 * Guarantee: what must be looked after is looked at at once and then again and again, one look at a
 * time; a look that failed is told, and the next one comes.
 */
export abstract class LookOut {
  readonly #everyMs: number;
  readonly #failed: (error: unknown) => void;
  #looking: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;

  /** @param everyMs between two looks. @param failed told what a look threw. */
  constructor(everyMs: number, failed: (error: unknown) => void) {
    this.#everyMs = everyMs;
    this.#failed = failed;
  }

  protected abstract lookOnce(): Promise<void>;

  start(): void {
    this.#timer = setInterval(() => void this.look(), this.#everyMs);
    this.#timer.unref();
    void this.look();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  /** Looks once those before have ended; never throws. */
  look(): Promise<void> {
    this.#looking = this.#looking.then(() => this.lookOnce()).catch(this.#failed);
    return this.#looking;
  }
}
