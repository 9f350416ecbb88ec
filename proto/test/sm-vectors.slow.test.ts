/** Guarantee checked: the million-round SM4 vector on sm-crypto, and that native objects are freed. */
import { readFileSync } from "node:fs";
import { loadProvider } from "@lightferry/proto/sm";
import smCrypto from "sm-crypto";
import { expect, it } from "vitest";

interface Published {
  readonly sm4_ecb_no_padding: {
    key: string;
    plaintext: string;
    encrypt_repeatedly?: number;
    ciphertext: string;
  }[];
}

it("SM4, 1,000,000 rounds with sm-crypto", { timeout: 600_000 }, () => {
  const published = JSON.parse(
    readFileSync(new URL("../vectors/published/gm-published.json", import.meta.url), "utf8"),
  ) as Published;
  const vector = published.sm4_ecb_no_padding.find((v) => v.encrypt_repeatedly !== undefined);
  if (vector === undefined) throw new Error("the repeated vector is missing");
  const key = Buffer.from(vector.key, "hex");
  let block: ArrayLike<number> = Buffer.from(vector.plaintext, "hex");
  for (let round = 0; round < (vector.encrypt_repeatedly ?? 0); round++) {
    block = smCrypto.sm4.encrypt(block, key, { padding: "none", output: "array" });
  }
  expect(Buffer.from(Array.from(block)).toString("hex")).toBe(vector.ciphertext);
});

it("keys, signatures and ciphertexts leave no native memory behind", { timeout: 600_000 }, () => {
  const provider = loadProvider("openssl");
  const message = new Uint8Array(64);
  const round = (): void => {
    const key = provider.generateSm2();
    const signature = provider.sm2Sign(key, message);
    provider.sm2Verify(key.publicKey, message, signature);
    provider.sm2Verify(key.publicKey, message.subarray(1), signature);
    const sealed = provider.sm2Encrypt(key.publicKey, message);
    provider.sm2Decrypt(key, sealed);
    sealed[sealed.length - 1] = (sealed[sealed.length - 1] ?? 0) ^ 1;
    expect(() => provider.sm2Decrypt(key, sealed)).toThrow();
    provider.importSm2(provider.exportSm2(key)).destroy();
    key.destroy();
  };
  // The first thousand fill the caches and the allocator; a leak of one small
  // context (about 200 bytes) in any step would show in the next four thousand.
  for (let i = 0; i < 1000; i++) round();
  const before = process.memoryUsage().rss;
  for (let i = 0; i < 4000; i++) round();
  expect(process.memoryUsage().rss - before).toBeLessThan(24 * 1024 * 1024);
});
