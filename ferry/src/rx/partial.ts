/**
 * Guarantee: of a long object every span marked as kept lies on disk: data is
 * synced before its mark is. Files are named by the object id of the signed
 * manifest; no wire string is ever a path.
 *
 * <object>.part      head and chunks at their offsets, sparse: in the end, the bundle
 * <object>.manifest  the signed manifest
 * <object>.chunks    one bit for the head, then one for each chunk
 */
import { type FileHandle, open, unlink } from "node:fs/promises";
import { join } from "node:path";
import { isMarked, markBytes } from "./spans.ts";

/** Data written between two syncs: what a crash costs, repaired by the second pass. */
const SYNC_BYTES = 32 << 20;
/** Longest time between two syncs while data comes. */
export const SYNC_MS = 1_000;
/** The inbox, another user of the same group, reads it once it has arrived. */
export const ARRIVAL_MODE = 0o640;

export class PartialFile {
  readonly #base: string;
  readonly #manifest: Uint8Array;
  readonly #marks: Uint8Array;
  #part: FileHandle | undefined;
  #opening: Promise<void> | undefined;
  /** Spans in the file that are not marked yet. */
  #written: number[] = [];
  #unsynced = 0;
  #manifestKept: boolean;
  #users = 0;
  #idle: (() => void)[] = [];
  #syncing: Promise<void> | undefined;
  #syncedAt = performance.now();

  /**
   * @param spans how many the object has
   * @param manifest signed, for after a restart
   * @param kept marks of a former run
   */
  constructor(
    directory: string,
    objectId: number,
    spans: number,
    manifest: Uint8Array,
    kept?: Uint8Array,
  ) {
    this.#base = partialBase(directory, objectId);
    this.#manifest = manifest;
    this.#manifestKept = kept !== undefined;
    this.#marks = new Uint8Array(markBytes(spans));
    if (kept !== undefined) this.#marks.set(kept.subarray(0, this.#marks.length));
  }

  get path(): string {
    return `${this.#base}.part`;
  }

  /** For the thread that writes and reads, between {@link use} and {@link unuse}; undefined: not open. */
  get fd(): number | undefined {
    return this.#part?.fd;
  }

  /** Opens it if it is not. @throws an error of the system */
  async ready(): Promise<void> {
    if (this.#part !== undefined) return;
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    await this.#opening;
  }

  /** A thread works on the file, which stays open until {@link unuse}. */
  use(): void {
    this.#users += 1;
  }

  unuse(): void {
    this.#users -= 1;
    if (this.#users === 0) for (const idle of this.#idle.splice(0)) idle();
  }

  /** A good span lies in the file. */
  wrote(span: number, length: number): boolean {
    this.#written.push(span);
    this.#unsynced += length;
    return this.#unsynced >= SYNC_BYTES;
  }

  /** What lies in the file; zeros behind its end. */
  async read(offset: number, bytes: Uint8Array): Promise<void> {
    this.use();
    try {
      await this.ready();
      for (let at = 0; at < bytes.length; ) {
        const read = await this.#part?.read(bytes, at, bytes.length - at, offset + at);
        if (read === undefined || read.bytesRead === 0) {
          bytes.fill(0, at);
          return;
        }
        at += read.bytesRead;
      }
    } finally {
      this.unuse();
    }
  }

  /** A mark of a former run was wrong. It may stay on disk: whoever finds it there hashes again. */
  unmark(span: number): void {
    this.#marks[span >> 3] = (this.#marks[span >> 3] as number) & ~(1 << (span & 7));
  }

  /** Spans that a former run had kept. */
  marked(): number[] {
    const spans: number[] = [];
    for (let span = 0; span < this.#marks.length << 3; span += 1) {
      if (isMarked(this.#marks, span)) spans.push(span);
    }
    return spans;
  }

  get syncIsDue(): boolean {
    return this.#written.length > 0 && performance.now() - this.#syncedAt >= SYNC_MS;
  }

  /** Data first, then the manifest, then marks. */
  async sync(): Promise<void> {
    while (this.#syncing !== undefined) await this.#syncing;
    if (this.#written.length === 0) return;
    this.#syncing = this.#sync().finally(() => {
      this.#syncing = undefined;
    });
    await this.#syncing;
  }

  /** Makes everything durable and lets go of the file, which the caller renames. */
  async complete(): Promise<void> {
    await this.sync();
    await this.close();
  }

  /** Removes what is kept besides the data; with `all` the data too. */
  async remove(all: boolean): Promise<void> {
    await this.close();
    const names = [`${this.#base}.chunks`, `${this.#base}.manifest`];
    for (const name of all ? [...names, this.path] : names) {
      await unlink(name).catch(() => undefined);
    }
  }

  /** Lets go of the file once nobody works on it; it is opened again when there is need. */
  async close(): Promise<void> {
    await this.#opening?.catch(() => undefined);
    while (this.#syncing !== undefined) await this.#syncing.catch(() => undefined);
    while (this.#users > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    const part = this.#part;
    this.#part = undefined;
    await part?.close();
  }

  async #open(): Promise<void> {
    try {
      this.#part = await open(this.path, "r+");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      this.#part = await open(this.path, "w+", ARRIVAL_MODE);
    }
  }

  async #sync(): Promise<void> {
    const written = this.#written;
    this.#written = [];
    this.#unsynced = 0;
    this.#syncedAt = performance.now();
    try {
      await this.ready();
      await this.#part?.datasync();
      if (!this.#manifestKept) await put(`${this.#base}.manifest`, this.#manifest, 0);
      this.#manifestKept = true;
      let first = this.#marks.length;
      let last = 0;
      for (const span of written) {
        const at = span >> 3;
        this.#marks[at] = (this.#marks[at] as number) | (1 << (span & 7));
        first = Math.min(first, at);
        last = Math.max(last, at);
      }
      // In place: marks are only ever added, so any mixture of old and new is true.
      await put(`${this.#base}.chunks`, this.#marks.subarray(first, last + 1), first);
    } catch (error) {
      this.#written = written.concat(this.#written);
      throw error;
    }
  }
}

/** Where an object's files lie, without their endings. */
export function partialBase(directory: string, objectId: number): string {
  return join(directory, objectId.toString(16).padStart(14, "0"));
}

async function put(path: string, bytes: Uint8Array, at: number): Promise<void> {
  const exists = await open(path, "r+", 0o600).catch(() => undefined);
  const handle = exists ?? (await open(path, "w", 0o600));
  try {
    await handle.write(bytes, 0, bytes.length, at);
    await handle.datasync();
  } finally {
    await handle.close();
  }
}
