/**
 * Guarantee: the bytes of one bundle file in the outbox, opened once for the check and for the
 * pass. A short file is read at once and whole, so what is sent is what was checked.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { ByteReader, ByteSource } from "@lightferry/proto/bundle";
import { GatewayError } from "@lightferry/proto/errors";

/**
 * A file up to here, a bundle of 64 KiB among them, is kept in memory: at most as many as are read at the same time.
 * Each read from a file waits for those of long ones and for its turn of the event loop, which is most of what an
 * urgent bundle takes here.
 */
export const WHOLE_BYTES = 128 << 10;
/** A pipe under the name of a bundle does not wait for a writer: on the spot it would hold up every lane for good. */
const READ_AT_ONCE = constants.O_RDONLY | constants.O_NONBLOCK;

export class BundleFile implements ByteSource {
  readonly size: number;
  readonly #file: FileHandle | undefined;
  readonly #bytes: Buffer | undefined;

  private constructor(size: number, from: FileHandle | Buffer) {
    this.size = size;
    this.#file = Buffer.isBuffer(from) ? undefined : from;
    this.#bytes = Buffer.isBuffer(from) ? from : undefined;
  }

  /**
   * Reads a short file on the spot. For those few that must not wait: nothing else is done meanwhile, some tenths
   * of a millisecond for what was just written, and other threads take several times as long to be woken.
   * @throws GatewayError `ferry.file-invalid` when it cannot be read, or is longer than {@link WHOLE_BYTES}
   */
  static read(path: string): BundleFile {
    try {
      const file = openSync(path, READ_AT_ONCE);
      try {
        const { size } = fstatSync(file);
        const whole = Buffer.allocUnsafeSlow(Math.min(size, WHOLE_BYTES));
        if (readSync(file, whole, 0, whole.length, 0) !== size) {
          throw new GatewayError("ferry.file-invalid", { detail: "size" });
        }
        return new BundleFile(size, whole);
      } finally {
        closeSync(file);
      }
    } catch (cause) {
      throw unreadable(cause);
    }
  }

  /** @throws GatewayError `ferry.file-invalid` when it cannot be read */
  static async open(path: string): Promise<BundleFile> {
    let file: FileHandle | undefined;
    try {
      file = await open(path, READ_AT_ONCE);
      const start = Buffer.allocUnsafeSlow(WHOLE_BYTES);
      const [{ size }, { bytesRead }] = await Promise.all([
        file.stat(),
        file.read(start, 0, WHOLE_BYTES, 0),
      ]);
      if (size > WHOLE_BYTES) return new BundleFile(size, file);
      const whole = start.subarray(0, size);
      if (bytesRead < size) await readInto(file, [whole.subarray(bytesRead)], bytesRead);
      await file.close();
      return new BundleFile(size, whole);
    } catch (cause) {
      await file?.close().catch(() => undefined);
      throw unreadable(cause);
    }
  }

  /** For the check; closing the reader leaves the file open. */
  async open(): Promise<ByteReader> {
    return {
      size: this.size,
      read: async (into, offset) => {
        if (this.#file !== undefined) {
          return (await this.#file.read(into, 0, into.length, offset)).bytesRead;
        }
        return this.#copy(into, offset);
      },
      close: async () => undefined,
    };
  }

  /**
   * Fills the views, one after another, from `offset` on.
   * @throws GatewayError `ferry.file-invalid` when the file ends before
   */
  async fill(views: Uint8Array[], offset: number): Promise<void> {
    if (this.#file !== undefined) return await readInto(this.#file, views, offset);
    let at = offset;
    for (const view of views) {
      if (this.#copy(view, at) < view.length) throw cutShort();
      at += view.length;
    }
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }

  #copy(into: Uint8Array, offset: number): number {
    const bytes = this.#bytes?.subarray(offset, offset + into.length) ?? new Uint8Array();
    into.set(bytes);
    return bytes.length;
  }
}

function unreadable(cause: unknown): GatewayError {
  if (cause instanceof GatewayError) return cause;
  return new GatewayError("ferry.file-invalid", { detail: "cannot be read", cause });
}

function cutShort(): GatewayError {
  return new GatewayError("ferry.file-invalid", { detail: "cut short" });
}

/** Reads until all views are full. */
async function readInto(file: FileHandle, views: Uint8Array[], offset: number): Promise<void> {
  let left = views;
  let at = offset;
  while (left.length > 0) {
    const { bytesRead } = await file.readv(left, at);
    if (bytesRead === 0) throw cutShort();
    at += bytesRead;
    left = after(left, bytesRead);
  }
}

/** What of the views lies behind their first `bytes` bytes. */
function after(views: Uint8Array[], bytes: number): Uint8Array[] {
  let skip = bytes;
  for (let index = 0; index < views.length; index += 1) {
    const view = views[index] as Uint8Array;
    if (skip < view.length) return [view.subarray(skip), ...views.slice(index + 1)];
    skip -= view.length;
  }
  return [];
}
