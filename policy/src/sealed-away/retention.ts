/**
 * Guarantee: until it is certain that a content need not be sealed away, all of
 * it that has flowed by is still there: a little in memory, more only encrypted.
 *
 * remembering → (released | spilling) → sealed or discarded
 */
import type { SealedAway, SealedAwayStore, SealedAwayWriter } from "./store.ts";

/** As much as an inline item may hold: most contents never reach a file. */
const MEMORY_MAX = 4 * 1024 * 1024;

export class Retention {
  readonly #store: SealedAwayStore;
  readonly #exchangeId: Uint8Array;
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  #released = false;
  #writer: SealedAwayWriter | undefined;

  constructor(store: SealedAwayStore, exchangeId: Uint8Array) {
    this.#store = store;
    this.#exchangeId = exchangeId;
  }

  /**
   * Keeps the next piece.
   * @param mayBeNeeded false: once memory is full the content is let go.
   */
  async keep(piece: Uint8Array, mayBeNeeded: boolean): Promise<void> {
    if (this.#released) return;
    if (this.#writer !== undefined) return this.#writer.write(piece);
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    if (this.#bytes <= MEMORY_MAX) return;
    if (mayBeNeeded) await this.#spill();
    else {
      this.#released = true;
      this.#pieces = [];
    }
  }

  /** Durable and encrypted when it resolves. @throws GatewayError `policy.sealed-away-failed`. */
  async seal(): Promise<SealedAway> {
    const writer = this.#writer ?? (await this.#spill());
    const sealed = await writer.commit();
    this.#writer = undefined;
    return sealed;
  }

  /** Lets go of everything not sealed. Safe to call always. */
  async discard(): Promise<void> {
    this.#pieces = [];
    await this.#writer?.discard();
    this.#writer = undefined;
  }

  async #spill(): Promise<SealedAwayWriter> {
    const writer = this.#store.begin(this.#exchangeId);
    this.#writer = writer;
    for (const piece of this.#pieces) await writer.write(piece);
    this.#pieces = [];
    return writer;
  }
}
