/**
 * Guarantee: an appliance of the test's own that ferries files from one folder to another as badly as it is
 * told to, and holds every file to the limits of its kind.
 */
import { existsSync, type FSWatcher, readdirSync, statSync, watch } from "node:fs";
import { mkdir, open, readFile, rename, unlink, utimes, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

export interface Habits {
  /** Milliseconds a file is held back at most; each as long as it likes, so they overtake one another. */
  readonly holdMs?: number;
  /** Share of files that come twice. */
  readonly duplicates?: number;
  /** Whether a file of this number, from 1, is lost. */
  readonly loses?: (number: number) => boolean;
  /** Share of files that are written in two pieces with a pause between. */
  readonly slow?: number;
  /** Share of files of which half is left and never more. */
  readonly torn?: number;
  /** Times of writing are set to one in another century. */
  readonly rewritesTimes?: boolean;
  /** Files of its own between the others. */
  readonly litters?: boolean;
  /** Files appear whole under their names. */
  readonly renames?: boolean;
  /** A file that did not grow for so long is taken: it sees neither renames nor closings. */
  readonly stillMs?: number;
  /** Whether somebody still writes a file, where the test knows: a busy machine may do so for long. */
  readonly isWritten?: (path: string) => boolean;
  readonly name?: RegExp;
  readonly maxBytes?: number;
  readonly seed?: number;
}

/** What 1980s appliances bear, and how they behave. */
export const HARSHEST: Habits = {
  ...{ holdMs: 250, duplicates: 0.3, slow: 0.4, rewritesTimes: true, litters: true },
  ...{ name: /^[A-Z0-9]{8}\.DAT$/, maxBytes: 1 << 20 },
};

export class Appliance {
  readonly from: string;
  readonly to: string;
  habits: Habits;
  /** Monotonic milliseconds at which each file was taken. */
  readonly takenAt: number[] = [];
  readonly faults: string[] = [];
  #watcher: FSWatcher | undefined;
  #poll: NodeJS.Timeout | undefined;
  readonly #seen = new Set<string>();
  readonly #running = new Set<Promise<void>>();
  #state: number;
  #numbers = 0;

  constructor(from: string, to: string, habits: Habits = {}) {
    this.from = from;
    this.to = to;
    this.habits = habits;
    this.#state = habits.seed ?? 1;
  }

  start(): this {
    this.#poll = setInterval(() => this.#look(), 5);
    this.#watcher = watch(this.from, { persistent: false }, () => this.#look());
    return this;
  }

  /** Takes nothing more; what it holds is given on. */
  async stop(): Promise<void> {
    clearInterval(this.#poll);
    this.#watcher?.close();
    await this.idle();
  }

  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  /** Repeatable. */
  #chance(share = 0): boolean {
    this.#state = (this.#state * 1_103_515_245 + 12_345) % 2 ** 31;
    return this.#state / 2 ** 31 < share;
  }

  #look(): void {
    for (const entry of readdirSync(this.from, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      if (this.#seen.has(path) || this.habits.isWritten?.(path) === true) continue;
      if (!isStill(path, this.habits.stillMs ?? 10)) continue;
      this.#seen.add(path);
      this.takenAt.push(performance.now());
      const run = this.#ferry(path)
        .catch((error: unknown) => void this.faults.push(String(error)))
        .finally(() => this.#running.delete(run));
      this.#running.add(run);
    }
  }

  async #ferry(path: string): Promise<void> {
    const { name, maxBytes = Number.POSITIVE_INFINITY, holdMs = 0, loses, litters } = this.habits;
    this.#numbers += 1;
    const number = this.#numbers;
    const lost = loses?.(number) === true;
    const [twice, slow, torn] = [
      this.#chance(this.habits.duplicates),
      this.#chance(this.habits.slow),
      this.#chance(this.habits.torn),
    ];
    const bytes = await readFile(path);
    if (name?.test(basename(path)) === false) this.faults.push(`name ${basename(path)}`);
    if (bytes.length > maxBytes) this.faults.push(`${basename(path)}: ${bytes.length} bytes`);
    if (name !== undefined && dirname(path) !== this.from) this.faults.push("not flat");
    await unlink(path);
    this.#seen.delete(path);
    if (lost) return;
    const to = join(this.to, relative(this.from, path));
    if (holdMs > 0) await delay((number * 7919) % holdMs);
    await this.#write(to, torn ? bytes.subarray(0, bytes.length >> 1) : bytes, slow);
    if (litters === true && number % 5 === 0) {
      await writeFile(join(this.to, `~TMP${number}.SYS`), "of the appliance itself");
    }
    if (!twice) return;
    if (holdMs > 0) await delay(holdMs / 2);
    await this.#write(`${to}~2`, bytes, false);
  }

  async #write(path: string, bytes: Uint8Array, slow: boolean): Promise<void> {
    await mkdir(dirname(path), { recursive: true });
    const { renames, rewritesTimes } = this.habits;
    const written = renames === true ? join(dirname(this.to), `~${basename(path)}`) : path;
    const handle = await open(written, "w");
    try {
      const middle = slow ? bytes.length >> 1 : bytes.length;
      await handle.write(bytes, 0, middle, 0);
      if (slow) await delay(15);
      await handle.write(bytes, middle, bytes.length - middle, middle);
    } finally {
      await handle.close();
    }
    // May be gone: it was whole, so it was taken.
    if (rewritesTimes === true) await utimes(written, 315_532_800, 315_532_800).catch(() => {});
    if (renames === true) await this.#moved(written, path);
  }

  /** The folder may have been cleared away since it was made, being empty. */
  async #moved(from: string, to: string): Promise<void> {
    for (;;) {
      try {
        await rename(from, to);
        return;
      } catch (error) {
        if (existsSync(dirname(to)) || !existsSync(from)) throw error;
        await mkdir(dirname(to), { recursive: true });
      }
    }
  }
}

function isStill(path: string, forMs: number): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat !== undefined && stat.size > 0 && Date.now() - stat.mtimeMs > forMs;
}
