/** Guarantee: files leave no faster than the profile says, in files a minute and in bytes a second, and never in bursts. */
import { setTimeout as delay } from "node:timers/promises";
import type { Profile } from "../profile.ts";

const MINUTE_MS = 60_000;

export class Pace {
  readonly #fileMs: number;
  readonly #byteMs: number;
  /** Monotonic milliseconds before which nothing may begin. */
  #free = 0;

  constructor({
    filesPerMinute,
    bytesPerSecond,
  }: Pick<Profile, "filesPerMinute" | "bytesPerSecond">) {
    this.#fileMs = filesPerMinute === 0 ? 0 : MINUTE_MS / filesPerMinute;
    this.#byteMs = bytesPerSecond === 0 ? 0 : 1_000 / bytesPerSecond;
  }

  /** Resolves when a file of so many bytes may go; its time is charged to the next one. @throws the reason of the abort */
  async turn(bytes: number, signal: AbortSignal): Promise<void> {
    const now = performance.now();
    const wait = this.#free - now;
    this.#free = Math.max(this.#free, now) + Math.max(this.#fileMs, bytes * this.#byteMs);
    if (wait > 0) await delay(wait, undefined, { signal });
  }
}
