/**
 * Guarantee: the key of one exchange's payload. It seals and opens, and shows
 * nothing: no enumerable property, prints as `[PayloadKey]`, refuses to be
 * serialised. Plaintext is released chunk by chunk after its tag; a stream is
 * whole only when its iteration ends without an error.
 */
import { inspect } from "node:util";
import { GatewayError } from "../errors/index.ts";
import { GCM_TAG_BYTES, type SmProvider } from "../sm/index.ts";
import { ChunkCipher } from "./chunk-cipher.ts";
import { freshBytes } from "./derived-key.ts";
import {
  CHUNK_BYTES,
  damaged,
  formatHeader,
  HEADER_BYTES,
  SEALED_CHUNK_BYTES,
  STREAM_SALT_BYTES,
} from "./payload-format.ts";
import { rechunk } from "./rechunk.ts";

const SHOWN = "[PayloadKey]";

export interface StreamOptions {
  /**
   * One buffer serves the whole stream: each piece is valid only until the next one is asked for.
   * For whoever writes, hashes or copies a piece before going on; it spares the collector.
   */
  readonly reuse?: boolean;
}

export class PayloadKey {
  readonly #provider: SmProvider;
  readonly #context: Uint8Array;
  #secret: Uint8Array | undefined;

  /** Takes over `secret` (32 bytes); only the vault makes one. */
  constructor(provider: SmProvider, secret: Uint8Array, context: Uint8Array) {
    this.#provider = provider;
    this.#secret = secret;
    this.#context = Uint8Array.from(context);
  }

  #cipher(header: Uint8Array): ChunkCipher {
    if (this.#secret === undefined) {
      throw new GatewayError("sm.key-invalid", { detail: "the payload key was destroyed" });
    }
    return new ChunkCipher(this.#provider, this.#secret, header, this.#context);
  }

  /**
   * Seals a small payload: one chunk, at most 262,144 bytes.
   * @throws GatewayError `sm.operation-failed` when longer; use `encryptStream`.
   */
  sealBytes(plain: Uint8Array): Uint8Array {
    if (plain.length > CHUNK_BYTES) {
      throw new GatewayError("sm.operation-failed", {
        detail: `sealBytes takes at most ${CHUNK_BYTES} bytes`,
      });
    }
    const header = formatHeader(freshBytes(STREAM_SALT_BYTES));
    const cipher = this.#cipher(header);
    try {
      return Buffer.concat([header, cipher.seal(plain, true)]);
    } finally {
      cipher.close();
    }
  }

  /**
   * Opens what `sealBytes` made, or a stream of one chunk.
   * @throws GatewayError `sm.decrypt-failed` on any alteration, another key or
   * another context; nothing is released.
   */
  openBytes(sealed: Uint8Array): Uint8Array {
    const size = sealed.length - HEADER_BYTES;
    if (size < GCM_TAG_BYTES || size > SEALED_CHUNK_BYTES) throw damaged("not one chunk");
    const cipher = this.#cipher(sealed.subarray(0, HEADER_BYTES));
    try {
      return cipher.open(sealed.subarray(HEADER_BYTES), true);
    } finally {
      cipher.close();
    }
  }

  /** Encrypts any stream in constant memory (one chunk); yields the header, then chunks. */
  async *encryptStream(
    plain: AsyncIterable<Uint8Array>,
    { reuse = false }: StreamOptions = {},
  ): AsyncGenerator<Uint8Array, void> {
    const header = formatHeader(freshBytes(STREAM_SALT_BYTES));
    const cipher = this.#cipher(header);
    const room = reuse ? Buffer.allocUnsafeSlow(SEALED_CHUNK_BYTES) : undefined;
    try {
      yield header;
      for await (const { bytes, last } of rechunk(plain, CHUNK_BYTES, true)) {
        yield cipher.seal(bytes, last, room);
      }
    } finally {
      cipher.close();
    }
  }

  /**
   * Decrypts a stream in constant memory. Each yielded piece is authentic and in
   * its place; only a normal end says that nothing is missing.
   * @throws GatewayError `sm.decrypt-failed` on truncation, reordering, added
   * bytes, any alteration, another key or another context.
   */
  async *decryptStream(
    sealed: AsyncIterable<Uint8Array>,
    { reuse = false }: StreamOptions = {},
  ): AsyncGenerator<Uint8Array, void> {
    const source = sealed[Symbol.asyncIterator]();
    const room = reuse ? Buffer.allocUnsafeSlow(CHUNK_BYTES) : undefined;
    let cipher: ChunkCipher | undefined;
    try {
      const { header, rest } = await takeHeader(source);
      cipher = this.#cipher(header);
      const body = continued(rest, source);
      let first = true;
      for await (const { bytes, last } of rechunk(body, SEALED_CHUNK_BYTES, false)) {
        if (bytes.length < GCM_TAG_BYTES) throw damaged("cut short");
        if (bytes.length === GCM_TAG_BYTES && !first) throw damaged("an empty chunk");
        first = false;
        const plain = cipher.open(bytes, last, room);
        if (plain.length > 0) yield plain;
      }
    } finally {
      cipher?.close();
      room?.fill(0);
      await source.return?.();
    }
  }

  /** Wipes the key. Every later use is `sm.key-invalid`; a stream under way goes on. */
  destroy(): void {
    this.#secret?.fill(0);
    this.#secret = undefined;
  }

  /** @throws GatewayError `sm.key-not-serialisable`, always. */
  toJSON(): never {
    throw new GatewayError("sm.key-not-serialisable");
  }

  toString(): string {
    return SHOWN;
  }

  [inspect.custom](): string {
    return SHOWN;
  }
}

/** Gathers the first 32 bytes. */
async function takeHeader(
  source: AsyncIterator<Uint8Array>,
): Promise<{ header: Uint8Array; rest: Uint8Array }> {
  const header = new Uint8Array(HEADER_BYTES);
  let filled = 0;
  for (;;) {
    const step = await source.next();
    if (step.done === true) throw damaged("cut short in the header");
    const take = Math.min(HEADER_BYTES - filled, step.value.length);
    header.set(step.value.subarray(0, take), filled);
    filled += take;
    if (filled === HEADER_BYTES) return { header, rest: step.value.subarray(take) };
  }
}

async function* continued(
  rest: Uint8Array,
  source: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  yield rest;
  for (;;) {
    const step = await source.next();
    if (step.done === true) return;
    yield step.value;
  }
}
