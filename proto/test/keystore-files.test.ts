/** Guarantee checked: key files open only whole, for their use, with their unlock file, for their owner. */
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import {
  createSecretFile,
  createUnlockFile,
  createVaultFile,
  generateKeyFile,
  KEY_USES,
  loadKeyFile,
  PayloadVault,
  readKeyInfo,
  readUnlockFile,
} from "@lightferry/proto/keystore";
import { formatKeyId, loadProvider } from "@lightferry/proto/sm";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const provider = loadProvider();
const code = (name: string) => expect.objectContaining({ code: name });
let folder = "";
const path = (name: string): string => join(folder, name);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lf-keys-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function makeKey(demo = false) {
  const unlock = createUnlockFile(path("unlock"));
  return generateKeyFile(path("key.json"), unlock, "node-sign", { demo });
}

describe("secret files", () => {
  it("leave nothing behind when they cannot be written to their end", () => {
    // What the disk refuses half way, as a value that no write takes.
    const refused = { length: 40 } as never;
    expect(() => createSecretFile(path("unlock"), refused)).toThrow(code("sm.key-file"));
    expect(readdirSync(folder)).toEqual([]);
    createSecretFile(path("unlock"), Uint8Array.of(1));
    expect(() => createSecretFile(path("unlock"), Uint8Array.of(2))).toThrow(code("sm.key-file"));
    expect(readdirSync(folder)).toEqual(["unlock"]);
    expect(readFileSync(path("unlock"))).toEqual(Buffer.of(1));
  });
});

/** Another first byte than the one there is, in hexadecimal digits. */
function otherFirst(hex: string): string {
  return hex.startsWith("00") ? "01" : "00";
}

describe("key files", () => {
  it.each(KEY_USES)("a %s key comes back as it was made", (use) => {
    const unlock = createUnlockFile(path("unlock"));
    const made = generateKeyFile(path("key.json"), unlock, use, { demo: true });
    const loaded = loadKeyFile(path("key.json"), { file: path("unlock") }, use);
    expect(loaded).toMatchObject({ keyId: made.keyId, demo: true });
    expect(formatKeyId(loaded.key.publicKey)).toBe(made.keyId);
    const message = Buffer.from("m");
    expect(provider.sm2Verify(made.publicKey, message, provider.sm2Sign(loaded.key, message))).toBe(
      true,
    );
    expect(readKeyInfo(path("key.json"))).toEqual({
      keyId: made.keyId,
      use,
      publicKey: made.publicKey,
      demo: true,
    });
  });

  it("are for their owner only and hold no scalar in the clear", () => {
    makeKey();
    const { key } = loadKeyFile(path("key.json"), { file: path("unlock") }, "node-sign");
    const scalar = Buffer.from(provider.exportSm2(key)).toString("hex");
    expect(readFileSync(path("key.json"), "utf8")).not.toContain(scalar);
    for (const name of ["key.json", "unlock"]) {
      expect(statSync(path(name)).mode & 0o777).toBe(0o600);
    }
    expect(readdirSync(folder).sort()).toEqual(["key.json", "unlock"]);
  });

  it("never replace an existing file", () => {
    makeKey();
    const before = readFileSync(path("key.json"));
    const unlock = readUnlockFile(path("unlock"));
    expect(() => generateKeyFile(path("key.json"), unlock, "node-sign", { demo: false })).toThrow(
      code("sm.key-file"),
    );
    expect(() => createUnlockFile(path("unlock"))).toThrow(code("sm.key-file"));
    expect(readFileSync(path("key.json"))).toEqual(before);
    expect(readdirSync(folder).length).toBe(2);
  });

  it("refuse another use, another unlock file, a missing one, and readers beside the owner", () => {
    makeKey();
    createUnlockFile(path("other"));
    expect(() => loadKeyFile(path("key.json"), { file: path("unlock") }, "audit-sign")).toThrow(
      code("sm.key-invalid"),
    );
    expect(() => loadKeyFile(path("key.json"), { file: path("other") }, "node-sign")).toThrow(
      code("sm.key-locked"),
    );
    expect(() => loadKeyFile(path("key.json"), { file: path("none") }, "node-sign")).toThrow(
      code("sm.key-locked"),
    );
    expect(() => loadKeyFile(path("key.json"), { file: path("key.json") }, "node-sign")).toThrow(
      code("sm.key-invalid"),
    );
    expect(() => loadKeyFile(path("none"), { file: path("unlock") }, "node-sign")).toThrow(
      code("sm.key-invalid"),
    );
    for (const name of ["key.json", "unlock"]) {
      chmodSync(path(name), 0o640);
      expect(() => loadKeyFile(path("key.json"), { file: path("unlock") }, "node-sign")).toThrow(
        code("sm.key-exposed"),
      );
      chmodSync(path(name), 0o600);
    }
  });

  it("refuse every changed field; the demonstration mark cannot be taken off", () => {
    makeKey(true);
    const document = JSON.parse(readFileSync(path("key.json"), "utf8"));
    const other = generateKeyFile(path("other.json"), readUnlockFile(path("unlock")), "node-sign", {
      demo: true,
    });
    const changes: [Record<string, unknown>, string][] = [
      [{ demo: false }, "sm.key-locked"],
      [{ sealed: otherFirst(document.sealed) + document.sealed.slice(2) }, "sm.key-locked"],
      [{ kdf: { ...document.kdf, salt: "00".repeat(16) } }, "sm.key-locked"],
      [
        { keyId: other.keyId, publicKey: Buffer.from(other.publicKey).toString("hex") },
        "sm.key-locked",
      ],
      [{ keyId: other.keyId }, "sm.key-invalid"],
      [{ publicKey: `04${"11".repeat(64)}` }, "sm.key-invalid"],
      [{ format: "lightferry-key/1" }, "sm.key-invalid"],
      [{ use: "anything" }, "sm.key-invalid"],
      [{ demo: "true" }, "sm.key-invalid"],
      [{ kdf: { ...document.kdf, salt: "00" } }, "sm.key-invalid"],
      [{ sealed: document.sealed.toUpperCase().replace(/^../, "AB") }, "sm.key-invalid"],
      [{ comment: "unknown" }, "sm.key-invalid"],
    ];
    for (const [change, expected] of changes) {
      writeFileSync(path("key.json"), JSON.stringify({ ...document, ...change }));
      expect(() => loadKeyFile(path("key.json"), { file: path("unlock") }, "node-sign")).toThrow(
        code(expected),
      );
    }
    for (const text of ["", "null", "[]", "{}", "{", "x".repeat(5000)]) {
      writeFileSync(path("key.json"), text);
      expect(() => loadKeyFile(path("key.json"), { file: path("unlock") }, "node-sign")).toThrow(
        code("sm.key-invalid"),
      );
    }
  });

  it("open no more once any byte that says something was changed", () => {
    makeKey();
    const before = readFileSync(path("key.json"));
    const said = JSON.parse(before.toString("utf8"));
    const load = () => loadKeyFile(path("key.json"), { file: path("unlock") }, "node-sign");
    fc.assert(
      fc.property(fc.nat(before.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
        const changed = Buffer.from(before);
        changed[at] = (changed[at] ?? 0) ^ by;
        writeFileSync(path("key.json"), changed);
        // Blanks between fields say nothing.
        fc.pre(!sameDocument(changed, said));
        expect(load).toThrow(
          expect.objectContaining({ code: expect.stringMatching(/^(sm\.)?key[.-]/) }),
        );
      }),
      { numRuns: 500 },
    );
    writeFileSync(path("key.json"), before);
    expect(load().demo).toBe(false);
  });

  it("a use taken from the file is bound too", () => {
    makeKey();
    const document = JSON.parse(readFileSync(path("key.json"), "utf8"));
    writeFileSync(path("key.json"), JSON.stringify({ ...document, use: "authority-sign" }));
    expect(() => loadKeyFile(path("key.json"), { file: path("unlock") }, "authority-sign")).toThrow(
      code("sm.key-locked"),
    );
  });
});

function sameDocument(bytes: Uint8Array, said: unknown): boolean {
  try {
    return isDeepStrictEqual(JSON.parse(Buffer.from(bytes).toString("utf8")), said);
  } catch {
    return false;
  }
}

describe("vault files", () => {
  const context = new Uint8Array(16).fill(9);

  it("open without an unlock file, or only with it when locked", () => {
    const unlock = createUnlockFile(path("unlock"));
    createUnlockFile(path("other"));
    createVaultFile(path("open"));
    createVaultFile(path("locked"), unlock);
    for (const [name, source] of [
      ["open", undefined],
      ["locked", { file: path("unlock") }],
    ] as const) {
      const { key, wrapped } = PayloadVault.open(path(name), source).newKey(context);
      const sealed = key.sealBytes(Buffer.from("kept"));
      const again = PayloadVault.open(path(name), source).unwrap(wrapped, context);
      expect(Buffer.from(again.openBytes(sealed)).toString()).toBe("kept");
    }
    expect(() => PayloadVault.open(path("locked"))).toThrow(code("sm.key-locked"));
    expect(() => PayloadVault.open(path("locked"), { file: path("other") })).toThrow(
      code("sm.key-locked"),
    );
    expect(() => createVaultFile(path("open"))).toThrow(code("sm.key-file"));
  });

  it("refuse what is no vault file, and readers beside the owner", () => {
    createVaultFile(path("vault"));
    const bytes = readFileSync(path("vault"));
    for (const bad of [
      bytes.subarray(1),
      bytes.subarray(0, 39),
      Buffer.alloc(40),
      Buffer.alloc(0),
    ]) {
      writeFileSync(path("bad"), bad, { mode: 0o600 });
      expect(() => PayloadVault.open(path("bad"))).toThrow(code("sm.key-invalid"));
    }
    chmodSync(path("vault"), 0o604);
    expect(() => PayloadVault.open(path("vault"))).toThrow(code("sm.key-exposed"));
    expect(() => PayloadVault.open(path("none"))).toThrow(code("sm.key-invalid"));
  });

  it("hand out nothing once closed", () => {
    createVaultFile(path("vault"));
    const vault = PayloadVault.open(path("vault"));
    const { key, wrapped } = vault.newKey(context);
    vault.close();
    expect(() => vault.newKey(context)).toThrow(code("sm.key-invalid"));
    expect(() => vault.unwrap(wrapped, context)).toThrow(code("sm.key-invalid"));
    expect(key.openBytes(key.sealBytes(Uint8Array.of(1)))).toEqual(Buffer.from([1]));
  });
});
