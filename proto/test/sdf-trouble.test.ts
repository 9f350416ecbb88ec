/** What the GM/T 0018 binding says and does when the device refuses, is gone, or is another one. */
import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openSdfProvider, type SmProvider } from "../src/sm/index.ts";
import { SdfDevice } from "../src/sm/sdf/device.ts";
import { codeOf } from "./code-of.ts";
import {
  built,
  describeWithDevice,
  MESSAGE,
  onlyKey,
  open,
  settings,
  software,
} from "./sdf-world.ts";

/** SDR_BASE of GM/T 0018: the device's numbers count from here. */
const SDR = 0x0100_0000;

const textOf = (body: () => unknown): string => {
  try {
    return `nothing was thrown: ${String(body())}`;
  } catch (error) {
    return String(error);
  }
};

describeWithDevice("a device in trouble", () => {
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
