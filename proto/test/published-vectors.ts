/** Guarantee: the published algorithm vectors of `vectors/published`, read one way by every test of them. */
import { readFileSync } from "node:fs";

interface Published {
  readonly sm3: readonly { source: string; message_utf8: string; digest: string }[];
  readonly sm4_ecb_no_padding: readonly {
    source: string;
    key: string;
    plaintext: string;
    encrypt_repeatedly?: number;
    ciphertext: string;
  }[];
  readonly sm2_signature: readonly {
    source: string;
    private_key: string;
    public_key_uncompressed: string;
    user_id_ascii: string;
    message_utf8: string;
    r: string;
    s: string;
  }[];
}

export const published = JSON.parse(
  readFileSync(new URL("../vectors/published/gm-published.json", import.meta.url), "utf8"),
) as Published;

export const hex = (text: string): Buffer => Buffer.from(text, "hex");

/** SM2 decryption of GB/T 32918.5-2017 annex C.2; the ciphertext as SM2Cipher of GM/T 0009. */
export const annexC2 = {
  scalar: hex("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8"),
  ciphertext: hex(
    "307c" +
      "022004ebfc718e8d1798620432268e77feb6415e2ede0e073c0f4f640ecd2e149a73" +
      "022100e858f9d81e5430a57b36daab8f950a3c64e6ee6a63094d99283aff767e124df0" +
      "042059983c18f809e262923c53aec295d30383b54e39d609d160afcb1908d0bd8766" +
      "041321886ca989ca9c7d58087307ca93092d651efa",
  ),
  plaintext: "encryption standard",
} as const;

/**
 * What one block encrypted `times` over is the last block of: CBC from a zero IV over that block and
 * then zeros is the same block encrypted again and again.
 */
export function repeatedInput(plaintext: string, times: number): Buffer {
  const input = Buffer.alloc(16 * times);
  input.set(hex(plaintext));
  return input;
}
