/**
 * Guarantee: the SM3 of one item's content, however it is cut, at the least that
 * it costs: one call for what comes whole and is short, the fastest stream for
 * what is long.
 */
import type { Sm3Hash, SmProvider } from "../sm/index.ts";

/** Up to here one call beats the start of a stream; beyond it the bytes cost more than the start. */
const WHOLE_MAX = 64 * 1024;

export class ContentDigest {
  readonly #provider: SmProvider;
  readonly #size: number;
  #whole: Uint8Array | undefined;
  #hash: Sm3Hash | undefined;

  /** @param size bytes that the content shall have. The caller compares: more or fewer are hashed too. */
  constructor(provider: SmProvider, size: number) {
    this.#provider = provider;
    this.#size = size;
  }

  update(piece: Uint8Array): void {
    if (piece.length === 0) return;
    const { length } = piece;
    const first = this.#hash === undefined && this.#whole === undefined;
    if (first && length === this.#size && length < WHOLE_MAX) {
      this.#whole = this.#provider.sm3(piece);
      return;
    }
    this.#hash ??= this.#provider.createSm3(this.#size);
    this.#hash.update(piece);
  }

  /** 32 bytes; the digest is spent. */
  digest(): Uint8Array {
    return this.#whole ?? this.#hash?.digest() ?? this.#provider.sm3();
  }
}
