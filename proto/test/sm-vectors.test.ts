/** Guarantee checked: both providers reproduce the published vectors and refuse what is altered. */
import { createCipheriv } from "node:crypto";
import { loadProvider } from "@lightferry/proto/sm";
import smCrypto from "sm-crypto";
import { describe, expect, it } from "vitest";
import { annexC2, hex, published, repeatedInput } from "./published-vectors.ts";

const once = published.sm4_ecb_no_padding.filter((v) => v.encrypt_repeatedly === undefined);
const repeated = published.sm4_ecb_no_padding.filter((v) => v.encrypt_repeatedly !== undefined);

describe.each(["openssl", "sm-crypto"] as const)("published vectors: %s", (name) => {
  const provider = loadProvider(name);

  it.each(published.sm3)("SM3, $source", ({ message_utf8, digest }) => {
    const message = Buffer.from(message_utf8);
    expect(Buffer.from(provider.sm3(message)).toString("hex")).toBe(digest);
    const running = provider.createSm3();
    for (const byte of message) running.update(Uint8Array.of(byte));
    expect(Buffer.from(running.digest()).toString("hex")).toBe(digest);
  });

  it.each(published.sm2_signature)("SM2 signature, $source", (vector) => {
    const key = provider.importSm2(hex(vector.private_key));
    const message = Buffer.from(vector.message_utf8);
    const signature = hex(vector.r + vector.s);
    expect(Buffer.from(key.publicKey).toString("hex")).toBe(vector.public_key_uncompressed);
    expect(provider.sm2Verify(key.publicKey, message, signature, vector.user_id_ascii)).toBe(true);
    for (const place of [0, 31, 32, 63]) {
      const altered = Buffer.from(signature);
      altered[place] = (altered[place] ?? 0) ^ 1;
      expect(provider.sm2Verify(key.publicKey, message, altered)).toBe(false);
    }
    expect(provider.sm2Verify(key.publicKey, Buffer.from("message digesu"), signature)).toBe(false);
    expect(provider.sm2Verify(key.publicKey, message, signature, "ALICE123@YAHOO.COM")).toBe(false);
  });

  it("SM2 decryption, GB/T 32918.5-2017 annex C.2 as SM2Cipher", () => {
    const key = provider.importSm2(annexC2.scalar);
    const plaintext = provider.sm2Decrypt(key, annexC2.ciphertext);
    expect(Buffer.from(plaintext).toString()).toBe(annexC2.plaintext);
  });

  it("SM4-GCM, RFC 8998 A.1", () => {
    const key = hex("0123456789abcdeffedcba9876543210");
    const nonce = hex("00001234567800000000abcd");
    const aad = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
    const plaintext = hex(
      "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd" +
        "eeeeeeeeeeeeeeeeffffffffffffffffeeeeeeeeeeeeeeeeaaaaaaaaaaaaaaaa",
    );
    const sealed = provider.sm4GcmEncrypt(key, nonce, plaintext, aad);
    expect(Buffer.from(sealed).toString("hex")).toBe(
      "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735" +
        "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d" +
        "83de3541e4c2b58177e065a9bf7b62ec",
    );
    expect(Buffer.from(provider.sm4GcmDecrypt(key, nonce, sealed, aad))).toEqual(plaintext);
  });
});

describe("published vectors: the SM4 block cipher under each provider", () => {
  it.each(once)("$source", ({ key, plaintext, ciphertext }) => {
    const cipher = createCipheriv("sm4-ecb", hex(key), null).setAutoPadding(false);
    expect(cipher.update(hex(plaintext)).toString("hex")).toBe(ciphertext);
    const options = { padding: "none", output: "array" } as const;
    expect(Buffer.from(smCrypto.sm4.encrypt(hex(plaintext), hex(key), options))).toEqual(
      hex(ciphertext),
    );
  });

  it.each(repeated)("$source with OpenSSL", (vector) => {
    const input = repeatedInput(vector.plaintext, vector.encrypt_repeatedly ?? 0);
    const cipher = createCipheriv("sm4-cbc", hex(vector.key), Buffer.alloc(16));
    const output = cipher.setAutoPadding(false).update(input);
    expect(output.subarray(-16).toString("hex")).toBe(vector.ciphertext);
  });

  it.each(repeated)("$source with sm-crypto", (vector) => {
    const key = hex(vector.key);
    let block: number[] = [...hex(vector.plaintext)];
    for (let round = 0; round < (vector.encrypt_repeatedly ?? 0); round++) {
      block = smCrypto.sm4.encrypt(block, key, { padding: "none", output: "array" });
    }
    expect(Buffer.from(block).toString("hex")).toBe(vector.ciphertext);
  });
});
