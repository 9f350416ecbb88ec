/**
 * Guarantee: plaintext goes in at any granularity and comes out as full chunks,
 * encrypted under counter nonces, at their places in the file; memory is one
 * chunk and one write under way, whatever the size (proto/SPEC.md §3, §5).
 */
import type { FileHandle } from "node:fs/promises";
import { leafHash } from "../merkle/index.ts";
import type { SmProvider } from "../sm/index.ts";
import { chunkNonce } from "./keys.ts";
import { chunkOffset, type Layout } from "./layout.ts";
import { DIGEST_BYTES, TAG_BYTES } from "./limits.ts";

export interface ChunkCipher {
  readonly provider: SmProvider;
  /** 16 bytes. */
  readonly key: Uint8Array;
  readonly aad: Uint8Array;
}

export class ChunkWriter {
  /** The digest table; complete when every chunk is written. */
  readonly table: Uint8Array;
  readonly #cipher: ChunkCipher;
  readonly #file: FileHandle;
  readonly #layout: Layout;
  readonly #partial: Uint8Array;
  /** Two: one is being written while the next is filled. */
  readonly #sealed: readonly [Uint8Array, Uint8Array];
  #filled = 0;
  #index = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(cipher: ChunkCipher, file: FileHandle, layout: Layout) {
    this.#cipher = cipher;
    this.#file = file;
    this.#layout = layout;
    const plain = Math.min(layout.chunkSize, layout.plaintextSize);
    this.#partial = Buffer.allocUnsafeSlow(plain);
    const room = () => Buffer.allocUnsafeSlow(plain + TAG_BYTES);
    this.#sealed = [room(), room()];
    this.table = Buffer.alloc(layout.chunkCount * DIGEST_BYTES);
  }

  /** Takes the bytes before it resolves: the caller may use its buffer again. */
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

  /** Writes what is left; afterwards every chunk is in the file, though not yet synced. */
  async end(): Promise<void> {
    if (this.#filled > 0) await this.#flush();
    await this.#writing;
    this.#partial.fill(0);
  }

  /** Waits for a write under way and forgets its failure: for the path on which sealing failed. */
  async abandon(): Promise<void> {
    await this.#writing.catch(() => {});
    this.#partial.fill(0);
  }

  async #flush(): Promise<void> {
    await this.#emit(this.#partial.subarray(0, this.#filled));
    this.#filled = 0;
  }

  async #emit(plaintext: Uint8Array): Promise<void> {
    const { provider, key, aad } = this.#cipher;
    const index = this.#index;
    this.#index += 1;
    const nonce = chunkNonce(index, index === this.#layout.chunkCount - 1);
    // The write of the chunk before last has ended: each write is awaited before the next begins.
    const room = this.#sealed[index % 2 === 0 ? 0 : 1];
    const sealed = provider.sm4GcmEncrypt(key, nonce, plaintext, aad, room);
    const digest = leafHash((...parts) => provider.sm3(...parts), sealed);
    this.table.set(digest, index * DIGEST_BYTES);
    // The disk works on the chunk before while this one was encrypted.
    await this.#writing;
    this.#writing = writeFully(this.#file, sealed, chunkOffset(this.#layout, index));
    // Its failure is seen by whoever awaits next; until then it must not count as unhandled.
    this.#writing.catch(() => {});
  }
}

/** Writes all of the bytes at the offset, however often the system takes only a part. */
export async function writeFully(
  file: FileHandle,
  bytes: Uint8Array,
  offset: number,
): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, offset + done);
    done += bytesWritten;
  }
}
