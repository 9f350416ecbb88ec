/**
 * Guarantee: seals or opens the chunks of one stream in order; the index only
 * counts up, the derived key is wiped by `close()`.
 */
import type { SmProvider } from "../sm/index.ts";
import { withDerivedKey } from "./derived-key.ts";
import { chunkAad, chunkNonce, parseHeader, STREAM_LABEL } from "./payload-format.ts";

export class ChunkCipher {
  readonly #provider: SmProvider;
  readonly #key: Uint8Array;
  readonly #aad: Uint8Array;
  #index = 0;

  /** @throws GatewayError `sm.decrypt-failed` when `header` is none. */
  constructor(provider: SmProvider, secret: Uint8Array, header: Uint8Array, context: Uint8Array) {
    this.#provider = provider;
    this.#aad = chunkAad(header, context);
    const salt = parseHeader(header);
    this.#key = withDerivedKey(provider, secret, STREAM_LABEL, salt, (key) => Uint8Array.from(key));
  }

  /** @param into as in `SmProvider.sm4GcmEncrypt`. */
  seal(plaintext: Uint8Array, last: boolean, into?: Uint8Array): Uint8Array {
    const nonce = chunkNonce(this.#index++, last);
    return this.#provider.sm4GcmEncrypt(this.#key, nonce, plaintext, this.#aad, into);
  }

  /** @throws GatewayError `sm.decrypt-failed` when the chunk is not this one of this stream. */
  open(sealed: Uint8Array, last: boolean, into?: Uint8Array): Uint8Array {
    const nonce = chunkNonce(this.#index++, last);
    return this.#provider.sm4GcmDecrypt(this.#key, nonce, sealed, this.#aad, into);
  }

  close(): void {
    this.#key.fill(0);
  }
}
