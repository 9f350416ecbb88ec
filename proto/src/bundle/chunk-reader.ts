/**
 * Guarantee: plaintext leaves here only after its chunk matched the verified
 * digest table and its SM4-GCM tag; chunks can be read in any order and one
 * chunk is kept, so neighbours that share it cost one decryption. The table is
 * not looked at a second time where this process went through all chunks
 * before: the tag covers the same bytes, under a key that the header commits to.
 */
import { asGatewayError, type ErrorCode, GatewayError } from "../errors/index.ts";
import type { SmProvider } from "../sm/index.ts";
import { type ChunkCipher, type ChunkGroup, chunkGroup, groupNonce } from "./chunk-group.ts";
import { borrowRooms, type ChunkRooms, GROUP_CHUNKS, giveBackRooms } from "./chunk-rooms.ts";
import { chunkPlaintextSize, type Layout } from "./layout.ts";
import { DIGEST_BYTES } from "./limits.ts";
import { type ByteReader, readExactly } from "./source.ts";

/** What became of one chunk; its number is what a worker says in shared memory. */
export const ChunkState = { GOOD: 0, DIGEST: 1, DECRYPT: 2, TRUNCATED: 3 } as const;

const STATE_CODES: readonly (ErrorCode | undefined)[] = [
  undefined,
  "bundle.chunk-digest",
  "bundle.chunk-decrypt",
  "bundle.truncated",
];

/** @throws GatewayError `bundle.chunk-digest`, `bundle.chunk-decrypt`, `bundle.truncated`. */
export function assertGood(state: number | undefined, index: number): void {
  const code = STATE_CODES[state ?? ChunkState.TRUNCATED];
  if (code !== undefined) throw new GatewayError(code, { detail: `chunk ${index}` });
}

/** The plaintext of one bundle. */
export interface ChunkSource {
  /** Plaintext bytes of every chunk but the last. */
  readonly chunkSize: number;
  /**
   * The whole plaintext of chunk `index`, valid until another chunk is asked for.
   * @throws GatewayError `bundle.chunk-digest`, `bundle.chunk-decrypt`, `bundle.truncated`.
   */
  chunk(index: number): Promise<Uint8Array>;
  /** Wipes the plaintext and waits until nobody reads the source any more. */
  close(): Promise<void>;
}

/**
 * Plaintext bytes from `at`, at most to `end` and to the end of their chunk; valid until more are
 * asked for. @throws GatewayError as {@link ChunkSource.chunk}.
 */
export async function plaintextPiece(
  chunks: ChunkSource,
  at: number,
  end: number,
): Promise<Uint8Array> {
  const index = Math.floor(at / chunks.chunkSize);
  const base = index * chunks.chunkSize;
  const plaintext = await chunks.chunk(index);
  return plaintext.subarray(at - base, Math.min(end - base, plaintext.length));
}

/** Compares the digests of a group with its part of the table (SPEC §8.3). */
export function markMismatches(
  digests: Uint8Array,
  expected: Uint8Array,
  states: Uint8Array,
): void {
  for (let lane = 0; lane * DIGEST_BYTES < expected.length; lane += 1) {
    const [from, to] = [lane * DIGEST_BYTES, (lane + 1) * DIGEST_BYTES];
    const same = Buffer.compare(digests.subarray(from, to), expected.subarray(from, to)) === 0;
    if (states[lane] === ChunkState.GOOD && !same) states[lane] = ChunkState.DIGEST;
  }
}

/** The part of the table that speaks of a group. */
export function tableOf(table: Uint8Array, group: ChunkGroup): Uint8Array {
  const from = group.first * DIGEST_BYTES;
  return table.subarray(from, from + group.lengths.length * DIGEST_BYTES);
}

/** Reads groups of sealed chunks on the calling thread and checks them against the table. */
export class GroupReader {
  readonly #provider: SmProvider;
  readonly #reader: ByteReader;
  readonly #layout: Layout;
  readonly #table: Uint8Array;
  readonly #rooms: ChunkRooms;
  readonly #states = new Uint8Array(GROUP_CHUNKS);
  readonly #digests = new Uint8Array(GROUP_CHUNKS * DIGEST_BYTES);
  #current: ChunkGroup | undefined;

  constructor(provider: SmProvider, reader: ByteReader, layout: Layout, table: Uint8Array) {
    this.#provider = provider;
    this.#reader = reader;
    this.#layout = layout;
    this.#table = table;
    this.#rooms = borrowRooms(provider, layout.chunkCount, chunkPlaintextSize(layout, 0));
  }

  /** @param check against the table; else only read. */
  async load(number: number, check: boolean): Promise<ChunkGroup> {
    if (this.#current?.first === number * GROUP_CHUNKS) return this.#current;
    this.#current = undefined;
    const group = chunkGroup(this.#layout, number);
    let at = group.at;
    for (const [lane, length] of group.lengths.entries()) {
      this.#states[lane] = await readChunk(this.#reader, at, this.#rooms.buffer(lane, length));
      at += length;
    }
    if (check) {
      this.#rooms.digest(group.lengths, this.#digests);
      markMismatches(this.#digests, tableOf(this.#table, group), this.#states);
    }
    this.#current = group;
    return group;
  }

  /** Ciphertext and tag of a chunk of the group loaded last. @throws GatewayError as its state says. */
  sealed(group: ChunkGroup, lane: number): Uint8Array {
    assertGood(this.#states[lane], group.first + lane);
    return this.#rooms.buffer(lane, group.lengths[lane] ?? 0);
  }

  close(): void {
    this.#current = undefined;
    giveBackRooms(this.#provider, this.#layout.chunkCount, this.#rooms);
  }
}

/** Fills `into` from `at`. @returns the state: a source that ends too early is the fault of this chunk alone. */
export async function readChunk(reader: ByteReader, at: number, into: Uint8Array): Promise<number> {
  try {
    await readExactly(reader, at, into.length, into);
    return ChunkState.GOOD;
  } catch (error) {
    if (asGatewayError(error).code !== "bundle.truncated") throw error;
    return ChunkState.TRUNCATED;
  }
}

/** The {@link ChunkSource} that works on the calling thread. Memory: four sealed chunks, one opened. */
export class ChunkReader implements ChunkSource {
  readonly chunkSize: number;
  readonly #cipher: ChunkCipher;
  readonly #groups: GroupReader;
  readonly #hashed: boolean;
  readonly #plain: Uint8Array;
  #kept: { readonly index: number; readonly plaintext: Uint8Array } | undefined;
  #reading: Promise<unknown> = Promise.resolve();
  #closed = false;

  /** @param hashed every chunk was checked against the table before. */
  constructor(
    cipher: ChunkCipher,
    reader: ByteReader,
    layout: Layout,
    table: Uint8Array,
    hashed: boolean,
  ) {
    this.chunkSize = layout.chunkSize;
    this.#cipher = cipher;
    this.#hashed = hashed;
    this.#groups = new GroupReader(cipher.provider, reader, layout, table);
    this.#plain = Buffer.allocUnsafeSlow(chunkPlaintextSize(layout, 0));
  }

  async chunk(index: number): Promise<Uint8Array> {
    assertOpen(this.#closed);
    if (this.#kept?.index === index) return this.#kept.plaintext;
    const decrypted = this.#decrypt(index);
    this.#reading = decrypted.catch(() => {});
    return decrypted;
  }

  async close(): Promise<void> {
    this.#closed = true;
    // A content left in the middle may still wait for its chunk; the rooms are its until then.
    await this.#reading;
    this.#kept = undefined;
    this.#plain.fill(0);
    this.#groups.close();
  }

  async #decrypt(index: number): Promise<Uint8Array> {
    const { provider, key, aad } = this.#cipher;
    this.#kept = undefined;
    const lane = index % GROUP_CHUNKS;
    const group = await this.#groups.load((index - lane) / GROUP_CHUNKS, !this.#hashed);
    const sealed = this.#groups.sealed(group, lane);
    let plaintext: Uint8Array;
    try {
      plaintext = provider.sm4GcmDecrypt(key, groupNonce(group, lane), sealed, aad, this.#plain);
    } catch (cause) {
      throw new GatewayError("bundle.chunk-decrypt", { detail: `chunk ${index}`, cause });
    }
    this.#kept = { index, plaintext };
    return plaintext;
  }
}

/** Content outlives neither its bundle nor the memory that it lay in. */
export function assertOpen(closed: boolean): void {
  if (closed) throw new GatewayError("internal.fault", { detail: "the bundle is closed" });
}
