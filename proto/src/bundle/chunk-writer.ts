/**
 * Guarantee: plaintext goes in at any granularity and comes out as full chunks,
 * encrypted under counter nonces, at their places in the file; memory is two
 * groups of four chunks, one of them being written, whatever the size
 * (proto/SPEC.md §3, §5).
 */
import type { FileHandle } from "node:fs/promises";
import { type ChunkCipher, chunkGroup, groupNonce } from "./chunk-group.ts";
import { borrowRooms, type ChunkRooms, GROUP_CHUNKS, giveBackRooms } from "./chunk-rooms.ts";
import { hashedHere, type ItemSink } from "./item-sink.ts";
import type { Layout } from "./layout.ts";
import { DIGEST_BYTES } from "./limits.ts";

/** Where a sealer puts the plaintext of a bundle, from its first byte to its last. */
export interface ChunkSink {
  /** The digest table; complete when {@link ChunkSink.end} has resolved. */
  readonly table: Uint8Array;
  /** Takes the bytes before it resolves: the caller may use its buffer again. */
  write(bytes: Uint8Array): Promise<void>;
  /** The next item, of which `size` bytes shall come; the one before has been written. */
  item(size: number): ItemSink;
  /** Writes what is left; afterwards every chunk is in the file, though not yet synced. */
  end(): Promise<void>;
  /** Waits until nobody touches the file any more and forgets what failed; for when sealing failed. */
  abandon(): Promise<void>;
}

/** The {@link ChunkSink} that works on the calling thread. */
export class ChunkWriter implements ChunkSink {
  readonly table: Uint8Array;
  readonly #cipher: ChunkCipher;
  readonly #file: FileHandle;
  readonly #layout: Layout;
  readonly #partial: Uint8Array;
  /** Up to two: one is being written while the next is filled. */
  readonly #rooms: ChunkRooms[] = [];
  #filled = 0;
  #index = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(cipher: ChunkCipher, file: FileHandle, layout: Layout) {
    this.#cipher = cipher;
    this.#file = file;
    this.#layout = layout;
    this.#partial = Buffer.allocUnsafeSlow(Math.min(layout.chunkSize, layout.plaintextSize));
    this.table = Buffer.alloc(layout.chunkCount * DIGEST_BYTES);
  }

  async write(bytes: Uint8Array): Promise<void> {
    const { chunkSize } = this.#layout;
    for (let at = 0; at < bytes.length; ) {
      if (this.#filled === 0 && bytes.length - at >= chunkSize) {
        // A whole chunk lies in the caller's buffer: encrypt it from there.
        await this.#emit(bytes.subarray(at, at + chunkSize));
        at += chunkSize;
        continue;
      }
      const piece = bytes.subarray(at, at + chunkSize - this.#filled);
      this.#partial.set(piece, this.#filled);
      this.#filled += piece.length;
      at += piece.length;
      if (this.#filled === chunkSize) await this.#flush();
    }
  }

  item(size: number): ItemSink {
    return hashedHere(this.#cipher.provider, size, (bytes) => this.write(bytes));
  }

  async end(): Promise<void> {
    if (this.#filled > 0) await this.#flush();
    await this.#writing;
    this.#close();
  }

  async abandon(): Promise<void> {
    await this.#writing.catch(() => {});
    this.#close();
  }

  #close(): void {
    this.#partial.fill(0);
    const { chunkCount } = this.#layout;
    for (const rooms of this.#rooms.splice(0)) {
      giveBackRooms(this.#cipher.provider, chunkCount, rooms);
    }
  }

  async #flush(): Promise<void> {
    await this.#emit(this.#partial.subarray(0, this.#filled));
    this.#filled = 0;
  }

  async #emit(plaintext: Uint8Array): Promise<void> {
    const { provider, key, aad } = this.#cipher;
    const lane = this.#index % GROUP_CHUNKS;
    const number = (this.#index - lane) / GROUP_CHUNKS;
    this.#index += 1;
    const group = chunkGroup(this.#layout, number);
    const rooms = this.#roomsOf(number);
    const room = rooms.buffer(lane, group.lengths[lane] ?? 0);
    provider.sm4GcmEncrypt(key, groupNonce(group, lane), plaintext, aad, room);
    if (lane < group.lengths.length - 1) return;
    rooms.digest(group.lengths, this.table.subarray(group.first * DIGEST_BYTES));
    const sealed = group.lengths.map((length, place) => rooms.buffer(place, length));
    // The disk works on the group before while this one was encrypted.
    await this.#writing;
    this.#writing = writeFully(this.#file, sealed, group.at);
    // Its failure is seen by whoever awaits next; until then it must not count as unhandled.
    this.#writing.catch(() => {});
  }

  /** The write of the group before last has ended: each write is awaited before the next begins. */
  #roomsOf(number: number): ChunkRooms {
    const { chunkCount } = this.#layout;
    const side = number % 2;
    const longest = this.#partial.length;
    this.#rooms[side] ??= borrowRooms(this.#cipher.provider, chunkCount, longest);
    return this.#rooms[side];
  }
}

/** Writes all of the parts, end to end from the offset, however often the system takes only some. */
export async function writeFully(
  file: FileHandle,
  parts: readonly Uint8Array[],
  offset: number,
): Promise<void> {
  let rest = parts;
  for (let at = offset; rest.length > 0; ) {
    const { bytesWritten } = await file.writev(rest, at);
    at += bytesWritten;
    rest = withoutFirst(rest, bytesWritten);
  }
}

/** What remains of the parts when `count` bytes of them are done. */
export function withoutFirst(parts: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let left = count;
  let done = 0;
  while (done < parts.length && left >= (parts[done]?.length ?? 0)) {
    left -= parts[done]?.length ?? 0;
    done += 1;
  }
  const [head, ...tail] = parts.slice(done);
  return head === undefined ? [] : [left > 0 ? head.subarray(left) : head, ...tail];
}
