/**
 * Guarantee: what passes as receipts is exactly a file of receipts (proto/SPEC.md
 * §17): ids, states, error codes and times in their one encoding, beside
 * signatures and certificates. There is no room in it for text, so the
 * inspectors of text have nothing to read.
 */
import { GatewayError } from "@lightferry/proto/errors";
import { decodeReceiptFile, FILE_MAX } from "@lightferry/proto/receipt";

export class ReceiptContent {
  #chunks: Uint8Array[] = [];
  #size = 0;

  push(chunk: Uint8Array): void {
    this.#size += chunk.length;
    // What is too long is refused by its length; it need not be kept.
    if (this.#size > FILE_MAX) this.#chunks = [];
    else this.#chunks.push(chunk);
  }

  /** True when all of it was receipts. */
  isWhole(): boolean {
    if (this.#size > FILE_MAX) return false;
    try {
      decodeReceiptFile(Buffer.concat(this.#chunks));
      return true;
    } catch (error) {
      if (error instanceof GatewayError) return false;
      throw error;
    }
  }
}
