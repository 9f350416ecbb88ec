/** The GM/T 0018 binding against a device in C that shares no code with any provider. */
import { createCipheriv } from "node:crypto";
import { inspect } from "node:util";
import fc from "fast-check";
import { expect, it } from "vitest";
import { formatKeyId, loadProvider, openSdfProvider, type SmProvider } from "../src/sm/index.ts";
import { codeOf } from "./code-of.ts";
import {
  built,
  closeAfterwards,
  describeWithDevice,
  MESSAGE,
  onlyKey,
  open,
  settings,
  software,
} from "./sdf-world.ts";

const portable = loadProvider("sm-crypto");

describeWithDevice("a provider with a device", () => {
  it("tells what the device is, and gives everything back when it is closed", () => {
    const one = open();
    expect(one.info).toEqual({
      issuer: "Lightferry tests",
      model: "software device",
      serial: "2026010100100001",
      deviceVersion: 7,
      standardVersion: 1,
    });
    expect(one.provider.name).toBe("sdf");
    expect(one.provider.bulk).toBe(software.bulk);
    expect([built.openSessions(), built.sessionKeys()]).toEqual([1, 0]);
    one.close();
    expect(built.openSessions()).toBe(0);
  });

  it("finds its keys by id, and lets none of them out", () => {
    const { provider, signKeys, encryptKeys } = open();
    const sign = onlyKey(signKeys);
    const [keyId = ""] = signKeys?.keyIds() ?? [];
    expect(keyId).toBe(formatKeyId(sign.publicKey));
    expect([signKeys?.has(keyId), encryptKeys?.has(keyId)]).toEqual([true, false]);
    expect(signKeys?.decryptKey(keyId)).toBe(sign);
    expect(signKeys?.privateKey("0".repeat(32))).toBeUndefined();
    expect(codeOf(() => provider.exportSm2(sign))).toBe("sm.key-not-exportable");
    expect(codeOf(() => software.exportSm2(sign))).toBe("sm.key-invalid");
    expect(codeOf(() => JSON.stringify(sign))).toBe("sm.key-not-serialisable");
    expect(inspect(sign, { showHidden: true, depth: 9 })).toBe("[Sm2PrivateKey]");
    expect(Object.keys(sign)).toEqual([]);
    // The returned public key is a copy: altering it alters no signature.
    sign.publicKey.fill(0);
    const signature = provider.sm2Sign(sign, MESSAGE);
    expect(software.sm2Verify(sign.publicKey, MESSAGE, signature)).toBe(true);
    // Each key for its own purpose only.
    expect(codeOf(() => provider.sm2Sign(onlyKey(encryptKeys), MESSAGE))).toBe("sm.hsm-key");
    const wrapped = provider.sm2Encrypt(sign.publicKey, MESSAGE);
    expect(codeOf(() => provider.sm2Decrypt(sign, wrapped))).toBe("sm.hsm-key");
  });

  it("agrees with both other providers on signatures, both ways, with any user id", () => {
    const { provider, signKeys } = open();
    const key = onlyKey(signKeys);
    const scalar = software.exportSm2(software.generateSm2());
    const others: SmProvider[] = [software, portable];
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 20_000 }),
        fc.string({ minLength: 1, maxLength: 40 }),
        (message, id) => {
          const signature = provider.sm2Sign(key, message, id);
          for (const other of others) {
            expect(other.sm2Verify(key.publicKey, message, signature, id)).toBe(true);
            expect(other.sm2Verify(key.publicKey, message, signature, `${id}x`)).toBe(false);
            const own = other.importSm2(scalar);
            const theirs = other.sm2Sign(own, message, id);
            expect(provider.sm2Verify(own.publicKey, message, theirs, id)).toBe(true);
            theirs[40] = (theirs[40] ?? 0) ^ 1;
            expect(provider.sm2Verify(own.publicKey, message, theirs, id)).toBe(false);
          }
        },
      ),
      { numRuns: 5 },
    );
    expect(provider.sm2Verify(key.publicKey, MESSAGE, new Uint8Array(64))).toBe(false);
    expect(provider.sm2Verify(key.publicKey, MESSAGE, new Uint8Array(63))).toBe(false);
    // Without an id the interface leaves Z out altogether.
    expect(codeOf(() => provider.sm2Sign(key, MESSAGE, ""))).toBe("sm.hsm-unsupported");
    const own = software.importSm2(scalar);
    const bare = software.sm2Sign(own, MESSAGE, "");
    expect(provider.sm2Verify(own.publicKey, MESSAGE, bare, "")).toBe(true);
  });

  it.each(["exchange", "internal"] as const)("opens what both others wrapped, by %s", (decrypt) => {
    const { provider, encryptKeys } = open({ decrypt });
    const key = onlyKey(encryptKeys);
    for (const other of [software, portable]) {
      for (const length of [1, 16, 32, 64, 136]) {
        const secret = Buffer.alloc(length, length);
        const wrapped = other.sm2Encrypt(key.publicKey, secret);
        expect(Buffer.from(provider.sm2Decrypt(key, wrapped))).toEqual(secret);
      }
    }
    const wrapped = software.sm2Encrypt(key.publicKey, Buffer.alloc(32, 1));
    for (const at of [wrapped.length - 1, wrapped.length - 40, 10]) {
      const altered = Uint8Array.from(wrapped);
      altered[at] = (altered[at] ?? 0) ^ 1;
      expect(
        codeOf(() => provider.sm2Decrypt(key, altered)),
        String(at),
      ).toBe("sm.decrypt-failed");
    }
    expect(codeOf(() => provider.sm2Decrypt(key, wrapped.subarray(1)))).toBe("sm.decrypt-failed");
    expect(codeOf(() => provider.sm2Decrypt(key, new Uint8Array()))).toBe("sm.decrypt-failed");
  });

  it("keeps SM4 keys in the device: envelope out, envelope in, CBC and ECB", () => {
    const one = open();
    const own = software.generateSm2();
    const { key, envelope } = one.createEnvelope(own.publicKey);
    const bytes = software.sm2Decrypt(own, envelope);
    const iv = one.random(16);
    const plain = one.random(4_096);
    const by = (mode: string, vector: Uint8Array | null): Buffer => {
      const cipher = createCipheriv(mode, bytes, vector).setAutoPadding(false);
      return Buffer.concat([cipher.update(plain), cipher.final()]);
    };
    expect(Buffer.from(key.encrypt(plain, iv))).toEqual(by("sm4-cbc", iv));
    expect(Buffer.from(key.encrypt(plain))).toEqual(by("sm4-ecb", null));
    expect(Buffer.from(key.decrypt(key.encrypt(plain, iv), iv))).toEqual(Buffer.from(plain));
    expect(codeOf(() => key.encrypt(plain.subarray(1), iv))).toBe("sm.operation-failed");
    expect(codeOf(() => key.encrypt(plain, iv.subarray(1)))).toBe("sm.operation-failed");

    const recipient = onlyKey(one.encryptKeys);
    const back = one.openEnvelope(recipient, software.sm2Encrypt(recipient.publicKey, bytes));
    expect(back.decrypt(key.encrypt(plain, iv), iv)).toEqual(plain);
    const other = software.sm2Encrypt(own.publicKey, bytes);
    expect(codeOf(() => one.openEnvelope(recipient, other))).toBe("sm.decrypt-failed");
    expect(codeOf(() => one.openEnvelope(onlyKey(one.signKeys), other))).toBe("sm.hsm-key");

    expect(built.sessionKeys()).toBe(2);
    back.destroy();
    key.destroy();
    key.destroy();
    expect(built.sessionKeys()).toBe(0);
    expect(codeOf(() => key.encrypt(plain, iv))).toBe("sm.hsm-key");
  });

  it("leaves keys that are not in the device, and bulk work, to the default provider", () => {
    const { provider, random } = open();
    const key = provider.generateSm2();
    const before = built.calls();
    const signature = provider.sm2Sign(key, MESSAGE);
    expect(provider.exportSm2(key)).toHaveLength(32);
    expect(provider.sm2Decrypt(key, provider.sm2Encrypt(key.publicKey, MESSAGE))).toEqual(
      new Uint8Array(MESSAGE),
    );
    expect(provider.sm3(MESSAGE)).toEqual(software.sm3(MESSAGE));
    expect(built.calls()).toBe(before);
    expect(provider.sm2Verify(key.publicKey, MESSAGE, signature)).toBe(true);
    expect(built.calls()).toBeGreaterThan(before);
    expect(random(33)).toHaveLength(33);
    for (const length of [0, -1, 1.5, 4_097]) {
      expect(codeOf(() => random(length))).toBe("sm.operation-failed");
    }
  });

  it("counts the uses of its own self-test too", () => {
    const used: string[] = [];
    const one = openSdfProvider(settings(), (provider) => ({
      ...provider,
      sm2Sign: (key, message, id) => {
        used.push(`sign ${formatKeyId(key.publicKey)}`);
        return provider.sm2Sign(key, message, id);
      },
      sm2Decrypt: (key, ciphertext) => {
        used.push(`decrypt ${formatKeyId(key.publicKey)}`);
        return provider.sm2Decrypt(key, ciphertext);
      },
    }));
    closeAfterwards(one);
    expect(used).toContain(`sign ${one.signKeys?.keyIds()[0]}`);
    expect(used).toContain(`decrypt ${one.encryptKeys?.keyIds()[0]}`);
  });
});
