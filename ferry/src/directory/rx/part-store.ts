/**
 * Guarantee: parts of one shipment lie at their places in two files of our own naming, the content and the
 * parity; what is written is synced before anybody is told of it.
 */
import { type FileHandle, open, readdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { SmProvider } from "@lightferry/proto/sm";
import type { ReadAt } from "../../media/files.ts";
import type { Plan } from "../plan.ts";

/** One read and write. */
const PIECE_BYTES = 1 << 18;
/** A bundle that is copied out begins anew after a restart. */
const NAME = /^([0-9a-f]{32})\.(content|parity|bundle)$/;

export class PartStore {
  readonly plan: Plan;
  /** Content, parity. */
  readonly paths: readonly [string, string];
  readonly #files: (Promise<FileHandle> | undefined)[] = [undefined, undefined];

  /** @param id hex */
  constructor(dir: string, id: string, plan: Plan) {
    this.plan = plan;
    this.paths = [join(dir, `${id}.content`), join(dir, `${id}.parity`)];
  }

  /** Removes what is of no shipment that is known. */
  static async clean(dir: string, known: ReadonlySet<string>): Promise<void> {
    for (const name of await readdir(dir)) {
      const [, id, kind] = NAME.exec(name) ?? [];
      if (id !== undefined && (kind === "bundle" || !known.has(id))) await unlink(join(dir, name));
    }
  }

  /**
   * Writes a part of so many bytes and syncs it.
   * @returns SM3 of what was written; undefined when the source ends before
   */
  async write(
    provider: SmProvider,
    group: number,
    index: number,
    bytes: number,
    read: ReadAt,
  ): Promise<Uint8Array | undefined> {
    const { handle, at } = await this.#place(group, index);
    const hash = provider.createSm3(bytes);
    const buffer = Buffer.allocUnsafe(Math.min(bytes, PIECE_BYTES));
    for (let done = 0; done < bytes; ) {
      const count = await read(buffer.subarray(0, Math.min(buffer.length, bytes - done)), done);
      if (count === 0) return undefined;
      const piece = buffer.subarray(0, count);
      hash.update(piece);
      await writeAll(handle, piece, at + done);
      done += count;
    }
    await handle.datasync();
    return hash.digest();
  }

  /** Reads from a part; what is not there reads as zeros. */
  async readPart(group: number, index: number, from: number, into: Uint8Array): Promise<void> {
    const { handle, at } = await this.#place(group, index);
    await fill(handle, into, at + from);
  }

  async writePart(group: number, index: number, from: number, bytes: Uint8Array): Promise<void> {
    const { handle, at } = await this.#place(group, index);
    await writeAll(handle, bytes, at + from);
  }

  /** Reads from the content. */
  readonly read: ReadAt = async (into, offset) => {
    const handle = await this.#file(0);
    return (await handle.read(into, 0, into.length, offset)).bytesRead;
  };

  async sync(): Promise<void> {
    await (await this.#file(0)).datasync();
  }

  async close(): Promise<void> {
    for (const [index, file] of this.#files.entries()) {
      this.#files[index] = undefined;
      await (await file?.catch(() => undefined))?.close();
    }
  }

  async #place(
    group: number,
    index: number,
  ): Promise<{ readonly handle: FileHandle; readonly at: number }> {
    const k = this.plan.dataParts(group);
    if (index < k) return { handle: await this.#file(0), at: this.plan.partAt(group, index) };
    const { parityParts, partBytes } = this.plan.facts;
    const at = (group * parityParts + index - k) * partBytes;
    return { handle: await this.#file(1), at };
  }

  async #file(index: 0 | 1): Promise<FileHandle> {
    const opening = this.#files[index] ?? openOrMake(this.paths[index]);
    this.#files[index] = opening;
    // A disk that was full, say, is asked again the next time.
    opening.catch(() => {
      if (this.#files[index] === opening) this.#files[index] = undefined;
    });
    return await opening;
  }
}

async function openOrMake(path: string): Promise<FileHandle> {
  try {
    return await open(path, "r+");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return await open(path, "w+", 0o600);
  }
}

async function fill(handle: FileHandle, into: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < into.length; ) {
    const { bytesRead } = await handle.read(into, done, into.length - done, at + done);
    if (bytesRead === 0) {
      into.fill(0, done);
      return;
    }
    done += bytesRead;
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await handle.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
  }
}
