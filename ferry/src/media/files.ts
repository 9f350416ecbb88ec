/**
 * Guarantee: a file on a medium is opened only when it is a plain file, never
 * through a link, and copied with the digest of the very bytes that were
 * written and synced.
 */
import { constants } from "node:fs";
import { type FileHandle, open, opendir, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { ByteReader, ByteSource } from "@lightferry/proto/bundle";
import { GatewayError } from "@lightferry/proto/errors";
import type { SmProvider } from "@lightferry/proto/sm";
import { asStorageFault } from "../storage-fault.ts";
import { MAX_ENTRIES } from "./layout.ts";

/** One read and write: large enough for a stick, small beside memory. */
const PIECE_BYTES = 1 << 20;
/** A link is refused, and a pipe does not wait for a writer. */
const READ_PLAIN = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** File systems of media that cannot sync a folder: its entries go with the file's own sync. */
const NO_FOLDER_SYNC: ReadonlySet<string> = new Set(["EINVAL", "ENOTSUP", "EBADF"]);

/** A file of a medium, opened once. */
export class PlainFile implements ByteSource {
  readonly size: number;
  readonly #handle: FileHandle;

  private constructor(handle: FileHandle, size: number) {
    this.#handle = handle;
    this.size = size;
  }

  /** @returns undefined when it is no plain file: a link, a folder, a device @throws Node's own error */
  static async open(path: string): Promise<PlainFile | undefined> {
    let handle: FileHandle;
    try {
      handle = await open(path, READ_PLAIN);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // ENXIO: a socket, or a pipe that nobody reads.
      if (code === "ELOOP" || code === "ENXIO") return undefined;
      throw error;
    }
    const found = await handle.stat();
    if (found.isFile()) return new PlainFile(handle, found.size);
    await handle.close();
    return undefined;
  }

  async open(): Promise<ByteReader> {
    return { size: this.size, read: this.read, close: async () => undefined };
  }

  readonly read = async (into: Uint8Array, offset: number): Promise<number> =>
    (await this.#handle.read(into, 0, into.length, offset)).bytesRead;

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

/** Reads from an offset; fewer bytes than asked only at the end. */
export type ReadAt = (into: Uint8Array, offset: number) => Promise<number>;

/** SM3 of a file of `size` bytes; undefined when it ends before. */
export async function digestOf(
  provider: SmProvider,
  read: ReadAt,
  size: number,
): Promise<Uint8Array | undefined> {
  return await through(provider, read, size, async () => undefined);
}

/**
 * Writes `size` bytes to a new file and syncs it; a file that could not be written whole is removed.
 * @returns SM3 of what was written, undefined when the source ends before
 * @throws Node's own error
 */
export async function copyTo(
  provider: SmProvider,
  read: ReadAt,
  size: number,
  path: string,
  mode: number,
): Promise<Uint8Array | undefined> {
  try {
    const handle = await open(path, "wx", mode);
    let digest: Uint8Array | undefined;
    try {
      digest = await through(provider, read, size, (piece) => writeAll(handle, piece));
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (digest === undefined) await unlink(path);
    return digest;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") await unlink(path).catch(() => {});
    throw error;
  }
}

/** Names in a folder, in no order. @returns undefined when there are too many to be a medium of ours */
export async function namesIn(dir: string): Promise<string[] | undefined> {
  const names: string[] = [];
  for await (const { name } of await opendir(dir)) {
    if (names.push(name) > MAX_ENTRIES) return undefined;
  }
  return names.sort();
}

/** Names made or removed in a folder are durable, as far as its file system can do that. */
export async function syncFolder(dir: string): Promise<void> {
  const handle = await open(dir, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } catch (error) {
    if (!NO_FOLDER_SYNC.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
  } finally {
    await handle.close();
  }
}

/** Removes files by name; what is not there is no fault. */
export async function removeAll(dir: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    await unlink(join(dir, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
  }
}

/** Work on the medium: a fault of it is told by its own code. @throws GatewayError `media.unusable`, `.no-room` */
export async function onMedium<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    const fault = asStorageFault(error);
    const detail = error instanceof Error && "code" in error ? String(error.code) : undefined;
    if (detail === undefined || !/^E[A-Z0-9]+$/.test(detail)) throw error;
    const code = fault === error ? "media.unusable" : "media.no-room";
    throw new GatewayError(code, { detail, cause: error });
  }
}
async function writeAll(handle: FileHandle, piece: Uint8Array): Promise<void> {
  for (let done = 0; done < piece.length; ) {
    done += (await handle.write(piece, done, piece.length - done)).bytesWritten;
  }
}

async function through(
  provider: SmProvider,
  read: ReadAt,
  size: number,
  each: (piece: Uint8Array) => Promise<void>,
): Promise<Uint8Array | undefined> {
  const hash = provider.createSm3(size);
  const buffer = Buffer.allocUnsafe(Math.min(Math.max(size, 1), PIECE_BYTES));
  for (let done = 0; done < size; ) {
    const count = await read(buffer.subarray(0, Math.min(buffer.length, size - done)), done);
    if (count === 0) return undefined;
    const piece = buffer.subarray(0, count);
    hash.update(piece);
    await each(piece);
    done += count;
  }
  return hash.digest();
}
