/**
 * Guarantee: what passes as receipts is exactly a file of receipts (proto/SPEC.md
 * §17): ids, states, error codes and times in their one encoding, beside
 * signatures and certificates, which {@link ReceiptJudge} looks at where they leave.
 * There is no room in it for text, so the inspectors of text have nothing to read.
 */
import { GatewayError } from "@lightferry/proto/errors";
import { decodeReceiptFile, FILE_MAX } from "@lightferry/proto/receipt";

/** Looks at one signed list. @throws GatewayError when it may not pass */
export type ReceiptJudge = (signed: Uint8Array) => void;

export class ReceiptContent {
  readonly #judge: ReceiptJudge;
  #chunks: Uint8Array[] = [];
  #size = 0;

  constructor(judge: ReceiptJudge = () => undefined) {
    this.#judge = judge;
  }

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
      for (const signed of decodeReceiptFile(Buffer.concat(this.#chunks))) this.#judge(signed);
      return true;
    } catch (error) {
      if (error instanceof GatewayError) return false;
      throw error;
    }
  }
}
