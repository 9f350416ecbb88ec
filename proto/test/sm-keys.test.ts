/** Guarantee checked: private keys show nothing, die when told, and loading fails rather than degrades. */
import { inspect } from "node:util";
import { Worker } from "node:worker_threads";
import {
  constantTimeEqual,
  domainSeparated,
  formatKeyId,
  loadProvider,
  type SmProvider,
} from "@lightferry/proto/sm";
import { afterEach, describe, expect, it, vi } from "vitest";
import { GCM_VECTOR } from "../src/sm/gcm-vector.ts";
import { selfTest } from "../src/sm/self-test.ts";

const providers = (["openssl", "sm-crypto"] as const).map((name) => loadProvider(name));
const message = Buffer.from("message");
const none = new Uint8Array();
const gmac = loadProvider().sm4Gmac;

describe.each(providers)("private keys of $name", (provider) => {
  it("show nothing", () => {
    const key = provider.generateSm2();
    expect(Object.keys(key)).toEqual([]);
    expect(Reflect.ownKeys(key)).toEqual([]);
    for (const name in key) expect(name).toBe("nothing");
    expect(inspect(key)).toBe("[Sm2PrivateKey]");
    expect(inspect({ key }, { showHidden: true, depth: 9 })).toContain("key: [Sm2PrivateKey]");
    expect(`${key}`).toBe("[Sm2PrivateKey]");
    expect(() => JSON.stringify({ key })).toThrow(
      expect.objectContaining({ code: "sm.key-not-serialisable" }),
    );
    expect(structuredClone({ key }).key).toEqual({});
  });

  it("hand out copies of the public key", () => {
    const key = provider.generateSm2();
    const before = Buffer.from(key.publicKey).toString("hex");
    key.publicKey.fill(0);
    expect(Buffer.from(key.publicKey).toString("hex")).toBe(before);
  });

  it("are unusable once destroyed, and destroying twice is harmless", () => {
    const key = provider.generateSm2();
    const sealed = provider.sm2Encrypt(key.publicKey, message);
    key.destroy();
    key.destroy();
    const invalid = expect.objectContaining({ code: "sm.key-invalid" });
    expect(() => provider.sm2Sign(key, message)).toThrow(invalid);
    expect(() => provider.sm2Decrypt(key, sealed)).toThrow(invalid);
    expect(() => provider.exportSm2(key)).toThrow(invalid);
  });

  it("of another provider are refused", () => {
    for (const other of providers.filter((one) => one !== provider)) {
      expect(() => provider.sm2Sign(other.generateSm2(), message)).toThrow(
        expect.objectContaining({ code: "sm.key-invalid" }),
      );
    }
  });
});

describe("the cache of public keys", () => {
  it("goes by content, so a key changed in place is another key", () => {
    const provider = loadProvider();
    const [a, b] = [provider.generateSm2(), provider.generateSm2()];
    const shared = provider.checkPublicKey(a.publicKey);
    const byA = provider.sm2Sign(a, message);
    expect(provider.sm2Verify(shared, message, byA)).toBe(true);
    shared.set(b.publicKey);
    expect(provider.sm2Verify(shared, message, byA)).toBe(false);
    expect(provider.sm2Verify(shared, message, provider.sm2Sign(b, message))).toBe(true);
  });

  it("evicts the oldest and still verifies", () => {
    const provider = loadProvider();
    const keys = Array.from({ length: 300 }, () => provider.generateSm2());
    const signed = keys.map((key) => ({ key, signature: provider.sm2Sign(key, message) }));
    for (const { key, signature } of [...signed, ...signed.slice(0, 10)]) {
      expect(provider.sm2Verify(key.publicKey, message, signature)).toBe(true);
    }
    for (const key of keys) key.destroy();
  });
});

describe("loading", () => {
  afterEach(() => {
    vi.doUnmock("koffi");
    vi.resetModules();
  });

  it("stops at a missing native function and names it", async () => {
    const koffi = await import("koffi");
    vi.resetModules();
    vi.doMock("koffi", () => ({
      default: {
        ...koffi.default,
        load: () => {
          const library = koffi.default.load(null);
          return {
            func: (name: string, ...rest: [never, never]) => {
              if (name.includes("EVP_PKEY_CTX_set1_id")) throw new Error("no such function");
              return library.func(name, ...rest);
            },
          };
        },
      },
    }));
    const fresh = await import("../src/sm/load.ts");
    for (let attempt = 0; attempt < 2; attempt++) {
      expect(() => fresh.loadProvider()).toThrow(/sm\.unavailable.*EVP_PKEY_CTX_set1_id/);
    }
  });

  it.each([
    ["SM3", { sm3: () => new Uint8Array(32) }],
    ["HMAC-SM3", { hmacSm3: () => new Uint8Array(32) }],
    ["SM4-GCM", { sm4GcmDecrypt: () => new Uint8Array(64) }],
    ["SM4-GMAC", { sm4Gmac: () => new Uint8Array(16) }],
    // Right of the whole, wrong of parts; and one that looks at the length alone.
    ["SM4-GMAC", { sm4Gmac: (key, nonce, part = none) => gmac(key, nonce, part) }],
    ["SM4-GMAC", { sm4Gmac: () => Uint8Array.from(GCM_VECTOR.gmac) }],
    ["SM2 verification", { sm2Verify: () => true }],
    ["SM2 with a private key", { sm2Sign: () => new Uint8Array(64) }],
  ] as [string, Partial<SmProvider>][])("refuses a provider that is wrong in %s", (name, wrong) => {
    const broken = { ...loadProvider(), ...wrong };
    expect(() => selfTest(broken)).toThrow(
      expect.objectContaining({ code: "sm.self-test-failed", detail: `openssl: ${name}` }),
    );
  });

  it("works in several threads at once", async () => {
    const source = `
      const { loadProvider } = await import(${JSON.stringify(new URL("../src/sm/index.ts", import.meta.url).href)});
      const { parentPort } = await import("node:worker_threads");
      const provider = loadProvider();
      const key = provider.generateSm2();
      let good = 0;
      for (let i = 0; i < 100; i++) {
        const message = Uint8Array.of(i);
        if (provider.sm2Verify(key.publicKey, message, provider.sm2Sign(key, message))) good++;
        if (provider.sm2Verify(key.publicKey, Uint8Array.of(i + 1), new Uint8Array(64).fill(1))) good = -1e9;
      }
      parentPort.postMessage(good);`;
    const results = await Promise.all(
      [0, 1].map(
        () =>
          new Promise((resolve, reject) => {
            const url = new URL(`data:text/javascript,${encodeURIComponent(source)}`);
            const worker = new Worker(url);
            worker.once("message", resolve);
            worker.once("error", reject);
          }),
      ),
    );
    expect(results).toEqual([100, 100]);
  });
});

describe("names and messages", () => {
  it("a key id is half an SM3 digest in hex", () => {
    const key = loadProvider().generateSm2().publicKey;
    const digest = Buffer.from(loadProvider().sm3(key)).toString("hex");
    expect(formatKeyId(key)).toBe(digest.slice(0, 32));
  });

  it("a label, a zero byte, the parts", () => {
    const bytes = domainSeparated("bundle-header/1", Uint8Array.of(1), Uint8Array.of(2, 3));
    expect(Buffer.from(bytes).toString("latin1")).toBe("lightferry/bundle-header/1\0\x01\x02\x03");
  });

  it("equality over content and length", () => {
    expect(constantTimeEqual(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true);
    expect(constantTimeEqual(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false);
    expect(constantTimeEqual(Uint8Array.of(1, 2), Uint8Array.of(1, 2, 0))).toBe(false);
  });
});
