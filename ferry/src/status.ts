/** Guarantee: `status.json` in the state directory is always one whole, recent picture for `lightferry ferry status`. */
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Picture, pictureOf } from "./picture.ts";

export const STATUS_FILE = "status.json";
const EVERY_MS = 1_000;

export class StatusFile {
  readonly #path: string;
  readonly #read: () => object;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;

  constructor(stateDir: string, read: () => object) {
    this.#path = join(stateDir, STATUS_FILE);
    this.#read = read;
  }

  /** The same for the figures, now. */
  picture(): Picture {
    return pictureOf({ timeMs: Date.now(), pid: process.pid, ...this.#read() });
  }

  start(): void {
    this.#timer = setInterval(() => this.#tick(), EVERY_MS);
    this.#tick();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#writing;
  }

  #tick(): void {
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
  }

  /** No fsync: a picture of a moment need not survive a power cut. */
  async #write(): Promise<void> {
    const text = `${JSON.stringify({ timeMs: Date.now(), pid: process.pid, ...this.#read() })}\n`;
    try {
      await writeFile(`${this.#path}.new`, text, { mode: 0o640 });
      await rename(`${this.#path}.new`, this.#path);
    } catch {
      // A full disk shows in the log of what matters.
    }
  }
}
