/** Guarantee checked: PBKDF2-HMAC-SM3 is what the name says, costly, bounded, and bound to the key file. */
import { pbkdf2Sync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createUnlockFile, generateKeyFile, loadKeyFile } from "@lightferry/proto/keystore";
import { loadProvider } from "@lightferry/proto/sm";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const code = (name: string) => expect.objectContaining({ code: name });
const passphrase = Buffer.from("correct horse 电池 staple");
let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lf-pass-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** RFC 8018 §5.2 word by word, over the provider's HMAC-SM3. */
function slowPbkdf2(
  hmac: (key: Uint8Array, data: Uint8Array) => Uint8Array,
  password: Uint8Array,
  salt: Uint8Array,
  rounds: number,
  length: number,
): Buffer {
  const blocks: Buffer[] = [];
  for (let block = 1; 32 * blocks.length < length; block++) {
    const index = Buffer.alloc(4);
    index.writeUInt32BE(block);
    let u = hmac(password, Buffer.concat([salt, index]));
    const t = Buffer.from(u);
    for (let round = 1; round < rounds; round++) {
      u = hmac(password, u);
      for (const [at, byte] of u.entries()) t[at] = (t[at] ?? 0) ^ byte;
    }
    blocks.push(t);
  }
  return Buffer.concat(blocks).subarray(0, length);
}

describe.each(["openssl", "sm-crypto"] as const)("PBKDF2-HMAC-SM3 against %s", (name) => {
  const provider = loadProvider(name);

  it("agrees with the definition over HMAC-SM3", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 100 }),
        fc.uint8Array({ minLength: 1, maxLength: 20 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 70 }),
        (password, salt, rounds, length) => {
          const slow = slowPbkdf2(
            (key, data) => provider.hmacSm3(key, data),
            password,
            salt,
            rounds,
            length,
          );
          expect(pbkdf2Sync(password, salt, rounds, length, "sm3").equals(slow)).toBe(true);
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe("a key file under a passphrase", () => {
  let path: string;
  let made: ReturnType<typeof generateKeyFile>;
  beforeAll(() => {
    path = join(folder, "ca.key.json");
    made = generateKeyFile(path, { passphrase }, "ca-sign", { demo: false });
  });

  it("opens with it alone, and records 600,000 rounds over 16 bytes of salt", () => {
    const document = JSON.parse(readFileSync(path, "utf8"));
    expect(document).toMatchObject({
      format: "lightferry-key/2",
      kdf: {
        name: "pbkdf2-hmac-sm3",
        rounds: 600_000,
        salt: expect.stringMatching(/^[0-9a-f]{32}$/),
      },
    });
    expect(loadKeyFile(path, { passphrase }, "ca-sign").keyId).toBe(made.keyId);
    for (const wrong of [passphrase.subarray(1), Buffer.concat([passphrase, Buffer.from(" ")])]) {
      expect(() => loadKeyFile(path, { passphrase: wrong }, "ca-sign")).toThrow(
        code("sm.key-locked"),
      );
    }
    const unlock = join(folder, "unlock");
    createUnlockFile(unlock).fill(0);
    expect(() => loadKeyFile(path, { file: unlock }, "ca-sign")).toThrow(code("sm.key-locked"));
  });

  it("refuses rounds below the floor and above the cap before it derives, and altered ones after", () => {
    const document = JSON.parse(readFileSync(path, "utf8"));
    const altered = join(folder, "bounds.key.json");
    const load = () => loadKeyFile(altered, { passphrase }, "ca-sign");
    const cases: [unknown, string][] = [
      [{ ...document.kdf, rounds: 599_999 }, "key.derivation-refused"],
      [{ ...document.kdf, rounds: 1 }, "key.derivation-refused"],
      [{ ...document.kdf, rounds: 10_000_001 }, "key.derivation-refused"],
      [{ ...document.kdf, rounds: 1e300 }, "key.derivation-refused"],
      [{ ...document.kdf, rounds: "600000" }, "key.derivation-refused"],
      [{ ...document.kdf, rounds: 600_000.5 }, "key.derivation-refused"],
      [{ ...document.kdf, rounds: 600_001 }, "sm.key-locked"],
      [{ ...document.kdf, name: "pbkdf2-hmac-sha256" }, "sm.key-invalid"],
      [{ name: "hmac-sm3", salt: document.kdf.salt }, "sm.key-locked"],
      [{ ...document.kdf, extra: 1 }, "sm.key-invalid"],
      [{ name: document.kdf.name, rounds: 600_000 }, "sm.key-invalid"],
      [undefined, "sm.key-invalid"],
      ["pbkdf2-hmac-sm3", "sm.key-invalid"],
    ];
    for (const [kdf, expected] of cases) {
      writeFileSync(altered, JSON.stringify({ ...document, kdf }), { mode: 0o600 });
      expect(load, JSON.stringify(kdf)).toThrow(code(expected));
    }
  });

  it("is not made under a weak passphrase; characters are counted, not bytes", () => {
    for (const [at, weak] of [
      "",
      "short",
      "十四个字符的口令不够十五个",
      "a".repeat(1025),
    ].entries()) {
      const refused = join(folder, `weak-${at}.json`);
      expect(() =>
        generateKeyFile(refused, { passphrase: Buffer.from(weak) }, "ca-sign", { demo: false }),
      ).toThrow(code("key.passphrase-weak"));
    }
  });
});
