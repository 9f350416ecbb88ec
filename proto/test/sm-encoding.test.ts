/** Guarantee checked: one encoding only, for signatures, ciphertexts, public keys and scalars. */
import { GatewayError } from "@lightferry/proto/errors";
import { loadProvider } from "@lightferry/proto/sm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  cipherFromDer,
  cipherToDer,
  isSignatureInRange,
  signatureFromDer,
  signatureToDer,
} from "../src/sm/der.ts";

const provider = loadProvider();
const hex = (text: string): Buffer => Buffer.from(text, "hex");
const raw = fc.uint8Array({ minLength: 64, maxLength: 64 });
const field = fc.uint8Array({ minLength: 32, maxLength: 32 });
const ORDER = "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123";

describe("signature encoding", () => {
  it("decode then encode is identity", () => {
    fc.assert(
      fc.property(raw, (bytes) => {
        expect(Buffer.from(signatureFromDer(signatureToDer(bytes)))).toEqual(Buffer.from(bytes));
      }),
    );
  });

  it("whatever is read re-encodes to the same bytes, and nothing else is thrown", () => {
    fc.assert(
      fc.property(raw, fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 1 }), (bytes, at, to) => {
        const der = Uint8Array.from(signatureToDer(bytes));
        der[at % der.length] = to[0] ?? 0;
        try {
          expect(Buffer.from(signatureToDer(signatureFromDer(der)))).toEqual(Buffer.from(der));
        } catch (error) {
          expect(error).toBeInstanceOf(GatewayError);
        }
      }),
    );
  });

  it.each([
    ["trailing byte after the sequence", "300602010102010100"],
    ["trailing byte inside", "300702010102010100"],
    ["long form of a short length", "308106020101020101"],
    ["padded integer", "300702020001020101"],
    ["negative integer", "3006020181020101"],
    ["empty integer", "30050200020101"],
    ["indefinite length", "30800201010201010000"],
    ["cut short", "30060201010201"],
    ["another tag", "3106020101020101"],
    ["integer of 33 bytes", `302802${"21"}${"01".repeat(33)}0201010000`],
    ["nothing", ""],
  ])("refuses %s", (_what, der) => {
    expect(() => signatureFromDer(hex(der))).toThrow(GatewayError);
  });

  it("a raw signature out of range is false, not an error", () => {
    const key = provider.generateSm2();
    const message = Buffer.from("m");
    const good = provider.sm2Sign(key, message);
    const zero = "00".repeat(32);
    for (const bad of [
      hex(zero + zero),
      hex(ORDER + Buffer.from(good.subarray(32)).toString("hex")),
      hex(Buffer.from(good.subarray(0, 32)).toString("hex") + ORDER),
      Buffer.from(good.subarray(0, 63)),
      Buffer.concat([good, Buffer.alloc(1)]),
      Buffer.alloc(0),
    ]) {
      expect(isSignatureInRange(bad)).toBe(false);
      expect(provider.sm2Verify(key.publicKey, message, bad)).toBe(false);
    }
    expect(provider.sm2Verify(key.publicKey, message, good)).toBe(true);
  });
});

describe("ciphertext encoding", () => {
  const parts = fc.record({
    x: field,
    y: field,
    hash: field,
    cipher: fc.uint8Array({ minLength: 1, maxLength: 300 }),
  });

  it("decode then encode is identity", () => {
    fc.assert(
      fc.property(parts, (given) => {
        const der = cipherToDer(given);
        expect(Buffer.from(cipherToDer(cipherFromDer(der)))).toEqual(Buffer.from(der));
      }),
    );
  });

  it("refuses what is longer than any plaintext allows, before reading it", () => {
    const none = new Uint8Array(32);
    const der = cipherToDer({ x: none, y: none, hash: none, cipher: new Uint8Array(1200) });
    expect(() => cipherFromDer(der)).toThrow(/longer than/);
  });

  it("a point off the curve is refused by both providers", () => {
    const x = new Uint8Array(32).fill(1);
    const der = cipherToDer({ x, y: x, hash: x, cipher: x });
    for (const name of ["openssl", "sm-crypto"] as const) {
      const one = loadProvider(name);
      expect(() => one.sm2Decrypt(one.generateSm2(), der)).toThrow(
        expect.objectContaining({ code: "sm.decrypt-failed" }),
      );
    }
  });
});

describe("keys", () => {
  it.each(["openssl", "sm-crypto"] as const)("%s refuses scalars outside 1..n-2", (name) => {
    const one = loadProvider(name);
    const invalid = expect.objectContaining({ code: "sm.key-invalid" });
    const minus = (k: bigint): Buffer => hex((BigInt(`0x${ORDER}`) - k).toString(16));
    for (const bad of [hex("00".repeat(32)), minus(1n), hex(ORDER), hex("ff".repeat(32))]) {
      expect(() => one.importSm2(bad)).toThrow(invalid);
    }
    for (const bad of [new Uint8Array(31), new Uint8Array(33)]) {
      expect(() => one.importSm2(bad)).toThrow(invalid);
    }
    for (const good of [minus(2n), hex("01".padStart(64, "0"))]) {
      const key = one.importSm2(good);
      expect(Buffer.from(one.exportSm2(key))).toEqual(good);
      key.destroy();
    }
  });

  it("refuses public keys off the curve, compressed, short, long or at infinity", () => {
    const good = provider.generateSm2().publicKey;
    expect(Buffer.from(provider.checkPublicKey(good))).toEqual(Buffer.from(good));
    const off = Uint8Array.from(good);
    off[64] = (off[64] ?? 0) ^ 1;
    const compressed = Uint8Array.from(good.subarray(0, 33));
    compressed[0] = 2;
    const hybrid = Uint8Array.from(good);
    hybrid[0] = 6;
    // x and x + p name the same field element; only the reduced form is read.
    const prime = BigInt("0xfffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffff");
    const unreduced = Buffer.alloc(65);
    unreduced[0] = 4;
    unreduced.set(hex(prime.toString(16)), 1);
    for (const bad of [off, compressed, hybrid, unreduced, Uint8Array.of(0), good.subarray(1)]) {
      expect(() => provider.checkPublicKey(bad)).toThrow(
        expect.objectContaining({ code: "sm.key-invalid" }),
      );
    }
  });
});
