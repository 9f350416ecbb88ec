/**
 * Guarantee: what a bundle holds of an item and what its SM3 is taken of are the
 * same bytes in the same order.
 */
import type { SmProvider } from "../sm/index.ts";
import { ContentDigest } from "./content-digest.ts";

/** Where the content of one item goes. */
export interface ItemSink {
  /** Takes the bytes before it resolves: the caller may use its buffer again. */
  write(bytes: Uint8Array): Promise<void>;
  /**
   * SM3 of all that was written; call it once, after the last byte. It may be settled only when the
   * bundle's sink has ended or was abandoned: wait for it afterwards.
   */
  digest(): Promise<Uint8Array>;
}

/**
 * The {@link ItemSink} that hashes on the calling thread.
 * @param size bytes that the content shall have. @param write puts them into the bundle.
 */
export function hashedHere(
  provider: SmProvider,
  size: number,
  write: (bytes: Uint8Array) => Promise<void>,
): ItemSink {
  const hash = new ContentDigest(provider, size);
  return {
    async write(bytes) {
      hash.update(bytes);
      await write(bytes);
    },
    digest: async () => hash.digest(),
  };
}
