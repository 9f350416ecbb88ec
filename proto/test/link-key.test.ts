/** The wrapping of link keys: its bytes, that both providers and a cipher machine open it, and that nothing is left behind. */
import { randomBytes } from "node:crypto";
import { GatewayError } from "@lightferry/proto/errors";
import {
  LINK_SECRET_BYTES,
  MAX_WRAPPED_BYTES,
  unwrapLinkKey,
  wrapLinkKey,
} from "@lightferry/proto/link-key";
import { loadProvider, type SmProvider } from "@lightferry/proto/sm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { codeOf } from "./code-of.ts";
import { describeWithDevice, onlyKey, open } from "./sdf-world.ts";

const openssl = loadProvider("openssl");
const portable = loadProvider("sm-crypto");
const secret = randomBytes(LINK_SECRET_BYTES);
const key = openssl.generateSm2();

describe("a link key", () => {
  it("is 60 bytes under SM2: label, zero byte, secret", () => {
    const wrapped = wrapLinkKey(openssl, key.publicKey, secret);
    const plaintext = Buffer.from(openssl.sm2Decrypt(key, wrapped));
    expect(plaintext).toHaveLength(60);
    expect(plaintext.toString("latin1", 0, 28)).toBe("lightferry/ferry-link-key/1\0");
    expect(plaintext.subarray(28)).toEqual(secret);
  });

  it("is opened as it was wrapped, another ciphertext each time and none over the limit", () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (own) => {
        const wrapped = wrapLinkKey(openssl, key.publicKey, own);
        seen.add(Buffer.from(wrapped).toString("hex"));
        // The text of MAX_WRAPPED_BYTES says so.
        expect(wrapped.length).toBeLessThanOrEqual(169);
        expect(Buffer.from(unwrapLinkKey(openssl, key, wrapped))).toEqual(Buffer.from(own));
      }),
    );
    expect(seen.size).toBe(100);
  });

  it("of one provider is opened by the other", () => {
    const scalar = openssl.exportSm2(key);
    const theirs = portable.importSm2(scalar);
    const ours = wrapLinkKey(openssl, key.publicKey, secret);
    expect(Buffer.from(unwrapLinkKey(portable, theirs, ours))).toEqual(secret);
    const other = wrapLinkKey(portable, theirs.publicKey, secret);
    expect(Buffer.from(unwrapLinkKey(openssl, key, other))).toEqual(secret);
  });

  it.each([0, 16, 31, 33, 64])("of a secret of %i bytes is not wrapped", (length) => {
    const asked = () => wrapLinkKey(openssl, key.publicKey, new Uint8Array(length));
    expect(codeOf(asked)).toBe("link-key.invalid");
  });

  it.each([0, MAX_WRAPPED_BYTES + 1])("of %i bytes is refused before the key is used", (length) => {
    let used = 0;
    const counted: SmProvider = {
      ...openssl,
      sm2Decrypt: (...of) => {
        used += 1;
        return openssl.sm2Decrypt(...of);
      },
    };
    expect(codeOf(() => unwrapLinkKey(counted, key, new Uint8Array(length)))).toBe(
      "link-key.invalid",
    );
    expect(used).toBe(0);
    expect(codeOf(() => unwrapLinkKey(counted, key, new Uint8Array(1)))).toBe("link-key.invalid");
    expect(used).toBe(1);
  });

  it("leaves no plaintext behind, opened or refused; what is given is a copy", () => {
    const plaintexts: Uint8Array[] = [];
    const watched: SmProvider = {
      ...openssl,
      sm2Encrypt: (publicKey, plaintext) => {
        plaintexts.push(plaintext);
        return openssl.sm2Encrypt(publicKey, plaintext);
      },
      sm2Decrypt: (privateKey, wrapped) => {
        const plaintext = openssl.sm2Decrypt(privateKey, wrapped);
        plaintexts.push(plaintext);
        return plaintext;
      },
    };
    const mine = Buffer.from(secret);
    const opened = unwrapLinkKey(watched, key, wrapLinkKey(watched, key.publicKey, mine));
    const foreign = openssl.sm2Encrypt(key.publicKey, secret);
    expect(codeOf(() => unwrapLinkKey(watched, key, foreign))).toBe("link-key.invalid");
    expect(plaintexts.map(({ length }) => length)).toEqual([60, 60, 32]);
    for (const plaintext of plaintexts) {
      expect(Buffer.from(plaintext)).toEqual(Buffer.alloc(plaintext.length));
    }
    expect(Buffer.from(opened)).toEqual(secret);
    expect(mine).toEqual(secret);
  });

  it("that cannot be opened for the key's own sake is not called invalid", () => {
    const broken: SmProvider = {
      ...openssl,
      sm2Decrypt: () => {
        throw new GatewayError("sm.hsm-unavailable");
      },
    };
    const wrapped = wrapLinkKey(openssl, key.publicKey, secret);
    expect(codeOf(() => unwrapLinkKey(broken, key, wrapped))).toBe("sm.hsm-unavailable");
  });
});

describeWithDevice("a link key for a key in a cipher machine", () => {
  it.each(["exchange", "internal"] as const)("is opened by %s, and nothing else is", (decrypt) => {
    const { provider, encryptKeys } = open({ decrypt });
    const own = onlyKey(encryptKeys);
    const wrapped = wrapLinkKey(openssl, own.publicKey, secret);
    expect(Buffer.from(unwrapLinkKey(provider, own, wrapped))).toEqual(secret);
    const foreign = openssl.sm2Encrypt(own.publicKey, secret);
    expect(codeOf(() => unwrapLinkKey(provider, own, foreign))).toBe("link-key.invalid");
  });
});
