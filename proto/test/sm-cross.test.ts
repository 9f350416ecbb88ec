/** Guarantee checked: two independent implementations agree on any input, both ways. */
import { createHmac, createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { loadProvider, type SmProvider } from "@lightferry/proto/sm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { signatureFromDer, signatureToDer } from "../src/sm/der.ts";

const openssl = loadProvider("openssl");
const portable = loadProvider("sm-crypto");
const bytes = (options: { minLength?: number; maxLength: number }) => fc.uint8Array(options);
const pairs: [SmProvider, SmProvider][] = [
  [openssl, portable],
  [portable, openssl],
];
const scalar = openssl.exportSm2(openssl.generateSm2());
/** sm-crypto needs some 20 ms an operation: few runs, each over random input. */
const SLOW_RUNS = { numRuns: 8 };

describe("symmetric algorithms agree", () => {
  it("SM3, whole and in parts", () => {
    fc.assert(
      fc.property(fc.array(bytes({ maxLength: 300 }), { maxLength: 8 }), (parts) => {
        const expected = portable.sm3(...parts);
        expect(Buffer.from(openssl.sm3(...parts))).toEqual(Buffer.from(expected));
        const running = openssl.createSm3();
        for (const part of parts) running.update(part);
        expect(Buffer.from(running.digest())).toEqual(Buffer.from(expected));
      }),
    );
  });

  it("SM3 above the joining limit", () => {
    const parts = [new Uint8Array(1500).fill(1), new Uint8Array(0), new Uint8Array(1500).fill(2)];
    expect(Buffer.from(openssl.sm3(...parts))).toEqual(Buffer.from(portable.sm3(...parts)));
  });

  it("HMAC-SM3 with keys shorter and longer than a block", () => {
    fc.assert(
      fc.property(
        bytes({ minLength: 1, maxLength: 100 }),
        bytes({ maxLength: 100 }),
        bytes({ maxLength: 100 }),
        (key, a, b) => {
          const ours = Buffer.from(openssl.hmacSm3(key, a, b));
          expect(ours).toEqual(Buffer.from(portable.hmacSm3(key, a, b)));
          expect(ours).toEqual(createHmac("sm3", key).update(a).update(b).digest());
        },
      ),
    );
  });

  it("SM4-GCM, and every altered byte is refused", () => {
    fc.assert(
      fc.property(
        bytes({ minLength: 16, maxLength: 16 }),
        bytes({ minLength: 12, maxLength: 12 }),
        bytes({ maxLength: 200 }),
        bytes({ maxLength: 40 }),
        fc.nat(),
        (key, nonce, plaintext, aad, place) => {
          const sealed = openssl.sm4GcmEncrypt(key, nonce, plaintext, aad);
          expect(Buffer.from(portable.sm4GcmEncrypt(key, nonce, plaintext, aad))).toEqual(
            Buffer.from(sealed),
          );
          for (const provider of [openssl, portable]) {
            expect(Buffer.from(provider.sm4GcmDecrypt(key, nonce, sealed, aad))).toEqual(
              Buffer.from(plaintext),
            );
            const altered = Uint8Array.from(sealed);
            const at = place % altered.length;
            altered[at] = (altered[at] ?? 0) ^ 0x80;
            expect(() => provider.sm4GcmDecrypt(key, nonce, altered, aad)).toThrow(
              expect.objectContaining({ code: "sm.decrypt-failed" }),
            );
            expect(() => provider.sm4GcmDecrypt(key, nonce, sealed.subarray(0, 15), aad)).toThrow(
              expect.objectContaining({ code: "sm.decrypt-failed" }),
            );
          }
        },
      ),
    );
  });

  it("refuses keys and nonces of a wrong length", () => {
    for (const provider of [openssl, portable]) {
      const none = new Uint8Array(0);
      for (const [key, nonce] of [
        [15, 12],
        [32, 12],
        [16, 11],
        [16, 16],
      ] as const) {
        expect(() =>
          provider.sm4GcmEncrypt(new Uint8Array(key), new Uint8Array(nonce), none, none),
        ).toThrow(expect.objectContaining({ code: "sm.operation-failed" }));
      }
    }
  });
});

describe.each(pairs)("SM2 from one to the other (%#)", (from, to) => {
  const own = from.importSm2(scalar);
  const theirs = to.importSm2(scalar);

  it("derives the same public key", () => {
    expect(Buffer.from(own.publicKey)).toEqual(Buffer.from(theirs.publicKey));
    expect(Buffer.from(to.exportSm2(theirs))).toEqual(Buffer.from(scalar));
  });

  it("signs and verifies", () => {
    fc.assert(
      fc.property(bytes({ maxLength: 500 }), fc.string({ maxLength: 20 }), (message, userId) => {
        const signature = from.sm2Sign(own, message, userId);
        expect(signature.length).toBe(64);
        expect(to.sm2Verify(theirs.publicKey, message, signature, userId)).toBe(true);
        expect(to.sm2Verify(theirs.publicKey, message, signature, `${userId}x`)).toBe(false);
      }),
      SLOW_RUNS,
    );
  });

  it("encrypts and decrypts, from 1 byte to 1 KiB", () => {
    fc.assert(
      fc.property(bytes({ minLength: 1, maxLength: 64 }), (plaintext) => {
        const sealed = from.sm2Encrypt(own.publicKey, plaintext);
        expect(Buffer.from(to.sm2Decrypt(theirs, sealed))).toEqual(Buffer.from(plaintext));
      }),
      SLOW_RUNS,
    );
    const largest = new Uint8Array(1024).fill(7);
    expect(Buffer.from(to.sm2Decrypt(theirs, from.sm2Encrypt(own.publicKey, largest)))).toEqual(
      Buffer.from(largest),
    );
    for (const size of [0, 1025]) {
      expect(() => from.sm2Encrypt(own.publicKey, new Uint8Array(size))).toThrow(
        expect.objectContaining({ code: "sm.operation-failed" }),
      );
    }
  });

  it("refuses an altered ciphertext and another key", () => {
    const sealed = from.sm2Encrypt(own.publicKey, Buffer.from("a wrapped secret"));
    const other = to.generateSm2();
    const refused = expect.objectContaining({ code: "sm.decrypt-failed" });
    expect(() => to.sm2Decrypt(other, sealed)).toThrow(refused);
    for (const at of [8, 40, 80, sealed.length - 1]) {
      const altered = Uint8Array.from(sealed);
      altered[at] = (altered[at] ?? 0) ^ 1;
      expect(() => to.sm2Decrypt(theirs, altered)).toThrow(refused);
    }
  });
});

describe("interop with node:crypto", () => {
  // SEC 1 ECPrivateKey with the curve 1.2.156.10197.1.301.
  const key = openssl.importSm2(scalar);
  const pem = createPrivateKey({
    key: Buffer.concat([
      Buffer.from("30770201010420", "hex"),
      scalar,
      Buffer.from("a00a06082a811ccf5501822da144034200", "hex"),
      key.publicKey,
    ]),
    format: "der",
    type: "sec1",
  });

  it("reads its signatures and writes ones it reads, with its empty user id", () => {
    const message = Buffer.from("either side");
    const theirs = signatureFromDer(sign("sm3", message, pem));
    expect(openssl.sm2Verify(key.publicKey, message, theirs, "")).toBe(true);
    expect(portable.sm2Verify(key.publicKey, message, theirs, "")).toBe(true);
    const ours = signatureToDer(openssl.sm2Sign(key, message, ""));
    expect(verify("sm3", message, createPublicKey(pem), ours)).toBe(true);
  });
});
