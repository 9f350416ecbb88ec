/**
 * SM4-GMAC of every provider against NIST SP 800-38D written out here over the bare block cipher. No standard prints
 * a tag of SM4-GCM without plaintext; so the writing-out itself is held to two published results, each of which shows
 * half of it: AES-128 without plaintext (NIST CAVP) and SM4 with plaintext (RFC 8998). OpenSSL's and sm-crypto's GCM and
 * libgcrypt's share no code with it, nor with each other.
 */
import { createCipheriv } from "node:crypto";
import { loadProvider, type SmProvider } from "@lightferry/proto/sm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chooseBulk } from "../src/sm/bulk.ts";
import { GCM_VECTOR } from "../src/sm/gcm-vector.ts";
import { gcmDecrypt, gcmEncrypt } from "../src/sm/openssl/symmetric.ts";
import { codeOf } from "./code-of.ts";
import { hex } from "./published-vectors.ts";
import { describeWithDevice, open } from "./sdf-world.ts";

const BLOCK = 16;
const NONE = new Uint8Array();
const libgcrypt = chooseBulk({ encrypt: gcmEncrypt, decrypt: gcmDecrypt }, undefined).gcm;
const providers = (["openssl", "sm-crypto"] as const).map((name) => loadProvider(name));
const [openssl, portable] = providers as [SmProvider, SmProvider];

type Block = (block: Uint8Array) => Buffer;
const blockCipher =
  (name: "sm4-ecb" | "aes-128-ecb", key: Uint8Array): Block =>
  (block) =>
    createCipheriv(name, key, null).setAutoPadding(false).update(block);

const number = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString("hex")}`);

/** SP 800-38D §6.3, bit by bit: bit 0 is the leftmost, R = 11100001 ‖ 0^120. */
function times(x: bigint, y: bigint): bigint {
  let product = 0n;
  let v = y;
  for (let bit = 127n; bit >= 0n; bit--) {
    if (((x >> bit) & 1n) === 1n) product ^= v;
    v = (v & 1n) === 0n ? v >> 1n : (v >> 1n) ^ (0xe1n << 120n);
  }
  return product;
}

/** The tag of §7.1 for a nonce of 96 bits, of any 128-bit block cipher. */
function tagOf(encrypt: Block, nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array): Buffer {
  const subkey = number(encrypt(new Uint8Array(BLOCK)));
  const padded = (bytes: Uint8Array) =>
    Buffer.concat([bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)]);
  const lengths = Buffer.alloc(BLOCK);
  lengths.writeBigUInt64BE(BigInt(aad.length) * 8n, 0);
  lengths.writeBigUInt64BE(BigInt(ciphertext.length) * 8n, 8);
  const input = Buffer.concat([padded(aad), padded(ciphertext), lengths]);
  let hash = 0n;
  for (let at = 0; at < input.length; at += BLOCK) {
    hash = times(hash ^ number(input.subarray(at, at + BLOCK)), subkey);
  }
  const first = number(encrypt(Buffer.concat([nonce, Uint8Array.of(0, 0, 0, 1)])));
  return Buffer.from((hash ^ first).toString(16).padStart(2 * BLOCK, "0"), "hex");
}

const written = (key: Uint8Array, nonce: Uint8Array, message: Uint8Array) =>
  tagOf(blockCipher("sm4-ecb", key), nonce, message, NONE);

const bytes = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength });
const key = bytes(16, 16);
const nonce = bytes(12, 12);
const parts = fc.array(bytes(0, 50), { maxLength: 6 });

describe("the writing-out", () => {
  it("gives AES-128 without plaintext, NIST CAVP gcmEncryptExtIV128, PTlen 0, AADlen 128, count 0", () => {
    const aes = blockCipher("aes-128-ecb", hex("77be63708971c4e240d1cb79e8d77feb"));
    const aad = hex("7a43ec1d9c0a5a78a0b16533a6213cab");
    expect(tagOf(aes, hex("e0e00f19fed7ba0136a797f3"), aad, NONE).toString("hex")).toBe(
      "209fcc8d3675ed938e9c7166709dd946",
    );
  });

  it("gives SM4 with plaintext, RFC 8998 A.1", () => {
    const { key: rfcKey, nonce: rfcNonce, aad, sealed } = GCM_VECTOR;
    const tag = tagOf(blockCipher("sm4-ecb", rfcKey), rfcNonce, aad, sealed.subarray(0, -BLOCK));
    expect(tag).toEqual(Buffer.from(sealed.subarray(-BLOCK)));
  });

  it("gives the tag that the self-test asks of every provider", () => {
    const { key: ownKey, nonce: ownNonce, aad, gmac } = GCM_VECTOR;
    expect(written(ownKey, ownNonce, aad)).toEqual(Buffer.from(gmac));
  });
});

describe.each(providers)("SM4-GMAC of $name", (provider) => {
  it("is what is written out, of any parts", () => {
    fc.assert(
      fc.property(key, nonce, parts, (k, n, message) => {
        const tag = Buffer.from(provider.sm4Gmac(k, n, ...message));
        expect(tag).toEqual(written(k, n, Buffer.concat(message)));
      }),
    );
  });

  it("is the same of parts as of the whole, wherever it is cut", () => {
    fc.assert(
      fc.property(key, nonce, bytes(0, 100), fc.array(fc.nat(100)), (k, n, message, cuts) => {
        const places = [0, ...cuts.sort((a, b) => a - b), message.length];
        const pieces = places.map((from, i) => message.subarray(from, places[i + 1] ?? from));
        const whole = Buffer.from(provider.sm4Gmac(k, n, message));
        expect(Buffer.from(provider.sm4Gmac(k, n, ...pieces))).toEqual(whole);
      }),
    );
  });

  it("is another one for another bit of key, nonce or message, and for a byte more", () => {
    fc.assert(
      fc.property(key, nonce, bytes(1, 70), fc.nat(), (k, n, message, place) => {
        const tag = Buffer.from(provider.sm4Gmac(k, n, message));
        const flipped = (of: Uint8Array) => {
          const bit = place % (of.length * 8);
          return of.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
        };
        const others = [
          provider.sm4Gmac(flipped(k), n, message),
          provider.sm4Gmac(k, flipped(n), message),
          provider.sm4Gmac(k, n, flipped(message)),
          provider.sm4Gmac(k, n, message, Uint8Array.of(0)),
        ];
        for (const other of others) expect(Buffer.from(other)).not.toEqual(tag);
      }),
    );
  });

  it("takes views into larger buffers, and leaves them as they are", () => {
    const around = Buffer.from(Array.from({ length: 300 }, (_, i) => i & 0xff));
    const before = Buffer.from(around);
    const [k, n, message] = [around.subarray(3, 19), around.subarray(21, 33), around.subarray(50)];
    const tag = provider.sm4Gmac(k, n, message);
    expect(Buffer.from(tag)).toEqual(written(k, n, message));
    expect(around).toEqual(before);
  });

  it.each([
    ["a short key", 15, 12],
    ["a long key", 17, 12],
    ["a key of 256 bits", 32, 12],
    ["no key", 0, 12],
    ["a short nonce", 16, 11],
    ["a long nonce", 16, 13],
    ["a nonce of a block", 16, 16],
    ["no nonce", 16, 0],
  ])("refuses %s", (_name, keyBytes, nonceBytes) => {
    const asked = () =>
      provider.sm4Gmac(new Uint8Array(keyBytes), new Uint8Array(nonceBytes), NONE);
    expect(codeOf(asked)).toBe("sm.operation-failed");
  });
});

describe("of a chunk", () => {
  // As the gate makes them: a chunk of 256 KiB and its GCM tag.
  const chunk = Buffer.alloc(256 * 1_024 + 16, "lightferry");
  const k = chunk.subarray(0, 16);
  const n = chunk.subarray(16, 28);

  it("both providers agree", () => {
    const tag = Buffer.from(openssl.sm4Gmac(k, n, chunk));
    expect(Buffer.from(portable.sm4Gmac(k, n, chunk))).toEqual(tag);
    expect(Buffer.from(openssl.sm4Gmac(k, n, chunk.subarray(0, 777), chunk.subarray(777)))).toEqual(
      tag,
    );
  });

  it.skipIf(libgcrypt === undefined)("libgcrypt agrees, on this and on any other size", () => {
    const theirs = (message: Uint8Array) => libgcrypt?.encrypt(k, n, NONE, message);
    expect(Buffer.from(openssl.sm4Gmac(k, n, chunk))).toEqual(theirs(chunk));
    fc.assert(
      fc.property(bytes(1, 3_000), (message) => {
        expect(Buffer.from(openssl.sm4Gmac(k, n, message))).toEqual(theirs(message));
      }),
    );
  });
});

describeWithDevice("of a provider with a cipher machine", () => {
  it("is that of the software, which does what is no key's of the machine", () => {
    const { provider } = open();
    fc.assert(
      fc.property(key, nonce, parts, (ofKey, ofNonce, message) => {
        const tag = Buffer.from(provider.sm4Gmac(ofKey, ofNonce, ...message));
        expect(tag).toEqual(written(ofKey, ofNonce, Buffer.concat(message)));
      }),
      { numRuns: 20 },
    );
  });
});
