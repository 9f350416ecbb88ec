/** Guarantee: names made before a call are durable when it resolves; callers that wait at one time share one fsync. */
import { syncDirectory } from "../durable.ts";

export class DirectorySync {
  readonly #path: string;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** A sync already under way may have begun before the name was made: it does not count. */
  sync(): Promise<void> {
    this.#next ??= this.#after(this.#running);
    return this.#next;
  }

  async #after(running: Promise<void> | undefined): Promise<void> {
    await running?.catch(() => undefined);
    this.#running = this.#next;
    this.#next = undefined;
    await syncDirectory(this.#path);
  }
}
