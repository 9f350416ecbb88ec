/**
 * Guarantee checked: bulk SM4-GCM is the same algorithm whichever library does
 * it, and the faster library is used only when it is there, tested and taken
 * into use on the main thread. Without libgcrypt on the system its half is skipped.
 */
import { execFileSync } from "node:child_process";
import { Worker } from "node:worker_threads";
import { bulkInUse, loadProvider, type Sm3Hash, type Sm4Gcm } from "@lightferry/proto/sm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BULK_BYTES, BULK_HASH_BYTES, chooseBulk } from "../src/sm/bulk.ts";
import { type Libgcrypt, openLibgcrypt } from "../src/sm/libgcrypt/binding.ts";
import { gcmDecrypt, gcmEncrypt } from "../src/sm/openssl/symmetric.ts";
import { selfTestBulk, selfTestBulkSm3 } from "../src/sm/self-test-bulk.ts";

const provider = loadProvider("openssl");
const portable = loadProvider("sm-crypto");
const openssl: Sm4Gcm = { encrypt: gcmEncrypt, decrypt: gcmDecrypt };
const found = chooseBulk(openssl, undefined);
const bulk = found.gcm;
const module = JSON.stringify(new URL("../src/sm/index.ts", import.meta.url).href);
const bytes = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength });
const refused = expect.objectContaining({ code: "sm.decrypt-failed" });

describe.skipIf(bulk === undefined)("libgcrypt", () => {
  const libgcrypt = bulk as Sm4Gcm;

  it("agrees with OpenSSL on any size, both ways, and refuses every altered byte", () => {
    fc.assert(
      fc.property(
        bytes(16, 16),
        bytes(12, 12),
        fc.oneof(bytes(0, 80), bytes(0, 3 * BULK_BYTES), bytes(1_000, 5_000)),
        bytes(0, 40),
        fc.nat(),
        (key, nonce, plaintext, aad, place) => {
          const sealed = openssl.encrypt(key, nonce, plaintext, aad);
          expect(libgcrypt.encrypt(key, nonce, plaintext, aad)).toEqual(sealed);
          expect(libgcrypt.decrypt(key, nonce, sealed, aad)).toEqual(Buffer.from(plaintext));
          expect(Buffer.from(provider.sm4GcmEncrypt(key, nonce, plaintext, aad))).toEqual(sealed);
          const altered = Uint8Array.from(sealed);
          const at = place % altered.length;
          altered[at] = (altered[at] ?? 0) ^ 0x10;
          expect(() => libgcrypt.decrypt(key, nonce, altered, aad)).toThrow(refused);
          expect(() => provider.sm4GcmDecrypt(key, nonce, altered, aad)).toThrow(refused);
          const other = Buffer.concat([aad, Uint8Array.of(0)]);
          expect(() => libgcrypt.decrypt(key, nonce, sealed, other)).toThrow(refused);
        },
      ),
    );
  });

  it("agrees with the portable reference", () => {
    fc.assert(
      fc.property(
        bytes(16, 16),
        bytes(12, 12),
        bytes(0, 2 * BULK_BYTES),
        bytes(0, 40),
        (key, nonce, plaintext, aad) => {
          const sealed = libgcrypt.encrypt(key, nonce, plaintext, aad);
          expect(sealed).toEqual(Buffer.from(portable.sm4GcmEncrypt(key, nonce, plaintext, aad)));
          expect(Buffer.from(portable.sm4GcmDecrypt(key, nonce, sealed, aad))).toEqual(
            Buffer.from(plaintext),
          );
        },
      ),
      { numRuns: 30 },
    );
  });

  it("takes views into larger buffers and leaves what surrounds them", () => {
    const around = Buffer.alloc(1_000, 0x55);
    const sealed = libgcrypt.encrypt(
      around.subarray(3, 19),
      around.subarray(21, 33),
      around.subarray(101, 801),
      around.subarray(0, 5),
    );
    expect(sealed).toEqual(
      openssl.encrypt(
        Buffer.alloc(16, 0x55),
        Buffer.alloc(12, 0x55),
        Buffer.alloc(700, 0x55),
        Buffer.alloc(5, 0x55),
      ),
    );
    expect(around).toEqual(Buffer.alloc(1_000, 0x55));
  });

  it("refuses wrong key and nonce lengths and a missing tag with the provider's codes", () => {
    const plain = new Uint8Array(BULK_BYTES);
    const wrong = expect.objectContaining({ code: "sm.operation-failed" });
    for (const [key, nonce] of [
      [15, 12],
      [32, 12],
      [16, 11],
      [16, 16],
    ] as const) {
      const args = [new Uint8Array(key), new Uint8Array(nonce), plain, plain] as const;
      expect(() => libgcrypt.encrypt(...args)).toThrow(wrong);
      expect(() => libgcrypt.decrypt(...args)).toThrow(wrong);
      expect(() => provider.sm4GcmEncrypt(...args)).toThrow(wrong);
    }
    expect(() =>
      libgcrypt.decrypt(new Uint8Array(16), new Uint8Array(12), new Uint8Array(15), plain),
    ).toThrow(refused);
  });

  it("closes every handle it opens, also when the tag is wrong or a step fails", () => {
    const library = openLibgcrypt(true);
    let open = 0;
    const counting: Libgcrypt = {
      ...library,
      open(...args) {
        open += 1;
        return library.open(...args);
      },
      close(handle) {
        open -= 1;
        library.close(handle);
      },
      setNonce: (handle, nonce, length) =>
        nonce[0] === 0xff ? 61 : library.setNonce(handle, nonce, length),
    };
    const { gcm } = chooseBulk(openssl, undefined, () => counting);
    expect(open).toBe(0);
    const [key, nonce, none] = [new Uint8Array(16), new Uint8Array(12), new Uint8Array(0)];
    expect(() => gcm?.decrypt(key, nonce, new Uint8Array(300), none)).toThrow(refused);
    expect(() => gcm?.encrypt(key, nonce.fill(0xff), new Uint8Array(300), none)).toThrow(
      expect.objectContaining({ code: "sm.operation-failed", detail: "libgcrypt setiv: 61" }),
    );
    expect(open).toBe(0);
  });

  it("hashes as OpenSSL does, however the data is cut, and once", () => {
    fc.assert(
      fc.property(fc.array(bytes(0, 300), { maxLength: 20 }), (pieces) => {
        const hash = found.sm3?.();
        for (const piece of pieces) hash?.update(piece);
        const digest = hash?.digest() ?? Buffer.of();
        expect(Buffer.from(digest)).toEqual(Buffer.from(portable.sm3(...pieces)));
      }),
    );
    const spent = provider.createSm3(BULK_HASH_BYTES).update(Buffer.alloc(100));
    const expected = Buffer.from(provider.createSm3().update(Buffer.alloc(100)).digest());
    expect(Buffer.from(spent.digest())).toEqual(expected);
    expect(() => spent.update(Buffer.alloc(1))).toThrow();
    expect(() => spent.digest()).toThrow();
  });

  it("closes every hash that was ended", () => {
    const library = openLibgcrypt(true);
    let open = 0;
    const { sm3 } = chooseBulk(openssl, undefined, () => ({
      ...library,
      openHash(...args) {
        open += 1;
        return library.openHash(...args);
      },
      closeHash(handle) {
        open -= 1;
        library.closeHash(handle);
      },
    }));
    expect(open).toBe(0);
    const hash = sm3?.();
    expect(open).toBe(1);
    hash?.update(Buffer.alloc(70)).digest();
    expect(open).toBe(0);
  });

  it("serves a worker that was made after the main thread took it into use, and no other", async () => {
    const work = `
      const { loadProvider } = await import(${module});
      const { parentPort } = await import("node:worker_threads");
      const provider = loadProvider();
      const sealed = provider.sm4GcmEncrypt(new Uint8Array(16), new Uint8Array(12), new Uint8Array(1000), new Uint8Array(0));
      parentPort.postMessage(provider.bulk + " " + Buffer.from(provider.sm3(sealed)).toString("hex"));`;
    const url = new URL(`data:text/javascript,${encodeURIComponent(work)}`);
    const answer = () =>
      new Promise<string>((resolve, reject) => {
        const env = { ...process.env, LIGHTFERRY_SM4_BULK: "" };
        new Worker(url, { env }).once("message", resolve).once("error", reject);
      });
    const sealed = openssl.encrypt(
      new Uint8Array(16),
      new Uint8Array(12),
      new Uint8Array(1_000),
      new Uint8Array(0),
    );
    const digest = Buffer.from(provider.sm3(sealed)).toString("hex");
    expect(await Promise.all([answer(), answer()])).toEqual([
      `${found.name} ${digest}`,
      `${found.name} ${digest}`,
    ]);
    const alone = `
      const { Worker } = await import("node:worker_threads");
      new Worker(new URL(${JSON.stringify(url.href)})).on("message", (text) => console.log(text));`;
    const env = { ...process.env, LIGHTFERRY_SM4_BULK: "" };
    const out = execFileSync(process.execPath, ["--input-type=module", "-e", alone], { env });
    expect(String(out)).toBe(`openssl ${digest}\n`);
  });
});

describe.each([
  ["the default provider", provider],
  ["sm-crypto", portable],
] as const)("a result put into the caller's buffer: %s", (_, sm) => {
  const [key, nonce, aad] = [new Uint8Array(16), new Uint8Array(12), new Uint8Array(3)];

  it.each([0, 5, BULK_BYTES - 1, BULK_BYTES, 1_000])("%i bytes", (size) => {
    const plain = new Uint8Array(size).fill(7);
    const expected = Buffer.from(sm.sm4GcmEncrypt(key, nonce, plain, aad));
    const room = Buffer.alloc(1_100, 0x55);
    const sealed = sm.sm4GcmEncrypt(key, nonce, plain, aad, room);
    expect(sealed.buffer).toBe(room.buffer);
    expect(Buffer.from(sealed)).toEqual(expected);
    expect(room.subarray(size + 16)).toEqual(Buffer.alloc(1_084 - size, 0x55));
    const into = Buffer.alloc(size + 1, 0x55);
    expect(Buffer.from(sm.sm4GcmDecrypt(key, nonce, expected, aad, into))).toEqual(
      Buffer.from(plain),
    );
    expect(into[size]).toBe(0x55);
    expected[0] = (expected[0] ?? 0) ^ 1;
    expect(() => sm.sm4GcmDecrypt(key, nonce, expected, aad, into.fill(0))).toThrow(refused);
    expect(into).toEqual(Buffer.alloc(size + 1));
  });

  it("is refused when it does not fit", () => {
    const short = expect.objectContaining({ code: "sm.operation-failed" });
    for (const size of [10, 1_000]) {
      const plain = new Uint8Array(size);
      const sealed = sm.sm4GcmEncrypt(key, nonce, plain, aad);
      expect(() => sm.sm4GcmEncrypt(key, nonce, plain, aad, new Uint8Array(size + 15))).toThrow(
        short,
      );
      expect(() => sm.sm4GcmDecrypt(key, nonce, sealed, aad, new Uint8Array(size - 1))).toThrow(
        short,
      );
    }
  });
});

describe("the choice", () => {
  it("falls back to OpenSSL, with the reason, and never fails", () => {
    expect(chooseBulk(openssl, "openssl")).toEqual({
      name: "openssl",
      reason: "LIGHTFERRY_SM4_BULK=openssl",
      gcm: undefined,
    });
    const absent = chooseBulk(openssl, undefined, () => openLibgcrypt(true, "libnothing.so.99"));
    expect(absent).toMatchObject({
      name: "openssl",
      reason: "libnothing.so.99 is not on this system",
    });
    const another = chooseBulk(openssl, undefined, () => openLibgcrypt(true, "libc.so.6"));
    expect(another.name).toBe("openssl");
    expect(another.reason).toMatch(/^libc\.so\.6: .*gcry_check_version/);
  });

  it.each([
    ["sealing", "SM4-GCM vector, sealing", { encrypt: () => new Uint8Array(80) }],
    ["opening", "SM4-GCM vector, opening", { decrypt: () => new Uint8Array(64) }],
    ["the tag check", "SM4-GCM vector, altered", { decrypt: unchecked }],
    [
      "one size",
      "SM4-GCM of 257 bytes differs from OpenSSL",
      {
        encrypt: (...args: Parameters<Sm4Gcm["encrypt"]>) => {
          const sealed = openssl.encrypt(...args);
          if (args[2].length === 257) sealed[200] = (sealed[200] ?? 0) ^ 1;
          return sealed;
        },
      },
    ],
  ] as [string, string, Partial<Sm4Gcm>][])(
    "finds a library that is wrong in %s",
    (_, detail, wrong) => {
      expect(selfTestBulk({ ...openssl, ...wrong }, openssl)).toBe(detail);
    },
  );

  it("finds a hash that is wrong in the vector or in one size", () => {
    const wrongFor =
      (length: number): (() => Sm3Hash) =>
      () => {
        const hash = provider.createSm3();
        let total = 0;
        const self: Sm3Hash = {
          update(data) {
            total += data.length;
            hash.update(data);
            return self;
          },
          digest: () => (total === length ? new Uint8Array(32) : hash.digest()),
        };
        return self;
      };
    expect(selfTestBulkSm3(wrongFor(3))).toBe("SM3 vector");
    expect(selfTestBulkSm3(wrongFor(257))).toBe("SM3 of 257 bytes differs from OpenSSL");
    expect(selfTestBulkSm3(wrongFor(-1))).toBeUndefined();
  });

  it("is what the environment says, and what the provider and its report say", () => {
    expect(provider.bulk).toBe(bulkInUse().name);
    expect(portable.bulk).toBe("sm-crypto");
    const report = `import(${module}).then(({ loadProvider }) => console.log(loadProvider().bulk))`;
    const run = (choice: string) =>
      String(
        execFileSync(process.execPath, ["-e", report], {
          env: { ...process.env, LIGHTFERRY_SM4_BULK: choice },
        }),
      ).trim();
    expect(run("openssl")).toBe("openssl");
    expect(run("")).toBe(found.name);
  });
});

/** Opens without looking at the tag. */
function unchecked(...[key, nonce, sealed, aad]: Parameters<Sm4Gcm["decrypt"]>): Uint8Array {
  const body = sealed.subarray(0, -16);
  const stream = openssl.encrypt(key, nonce, new Uint8Array(body.length), aad);
  return Buffer.from(body.map((byte, i) => byte ^ (stream[i] ?? 0)));
}
