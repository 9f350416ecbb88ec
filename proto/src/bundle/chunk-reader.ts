/**
 * Guarantee: plaintext leaves here only after its chunk matched the verified
 * digest table and its SM4-GCM tag; chunks can be read in any order and one
 * chunk is kept, so neighbours that share it cost one decryption. The table is
 * not looked at a second time where this process went through all chunks
 * before: the tag covers the same bytes, under a key that the header commits to.
 */
import { GatewayError } from "../errors/index.ts";
import { leafHash } from "../merkle/index.ts";
import type { SmProvider } from "../sm/index.ts";
import type { ChunkCipher } from "./chunk-writer.ts";
import { chunkNonce } from "./keys.ts";
import { chunkOffset, chunkPlaintextSize, type Layout } from "./layout.ts";
import { DIGEST_BYTES, TAG_BYTES } from "./limits.ts";
import { type ByteReader, readExactly } from "./source.ts";

/** Room for any sealed chunk of a bundle of this layout. */
export function chunkRoom(layout: Layout): Uint8Array {
  return Buffer.allocUnsafeSlow(chunkPlaintextSize(layout, 0) + TAG_BYTES);
}

/** Reads chunk `index`: ciphertext and tag, a view of `into`. @throws GatewayError `bundle.truncated`. */
function readChunk(
  reader: ByteReader,
  layout: Layout,
  index: number,
  into: Uint8Array,
): Promise<Uint8Array> {
  const length = chunkPlaintextSize(layout, index) + TAG_BYTES;
  return readExactly(reader, chunkOffset(layout, index), length, into);
}

/**
 * Reads chunk `index` and checks it against the table (SPEC §8.3).
 * @param into from {@link chunkRoom}.
 * @returns ciphertext and tag, a view of `into`.
 * @throws GatewayError `bundle.chunk-digest`, `bundle.truncated`.
 */
export async function readSealedChunk(
  provider: SmProvider,
  reader: ByteReader,
  layout: Layout,
  table: Uint8Array,
  index: number,
  into: Uint8Array,
): Promise<Uint8Array> {
  const sealed = await readChunk(reader, layout, index, into);
  const digest = leafHash((...parts) => provider.sm3(...parts), sealed);
  const expected = table.subarray(index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES);
  if (Buffer.compare(digest, expected) !== 0) {
    throw new GatewayError("bundle.chunk-digest", { detail: `chunk ${index}` });
  }
  return sealed;
}

export class ChunkReader {
  readonly #cipher: ChunkCipher;
  readonly #reader: ByteReader;
  readonly #layout: Layout;
  readonly #table: Uint8Array;
  readonly #hashed: boolean;
  readonly #sealed: Uint8Array;
  readonly #plain: Uint8Array;
  #kept: { readonly index: number; readonly plaintext: Uint8Array } | undefined;

  /** @param hashed every chunk was checked against the table before. */
  constructor(
    cipher: ChunkCipher,
    reader: ByteReader,
    layout: Layout,
    table: Uint8Array,
    hashed: boolean,
  ) {
    this.#cipher = cipher;
    this.#reader = reader;
    this.#layout = layout;
    this.#table = table;
    this.#hashed = hashed;
    this.#sealed = chunkRoom(layout);
    this.#plain = Buffer.allocUnsafeSlow(chunkPlaintextSize(layout, 0));
  }

  /**
   * Plaintext bytes [start, end), in pieces of at most one chunk; each piece is valid until the
   * next one is asked for.
   * @throws GatewayError `bundle.chunk-digest`, `bundle.chunk-decrypt`, `bundle.truncated`.
   */
  async *range(start: number, end: number): AsyncGenerator<Uint8Array> {
    const { chunkSize } = this.#layout;
    for (let at = start; at < end; ) {
      const index = Math.floor(at / chunkSize);
      const base = index * chunkSize;
      const plaintext = await this.#chunk(index);
      const piece = plaintext.subarray(at - base, Math.min(end - base, plaintext.length));
      yield piece;
      at += piece.length;
    }
  }

  /** Wipes the plaintext; for when reading is over. */
  close(): void {
    this.#kept = undefined;
    this.#plain.fill(0);
  }

  async #chunk(index: number): Promise<Uint8Array> {
    if (this.#kept?.index === index) return this.#kept.plaintext;
    const { provider, key, aad } = this.#cipher;
    this.#kept = undefined;
    const [reader, layout, room] = [this.#reader, this.#layout, this.#sealed];
    const sealed = this.#hashed
      ? await readChunk(reader, layout, index, room)
      : await readSealedChunk(provider, reader, layout, this.#table, index, room);
    const nonce = chunkNonce(index, index === this.#layout.chunkCount - 1);
    let plaintext: Uint8Array;
    try {
      plaintext = provider.sm4GcmDecrypt(key, nonce, sealed, aad, this.#plain);
    } catch (cause) {
      throw new GatewayError("bundle.chunk-decrypt", { detail: `chunk ${index}`, cause });
    }
    this.#kept = { index, plaintext };
    return plaintext;
  }
}
