/** The GM/T 0018 binding against a device in C that shares no code with any provider. */
import { createCipheriv } from "node:crypto";
import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { GatewayError } from "../src/errors/index.ts";
import {
  formatKeyId,
  loadProvider,
  openSdfProvider,
  type SdfProvider,
  type SdfSettings,
  type Sm2PrivateKey,
  type SmProvider,
} from "../src/sm/index.ts";
import { SdfDevice } from "../src/sm/sdf/device.ts";
import { buildDevice, noCompiler, type TestDevice } from "./sdf-device.ts";

if (noCompiler !== undefined) console.warn(`skipped: ${noCompiler}`);

const software = loadProvider();
const portable = loadProvider("sm-crypto");
const MESSAGE = Buffer.from("a message");
const SDR = 0x0100_0000;

let built: TestDevice;
let opened: SdfProvider[] = [];

const codeOf = (body: () => unknown): string | undefined => {
  try {
    body();
    return undefined;
  } catch (error) {
    return error instanceof GatewayError ? error.code : String(error);
  }
};
const textOf = (body: () => unknown): string => {
  try {
    return `nothing was thrown: ${String(body())}`;
  } catch (error) {
    return String(error);
  }
};

function settings(more: Partial<SdfSettings> = {}): SdfSettings {
  return {
    library: built.library,
    keys: {
      sign: [{ index: 1, passwordFile: built.passwordFile(1) }],
      encrypt: [{ index: 2, passwordFile: built.passwordFile(2) }],
    },
    ...more,
  };
}

function open(more: Partial<SdfSettings> = {}): SdfProvider {
  const one = openSdfProvider(settings(more));
  opened.push(one);
  return one;
}

const onlyKey = (keys: SdfProvider["signKeys"]): Sm2PrivateKey => {
  const key = keys?.privateKey(keys.keyIds()[0] ?? "");
  if (key === undefined) throw new RangeError("no key");
  return key;
};

describe.skipIf(noCompiler !== undefined)("a provider with a device", () => {
  beforeAll(() => {
    built = buildDevice();
  });
  beforeEach(() => built.reset());
  afterEach(() => {
    for (const one of opened) one.close();
    opened = [];
  });
  afterAll(() => built.remove());

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
    opened.push(one);
    expect(used).toContain(`sign ${one.signKeys?.keyIds()[0]}`);
    expect(used).toContain(`decrypt ${one.encryptKeys?.keyIds()[0]}`);
  });
});

describe.skipIf(noCompiler !== undefined)("a device in trouble", () => {
  beforeAll(() => {
    built = buildDevice();
  });
  beforeEach(() => built.reset());
  afterEach(() => {
    built.failWith(0);
    for (const one of opened) one.close();
    opened = [];
  });
  afterAll(() => built.remove());

  it("maps every standard number to a code with somebody who acts", () => {
    const { provider, signKeys } = open();
    const key = onlyKey(signKeys);
    const expected: Record<number, string> = {
      2: "sm.hsm-unsupported",
      3: "sm.hsm-unavailable",
      4: "sm.hsm-unavailable",
      5: "sm.hsm-unavailable",
      6: "sm.hsm-sessions",
      7: "sm.hsm-password",
      8: "sm.hsm-key",
      9: "sm.hsm-unsupported",
      10: "sm.hsm-unsupported",
      20: "sm.hsm-key",
      21: "sm.hsm-key",
      23: "sm.hsm-unavailable",
      24: "sm.hsm-password",
    };
    for (let number = 1; number <= 31; number += 1) {
      built.failWith(SDR + number);
      const code = codeOf(() => provider.sm2Sign(key, MESSAGE));
      expect(code, String(number)).toBe(expected[number] ?? "sm.hsm-failed");
    }
    built.failWith(0);
    provider.sm2Sign(key, MESSAGE);
    built.failWith(SDR + 13);
    expect(textOf(() => provider.sm2Sign(key, MESSAGE))).toContain("SDF_HashInit: SDR_SIGNERR");
    built.failWith(0x0200_1234);
    expect(textOf(() => provider.sm2Sign(key, MESSAGE))).toContain("0x02001234");
  });

  it("is not taken for altered data: what cannot be decrypted for its sake is kept", () => {
    const { provider, encryptKeys } = open();
    const key = onlyKey(encryptKeys);
    const wrapped = software.sm2Encrypt(key.publicKey, Buffer.alloc(32, 1));
    for (const number of [1, 3, 4, 6, 7, 8, 23, 24, 28]) {
      built.failWith(SDR + number);
      expect(codeOf(() => provider.sm2Decrypt(key, wrapped))).toMatch(/^sm\.hsm-/);
    }
  });

  it("says nothing wrong of a signature: an unknown number is checked in software", () => {
    const { provider, signKeys } = open();
    const key = onlyKey(signKeys);
    const signature = provider.sm2Sign(key, MESSAGE);
    built.failWith(0x0200_1234);
    expect(codeOf(() => provider.sm2Verify(key.publicKey, MESSAGE, signature))).toBe(
      "sm.hsm-failed",
    );
    signature[0] = (signature[0] ?? 0) ^ 1;
    expect(provider.sm2Verify(key.publicKey, MESSAGE, signature)).toBe(false);
  });

  it("goes on by itself when a device that was removed is back", () => {
    const { provider, signKeys, createEnvelope } = open();
    const key = onlyKey(signKeys);
    const { key: sm4 } = createEnvelope(software.generateSm2().publicKey);
    built.failWith(SDR + 3);
    expect(codeOf(() => provider.sm2Sign(key, MESSAGE))).toBe("sm.hsm-unavailable");
    expect(codeOf(() => provider.sm2Sign(key, MESSAGE))).toBe("sm.hsm-unavailable");
    built.failWith(0);
    const signature = provider.sm2Sign(key, MESSAGE);
    expect(software.sm2Verify(key.publicKey, MESSAGE, signature)).toBe(true);
    // Keys of the old session are gone with it.
    expect(codeOf(() => sm4.encrypt(new Uint8Array(16)))).toBe("sm.hsm-key");
    // Restarted between two calls: one call notices and opens a new session.
    built.reset();
    expect(provider.sm2Sign(key, MESSAGE)).toHaveLength(64);
    expect(built.openSessions()).toBe(1);
  });

  it("with another key in its place is refused, not used", () => {
    const { provider, signKeys } = open();
    const key = onlyKey(signKeys);
    built.reset();
    built.exchangeKey(1);
    expect(codeOf(() => provider.sm2Sign(key, MESSAGE))).toBe("sm.hsm-key");
    expect(codeOf(() => provider.sm2Sign(key, MESSAGE))).toBe("sm.hsm-key");
  });

  it("has no session left: the code says so, and nothing stays open", () => {
    const held = [open(), open(), open()];
    expect(built.openSessions()).toBe(3);
    expect(codeOf(() => open())).toBe("sm.hsm-sessions");
    held[0]?.close();
    expect(open().provider.name).toBe("sdf");
    expect(built.openSessions()).toBe(3);
  });

  it("is offered a wrong password once, not even after a restart again", () => {
    const passwordFile = built.passwordFile(1, "password-2");
    const refusedPath = join(built.dir, `refused-${process.pid}`);
    const wrong = () => open({ refusedPath, keys: { sign: [{ index: 1, passwordFile }] } });
    expect(codeOf(wrong)).toBe("sm.hsm-password");
    expect(built.openSessions()).toBe(0);
    for (let restart = 0; restart < 5; restart += 1) {
      expect(textOf(wrong)).toContain("unchanged since the device refused it");
    }
    expect(built.wrongPasswords()).toBe(1);
    expect(existsSync(refusedPath)).toBe(true);
    // A corrected file is another file.
    writeFileSync(passwordFile, "password-1 corrected".slice(0, 10));
    const corrected = wrong();
    expect(corrected.signKeys?.keyIds()).toHaveLength(1);
    expect(corrected.encryptKeys).toBeUndefined();
  });

  it("gets no password from a file that others may read, is empty, or is too long", () => {
    const exposed = built.passwordFile(1);
    chmodSync(exposed, 0o640);
    const key = (passwordFile: string) => () =>
      open({ keys: { sign: [{ index: 1, passwordFile }] } });
    expect(codeOf(key(exposed))).toBe("sm.key-exposed");
    expect(codeOf(key(built.passwordFile(1, "")))).toBe("sm.hsm-password");
    expect(codeOf(key(built.passwordFile(1, "x".repeat(300))))).toBe("sm.hsm-password");
    expect(codeOf(key(join(built.dir, "absent")))).toBe("sm.hsm-password");
    expect(built.wrongPasswords()).toBe(0);
  });

  it("starts with no key that the settings name and the device has not", () => {
    const passwordFile = built.passwordFile(9);
    expect(codeOf(() => open({ keys: { sign: [{ index: 9, passwordFile }] } }))).toBe("sm.hsm-key");
    const twice = { index: 1, passwordFile: built.passwordFile(1) };
    expect(codeOf(() => open({ keys: { sign: [twice, twice] } }))).toBe("sm.hsm-key");
    // One index, both kinds: two key pairs.
    const both = open({ keys: { sign: [twice], encrypt: [twice] } });
    expect(both.signKeys?.keyIds()).not.toEqual(both.encryptKeys?.keyIds());
  });

  it("does not start at all with another library, or without a way to decrypt", () => {
    expect(codeOf(() => open({ library: join(built.dir, "absent.so") }))).toBe(
      "sm.hsm-unavailable",
    );
    expect(textOf(() => open({ library: built.otherLibrary }))).toContain("no SDF_OpenDevice");
    expect(open({ library: built.plainLibrary }).encryptKeys?.keyIds()).toHaveLength(1);
    expect(codeOf(() => open({ library: built.plainLibrary, decrypt: "internal" }))).toBe(
      "sm.hsm-unsupported",
    );
  });

  it("fails its self-test when a key does not sign what it should", () => {
    // The private half is exchanged after the public one was read.
    const lying = (provider: SmProvider): SmProvider => ({
      ...provider,
      sm2Sign: (key, message, id) => {
        built.exchangeKey(1);
        return provider.sm2Sign(key, message, id);
      },
    });
    expect(textOf(() => openSdfProvider(settings(), lying))).toMatch(/self-test.*signature of/);
    expect(built.openSessions()).toBe(0);
  });

  it("hashes in slices as one, and without an id plainly", () => {
    const device = new SdfDevice(settings());
    for (const length of [0, 1, 8_191, 8_192, 8_193, 30_000]) {
      const message = Buffer.alloc(length, "lightferry");
      const digest = device.operation((session) => session.digest(message));
      expect(Buffer.from(digest)).toEqual(Buffer.from(software.sm3(message)));
    }
    device.close();
  });
});
