/**
 * Guarantee: no provider is handed out before it has reproduced published
 * results of every algorithm and refused an altered one. Some milliseconds with
 * OpenSSL, some hundred with the portable provider.
 */
import { GatewayError } from "../errors/index.ts";
import { GCM_VECTOR as GCM } from "./gcm-vector.ts";
import type { SmProvider } from "./provider.ts";

const hex = (text: string): Uint8Array => Buffer.from(text, "hex");
const ascii = (text: string): Uint8Array => Buffer.from(text, "ascii");
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** GB/T 32905-2016 annex A.1. */
const SM3_ABC = hex("66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
/** GB/T 32918.5-2017 annex A.2; a published test key, no secret. */
const SM2 = {
  scalar: hex("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8"),
  publicKey: hex(
    "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020" +
      "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13",
  ),
  message: ascii("message digest"),
  signature: hex(
    "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3" +
      "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa",
  ),
};

function throwsDecrypt(body: () => unknown): boolean {
  try {
    body();
    return false;
  } catch (error) {
    return error instanceof GatewayError && error.code === "sm.decrypt-failed";
  }
}

function flipped(bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[copy.length - 1] = (copy[copy.length - 1] ?? 0) ^ 1;
  return copy;
}

/** What is checked, by the name that appears in the error. */
const CHECKS: readonly (readonly [string, (provider: SmProvider) => boolean])[] = [
  ["SM3", (p) => same(p.sm3(ascii("abc")), SM3_ABC)],
  [
    "SM3 in parts",
    (p) => same(p.createSm3().update(ascii("ab")).update(ascii("c")).digest(), SM3_ABC),
  ],
  [
    "HMAC-SM3",
    // RFC 2104 written out over SM3, so that it depends on no second implementation.
    (p) => {
      const key = new Uint8Array(64);
      key.set(GCM.key);
      const inner = p.sm3(
        key.map((byte) => byte ^ 0x36),
        SM2.message,
      );
      return same(
        p.hmacSm3(GCM.key, SM2.message),
        p.sm3(
          key.map((byte) => byte ^ 0x5c),
          inner,
        ),
      );
    },
  ],
  [
    "SM4-GCM",
    (p) =>
      same(p.sm4GcmEncrypt(GCM.key, GCM.nonce, GCM.plaintext, GCM.aad), GCM.sealed) &&
      same(p.sm4GcmDecrypt(GCM.key, GCM.nonce, GCM.sealed, GCM.aad), GCM.plaintext) &&
      throwsDecrypt(() => p.sm4GcmDecrypt(GCM.key, GCM.nonce, flipped(GCM.sealed), GCM.aad)),
  ],
  [
    "SM4-GMAC",
    (p) =>
      same(p.sm4Gmac(GCM.key, GCM.nonce, GCM.aad), GCM.gmac) &&
      same(p.sm4Gmac(GCM.key, GCM.nonce, GCM.aad.subarray(0, 7), GCM.aad.subarray(7)), GCM.gmac) &&
      !same(p.sm4Gmac(GCM.key, GCM.nonce, flipped(GCM.aad)), GCM.gmac),
  ],
  [
    "SM2 verification",
    (p) => {
      const key = p.checkPublicKey(SM2.publicKey);
      return (
        p.sm2Verify(key, SM2.message, SM2.signature) &&
        !p.sm2Verify(key, SM2.message, flipped(SM2.signature)) &&
        !p.sm2Verify(key, SM2.message, SM2.signature, "another user id")
      );
    },
  ],
  [
    "SM2 with a private key",
    (p) => {
      const key = p.importSm2(SM2.scalar);
      try {
        if (!same(key.publicKey, SM2.publicKey)) return false;
        const signature = p.sm2Sign(key, SM2.message);
        const wrapped = p.sm2Encrypt(key.publicKey, GCM.key);
        return (
          p.sm2Verify(key.publicKey, SM2.message, signature) &&
          same(p.sm2Decrypt(key, wrapped), GCM.key) &&
          throwsDecrypt(() => p.sm2Decrypt(key, flipped(wrapped)))
        );
      } finally {
        key.destroy();
      }
    },
  ],
];

/** @throws GatewayError `sm.self-test-failed` naming the first algorithm that is wrong. */
export function selfTest(provider: SmProvider): void {
  for (const [name, check] of CHECKS) {
    let passed = false;
    try {
      passed = check(provider);
    } catch (cause) {
      if (cause instanceof GatewayError && cause.code === "sm.unavailable") throw cause;
      throw new GatewayError("sm.self-test-failed", {
        detail: `${provider.name}: ${name}`,
        cause,
      });
    }
    if (!passed) {
      throw new GatewayError("sm.self-test-failed", { detail: `${provider.name}: ${name}` });
    }
  }
}
