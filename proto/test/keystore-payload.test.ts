/** Guarantee checked: an encrypted payload opens whole and unaltered or not at all. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import {
  CHUNK_BYTES,
  createVaultFile,
  encryptedSize,
  type PayloadKey,
  PayloadVault,
  WRAPPED_KEY_BYTES,
} from "@lightferry/proto/keystore";
import { loadProvider } from "@lightferry/proto/sm";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { PayloadKey as PayloadKeyOf } from "../src/keystore/payload-key.ts";

const folder = mkdtempSync(join(tmpdir(), "lf-vault-"));
createVaultFile(join(folder, "vault"));
createVaultFile(join(folder, "other"));
const vault = PayloadVault.open(join(folder, "vault"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const context = Uint8Array.from({ length: 16 }, (_, i) => i);
const { key, wrapped } = vault.newKey(context);
const damaged = expect.objectContaining({ code: "sm.decrypt-failed" });
const HEADER = 32;
const SEALED_CHUNK = CHUNK_BYTES + 16;

function patterned(size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  for (let i = 0; i < size; i++) bytes[i] = (i * 31 + (i >> 8)) & 0xff;
  return bytes;
}

async function* cut(bytes: Uint8Array, pieces: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const size = pieces.length === 0 ? bytes.length : (pieces[i % pieces.length] ?? 1);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

async function gather(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(Uint8Array.from(part));
  return Buffer.concat(parts);
}

const encrypt = (bytes: Uint8Array, pieces: readonly number[] = []): Promise<Buffer> =>
  gather(key.encryptStream(cut(bytes, pieces)));
const decrypt = (
  bytes: Uint8Array,
  pieces: readonly number[] = [],
  by: PayloadKey = key,
): Promise<Buffer> => gather(by.decryptStream(cut(bytes, pieces)));

const EDGES = [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES];

describe("streams", () => {
  it.each(EDGES)("%i bytes come back, in the announced size", async (size) => {
    const plain = patterned(size);
    const sealed = await encrypt(plain, [100_000]);
    expect(sealed.length).toBe(encryptedSize(size));
    expect((await decrypt(sealed, [70_001])).equals(plain)).toBe(true);
  });

  it("come back however they are cut", async () => {
    const pieces = fc.array(fc.integer({ min: 1, max: 400_000 }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(
        fc.nat(700_000),
        pieces,
        pieces,
        fc.boolean(),
        async (size, into, outOf, reuse) => {
          const plain = patterned(size);
          const sealed = await gather(key.encryptStream(cut(plain, [...into, 65_536]), { reuse }));
          const opened = key.decryptStream(cut(sealed, [...outOf, 65_536]), { reuse });
          expect((await gather(opened)).equals(plain)).toBe(true);
        },
      ),
      { numRuns: 12 },
    );
  });

  it("refuse a cut at any place, chunk borders included", async () => {
    const sealed = await encrypt(patterned(2 * CHUNK_BYTES + 10));
    const borders = [0, 1, HEADER - 1, HEADER, HEADER + 15, HEADER + 16, HEADER + SEALED_CHUNK];
    borders.push(HEADER + SEALED_CHUNK + 1, HEADER + 2 * SEALED_CHUNK, sealed.length - 1);
    for (const length of borders) {
      await expect(decrypt(sealed.subarray(0, length))).rejects.toEqual(damaged);
    }
    await fc.assert(
      fc.asyncProperty(fc.nat(sealed.length - 1), async (length) => {
        await expect(decrypt(sealed.subarray(0, length))).rejects.toEqual(damaged);
      }),
      { numRuns: 10 },
    );
  });

  it("refuse a changed byte anywhere", async () => {
    const sealed = await encrypt(patterned(CHUNK_BYTES + 100));
    await fc.assert(
      fc.asyncProperty(
        fc.nat(sealed.length - 1),
        fc.integer({ min: 1, max: 255 }),
        async (at, x) => {
          const altered = Buffer.from(sealed);
          altered[at] = (altered[at] ?? 0) ^ x;
          await expect(decrypt(altered)).rejects.toEqual(damaged);
        },
      ),
      { numRuns: 15 },
    );
    for (let at = 0; at < HEADER; at++) {
      const altered = Buffer.from(sealed);
      altered[at] = (altered[at] ?? 0) ^ 1;
      await expect(decrypt(altered)).rejects.toEqual(damaged);
    }
  });

  it("refuse appended bytes, and chunks swapped, repeated, dropped or from another stream", async () => {
    const plain = patterned(3 * CHUNK_BYTES);
    const [a, b] = [await encrypt(plain), await encrypt(plain)];
    const chunk = (of: Buffer, i: number): Buffer =>
      of.subarray(HEADER + i * SEALED_CHUNK, HEADER + (i + 1) * SEALED_CHUNK);
    const [header, c0, c1, c2] = [a.subarray(0, HEADER), chunk(a, 0), chunk(a, 1), chunk(a, 2)];
    expect((await decrypt(Buffer.concat([header, c0, c1, c2]))).equals(plain)).toBe(true);
    for (const wrong of [
      [header, c1, c0, c2],
      [header, c0, c0, c1, c2],
      [header, c0, c2],
      [header, c1, c2],
      [header, c0, c1],
      [header, c0, c1, c2, c2],
      [header, c0, c1, c2, Buffer.alloc(1)],
      [header, c0, c1, c2, Buffer.alloc(16)],
      [header, c0, chunk(b, 1), c2],
      [b.subarray(0, HEADER), c0, c1, c2],
      [header, header, c0, c1, c2],
    ]) {
      await expect(decrypt(Buffer.concat(wrong))).rejects.toEqual(damaged);
    }
  });

  it("release only whole chunks that verified before the fault", async () => {
    const plain = patterned(2 * CHUNK_BYTES);
    const sealed = await encrypt(plain);
    sealed[sealed.length - 1] = (sealed.at(-1) ?? 0) ^ 1;
    const released: Buffer[] = [];
    await expect(
      (async () => {
        for await (const part of key.decryptStream(cut(sealed, []))) {
          released.push(Buffer.from(part));
        }
      })(),
    ).rejects.toEqual(damaged);
    expect(Buffer.concat(released).equals(plain.subarray(0, CHUNK_BYTES))).toBe(true);
  });

  it("close their source when the reader stops early or fails", async () => {
    let closed = 0;
    async function* source(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
      try {
        for await (const part of cut(bytes, [50_000])) yield part;
      } finally {
        closed++;
      }
    }
    const plain = patterned(3 * CHUNK_BYTES);
    for await (const part of key.encryptStream(source(plain))) if (part.length > HEADER) break;
    const sealed = await encrypt(plain);
    for await (const part of key.decryptStream(source(sealed))) if (part.length > 0) break;
    sealed[100] = (sealed[100] ?? 0) ^ 1;
    await expect(gather(key.decryptStream(source(sealed)))).rejects.toEqual(damaged);
    expect(closed).toBe(3);
  });

  it("pass on a fault of their source", async () => {
    const fault = new TypeError("disk");
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield patterned(100);
      throw fault;
    }
    await expect(gather(key.encryptStream(broken()))).rejects.toBe(fault);
    await expect(gather(key.decryptStream(broken()))).rejects.toThrow();
  });
});

describe("small payloads", () => {
  it("are one chunk of the same format, both ways", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (plain) => {
        const sealed = key.sealBytes(plain);
        expect(sealed.length).toBe(encryptedSize(plain.length));
        expect(Buffer.from(key.openBytes(sealed)).equals(plain)).toBe(true);
        expect((await decrypt(sealed)).equals(plain)).toBe(true);
        expect(Buffer.from(key.openBytes(await encrypt(plain))).equals(plain)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it("never look the same twice", () => {
    const plain = patterned(64);
    const [a, b] = [Buffer.from(key.sealBytes(plain)), Buffer.from(key.sealBytes(plain))];
    expect(a.subarray(HEADER).equals(b.subarray(HEADER))).toBe(false);
  });

  it("refuse every altered, missing or added byte", () => {
    const sealed = key.sealBytes(patterned(50));
    for (let at = 0; at < sealed.length; at++) {
      const altered = Uint8Array.from(sealed);
      altered[at] = (altered[at] ?? 0) ^ 1;
      expect(() => key.openBytes(altered)).toThrow(damaged);
      expect(() => key.openBytes(sealed.subarray(0, at))).toThrow(damaged);
    }
    expect(() => key.openBytes(Buffer.concat([sealed, Buffer.alloc(1)]))).toThrow(damaged);
  });

  it("have a limit, after which the stream is the way", () => {
    const largest = patterned(CHUNK_BYTES);
    expect(Buffer.from(key.openBytes(key.sealBytes(largest))).equals(largest)).toBe(true);
    expect(() => key.sealBytes(new Uint8Array(CHUNK_BYTES + 1))).toThrow(
      expect.objectContaining({ code: "sm.operation-failed" }),
    );
    expect(() => key.openBytes(new Uint8Array(CHUNK_BYTES + 1000))).toThrow(damaged);
  });
});

describe("payload keys", () => {
  const sealed = key.sealBytes(Buffer.from("bound"));

  it("are bound to their context, also against a context moved into another's key", () => {
    const other = Uint8Array.from(context).fill(0xee);
    expect(() => vault.unwrap(wrapped, other)).toThrow(damaged);
    const theirs = vault.newKey(other);
    expect(() => theirs.key.openBytes(sealed)).toThrow(damaged);
    expect(wrapped.length).toBe(WRAPPED_KEY_BYTES);
  });

  it("bind every chunk to the context, not only their wrapping", () => {
    const provider = loadProvider();
    const same = () => new Uint8Array(32).fill(3);
    const here = new PayloadKeyOf(provider, same(), Uint8Array.of(1));
    const there = new PayloadKeyOf(provider, same(), Uint8Array.of(2));
    const chunk = here.sealBytes(Buffer.from("here"));
    expect(Buffer.from(here.openBytes(chunk)).toString()).toBe("here");
    expect(() => there.openBytes(chunk)).toThrow(damaged);
  });

  it("do not open when their wrapped form is altered or from another vault", () => {
    for (let at = 0; at < wrapped.length; at++) {
      const altered = Uint8Array.from(wrapped);
      altered[at] = (altered[at] ?? 0) ^ 1;
      expect(() => vault.unwrap(altered, context)).toThrow(damaged);
    }
    expect(() => vault.unwrap(wrapped.subarray(1), context)).toThrow(damaged);
    expect(() => PayloadVault.open(join(folder, "other")).unwrap(wrapped, context)).toThrow(
      damaged,
    );
  });

  it("want a context of 1 to 256 bytes", () => {
    for (const size of [0, 257]) {
      expect(() => vault.newKey(new Uint8Array(size))).toThrow(
        expect.objectContaining({ code: "sm.operation-failed" }),
      );
    }
  });

  it("show nothing and die when told", async () => {
    const mine = vault.unwrap(wrapped, context);
    expect(inspect(mine)).toBe("[PayloadKey]");
    expect(Reflect.ownKeys(mine)).toEqual([]);
    expect(() => JSON.stringify(mine)).toThrow(
      expect.objectContaining({ code: "sm.key-not-serialisable" }),
    );
    expect(inspect(vault)).not.toMatch(/[0-9a-f]{16}|<Buffer|Uint8Array/);
    mine.destroy();
    mine.destroy();
    const invalid = expect.objectContaining({ code: "sm.key-invalid" });
    expect(() => mine.openBytes(sealed)).toThrow(invalid);
    await expect(decrypt(sealed, [], mine)).rejects.toEqual(invalid);
  });
});
