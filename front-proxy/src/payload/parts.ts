/**
 * Guarantee: an upload's encrypted segments read as one stream, each under its
 * own key, bound to its upload and its place; one that is not as long as its
 * row says is damaged. Also for the seal program, which only reads.
 */
import { GatewayError } from "@lightferry/proto/errors";
import type { PayloadVault } from "@lightferry/proto/keystore";

export interface Part {
  /** A single name inside the spool directory. */
  readonly file: string;
  readonly number: number;
  /** Plaintext bytes. */
  readonly size: number;
  readonly wrappedKey: Uint8Array;
}

/** Binds a segment's key to its upload and its place. */
export function partContext(uploadId: Uint8Array, number: number): Uint8Array {
  const context = Buffer.alloc(uploadId.length + 4);
  context.set(uploadId);
  context.writeUInt32BE(number, uploadId.length);
  return context;
}

/**
 * The plaintext of all parts in the order given; each piece is valid until the next is asked for.
 * @throws GatewayError `spool.payload-damaged`, `sm.decrypt-failed`.
 */
export async function* readParts(
  vault: PayloadVault,
  read: (file: string) => AsyncIterable<Uint8Array>,
  uploadId: Uint8Array,
  parts: readonly Part[],
): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    const key = vault.unwrap(part.wrappedKey, partContext(uploadId, part.number));
    try {
      let size = 0;
      for await (const chunk of key.decryptStream(read(part.file), { reuse: true })) {
        size += chunk.length;
        yield chunk;
      }
      if (size !== part.size) {
        throw new GatewayError("spool.payload-damaged", { detail: part.file });
      }
    } finally {
      key.destroy();
    }
  }
}
