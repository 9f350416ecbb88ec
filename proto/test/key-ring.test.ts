/** Guarantee checked: rings hold the keys of their folder and no others, show nothing, and destroy for good. */
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { inspect } from "node:util";
import { MessageChannel } from "node:worker_threads";
import type { DecryptKeys } from "@lightferry/proto/bundle";
import {
  createUnlockFile,
  destroyRingKey,
  KeyRing,
  loadKeyFile,
  makeRingKey,
  ringKeyPath,
  unlockLocationWarnings,
} from "@lightferry/proto/keystore";
import { loadProvider } from "@lightferry/proto/sm";
import pino from "pino";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

const provider = loadProvider();
const code = (name: string) => expect.objectContaining({ code: name });
let folder = "";
let dir = "";
let unlock = { file: "" };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lf-ring-"));
  dir = join(folder, "sign");
  unlock = { file: join(folder, "sign.unlock") };
  createUnlockFile(unlock.file).fill(0);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const make = (demo = false): string => makeRingKey(dir, unlock, "node-sign", { demo }).keyId;
const open = (mode: "demo" | "production" = "demo"): KeyRing =>
  KeyRing.open({ dir, unlock, use: "node-sign", mode });

describe("a key ring", () => {
  it("gives out the keys of its folder by id, also as DecryptKeys", () => {
    const ids = [make(), make()].sort();
    const ring = open();
    expect(ring.keyIds()).toEqual(ids);
    const keys: DecryptKeys = ring;
    for (const keyId of ids) {
      const key = keys.decryptKey(keyId);
      expect(ring.has(keyId)).toBe(true);
      expect(ring.privateKey(keyId)).toBe(key);
      expect(provider.sm2Sign(key as never, Buffer.from("m"))).toHaveLength(64);
    }
    expect(ring.privateKey("00".repeat(16))).toBeUndefined();
    expect(ring.has("00".repeat(16))).toBe(false);
    ring.close();
    expect(ring.keyIds()).toEqual([]);
  });

  it("takes new files up and drops destroyed ones; their handles die", () => {
    const first = make();
    const ring = open();
    const second = make();
    expect(ring.has(second)).toBe(false);
    ring.refresh();
    expect(ring.keyIds()).toEqual([first, second].sort());
    const handle = ring.privateKey(first);
    destroyRingKey(dir, first);
    ring.refresh();
    expect(ring.keyIds()).toEqual([second]);
    expect(() => provider.sm2Sign(handle as never, Buffer.from("m"))).toThrow(
      code("sm.key-invalid"),
    );
  });

  it("overwrites what it destroys before it unlinks it", () => {
    const keyId = make();
    const ring = open();
    const path = ringKeyPath(dir, keyId);
    const before = readFileSync(path);
    // An open descriptor sees the blocks that the name no longer leads to.
    const still = openSync(path, "r");
    ring.destroy(keyId);
    const after = Buffer.alloc(before.length);
    readSync(still, after, 0, after.length, 0);
    expect(after.equals(before)).toBe(false);
    expect(after.includes(before.subarray(0, 32))).toBe(false);
    expect(after.toString("latin1")).not.toContain("sealed");
    expect(readdirSync(dir)).toEqual([]);
    expect(() => ring.destroy(keyId)).toThrow(code("key.unknown"));
    expect(() => ring.destroy("../../etc/passwd")).toThrow(code("key.unknown"));
  });

  it("opens the good keys although another file is bad, and says so", () => {
    const good = make();
    const ring = open();
    const bad = make();
    writeFileSync(ringKeyPath(dir, bad), "{}");
    const late = make();
    expect(() => ring.refresh()).toThrow(code("sm.key-invalid"));
    expect(ring.keyIds()).toEqual([good, late].sort());
    expect(() => open()).toThrow(code("sm.key-invalid"));
  });

  it("refuses demonstration keys in production, keys under another name and of another use", () => {
    const keyId = make(true);
    expect(open("demo").keyIds()).toEqual([keyId]);
    expect(() => open("production")).toThrow(code("key.demo-in-production"));
    destroyRingKey(dir, keyId);
    const other = make();
    const elsewhere = ringKeyPath(dir, "11".repeat(16));
    writeFileSync(elsewhere, readFileSync(ringKeyPath(dir, other)), { mode: 0o600 });
    expect(() => open()).toThrow(code("sm.key-invalid"));
    rmSync(elsewhere);
    expect(() => KeyRing.open({ dir, unlock, use: "node-encrypt", mode: "demo" })).toThrow(
      code("sm.key-invalid"),
    );
  });

  it.runIf(process.geteuid?.() === 0)("belongs to its folder's owner, whoever adds a key", () => {
    mkdirSync(dir);
    chownSync(dir, 4711, 4712);
    const { uid, gid, mode } = statSync(ringKeyPath(dir, make()));
    expect({ uid, gid, mode: mode & 0o777 }).toEqual({ uid: 4711, gid: 4712, mode: 0o600 });
  });

  it("ignores other files; a missing folder is named", () => {
    make();
    writeFileSync(join(dir, "README"), "x");
    writeFileSync(join(dir, `${"0".repeat(32)}.key.json.ab.new`), "half");
    expect(open().keyIds()).toHaveLength(1);
    expect(() =>
      KeyRing.open({ dir: join(folder, "none"), unlock, use: "node-sign", mode: "demo" }),
    ).toThrow(code("key.ring-missing"));
    mkdirSync(join(folder, "empty"));
    expect(
      KeyRing.open({ dir: join(folder, "empty"), unlock, use: "node-sign", mode: "demo" }).keyIds(),
    ).toEqual([]);
  });
});

describe("unlock sources", () => {
  it("a service credential opens, with the right systemd gives it", () => {
    const credentials = join(folder, "credentials");
    mkdirSync(credentials);
    vi.stubEnv("CREDENTIALS_DIRECTORY", credentials);
    createUnlockFile(join(credentials, "node-sign")).fill(0);
    const source = { credential: "node-sign" };
    const { keyId } = makeRingKey(dir, source, "node-sign", { demo: false });
    chmodSync(join(credentials, "node-sign"), 0o440);
    expect(loadKeyFile(ringKeyPath(dir, keyId), source, "node-sign").keyId).toBe(keyId);
    chmodSync(join(credentials, "node-sign"), 0o444);
    expect(() => loadKeyFile(ringKeyPath(dir, keyId), source, "node-sign")).toThrow(
      code("sm.key-exposed"),
    );
    for (const credential of ["../sign.unlock", "", ".", "none", "a/b"]) {
      expect(() => loadKeyFile(ringKeyPath(dir, keyId), { credential }, "node-sign")).toThrow(
        code("sm.key-locked"),
      );
    }
    vi.stubEnv("CREDENTIALS_DIRECTORY", "");
    expect(() => loadKeyFile(ringKeyPath(dir, keyId), source, "node-sign")).toThrow(
      code("sm.key-locked"),
    );
  });

  it("are warned of beside what they open, and not in another file system", () => {
    const beside = [dir, join(folder, "spool", "not", "yet", "there"), "/proc"];
    const warnings = unlockLocationWarnings({ unlock, beside });
    expect(warnings.map((warning) => [warning.code, warning.detail])).toEqual([
      ["key.unlock-beside-data", `${unlock.file}: ${beside[0]}`],
      ["key.unlock-beside-data", `${unlock.file}: ${beside[1]}`],
    ]);
    vi.stubEnv("CREDENTIALS_DIRECTORY", folder);
    expect(unlockLocationWarnings({ unlock: { credential: "sign.unlock" }, beside })).toEqual([]);
  });
});

describe("what a ring and its keys show", () => {
  it("is nothing, however they are printed, logged, copied or sent", async () => {
    const keyId = make();
    const ring = open();
    const key = ring.privateKey(keyId);
    if (key === undefined) expect.fail("the key is in the ring");
    const scalar = Buffer.from(provider.exportSm2(key));
    const shown: string[] = [];
    const sink = new Writable({
      write(chunk, _encoding, done) {
        shown.push(String(chunk));
        done();
      },
    });
    const logger = pino({ level: "trace" }, sink);
    for (const secret of [key, ring]) {
      shown.push(inspect(secret, { showHidden: true, depth: 20, getters: true }), `${secret}`);
      shown.push(inspect({ deep: { secret } }, { showHidden: true, depth: 20 }));
      shown.push(JSON.stringify([Object.entries(secret), Reflect.ownKeys(secret)]));
      expect(Object.keys(secret)).toEqual([]);
      expect(Reflect.ownKeys(secret)).toEqual([]);
      expect(() => JSON.stringify({ secret })).toThrow(code("sm.key-not-serialisable"));
      expect(structuredClone({ secret }).secret).toEqual({});
      logger.info({ secret }, "logged");
      logger.error({ err: Object.assign(new TypeError("x"), { secret }) }, `with ${secret}`);
      const { port1, port2 } = new MessageChannel();
      const arrived = new Promise((resolve) => port2.once("message", resolve));
      port1.postMessage({ secret });
      expect(await arrived).toEqual({ secret: {} });
      port1.close();
    }
    expect(shown.join("\n")).toContain("[Sm2PrivateKey]");
    expect(shown.join("\n")).toContain("[KeyRing node-sign]");
    for (const form of ["hex", "base64", "base64url", "latin1"] as const) {
      expect(shown.join("\n").toLowerCase()).not.toContain(scalar.toString(form).toLowerCase());
    }
    expect(shown.join("\n")).not.toContain([...scalar].join(","));
  });
});
