import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { expect, it } from "vitest";
import { bufferSource, readHeader, verifyChunks, verifyHeader } from "../src/bundle/index.ts";
import { tableRoot } from "../src/bundle/table-root.ts";
import { decodeCanonical, encodeCanonical, type MessageType } from "../src/canonical.ts";
import { isErrorCode } from "../src/errors/index.ts";
import { lightferry } from "../src/gen/index.js";
import { merkleRoot } from "../src/merkle/index.ts";
import { context, openBytes, provider, sealInput, sealToBytes } from "./bundle-fixture.ts";

const { Header, Manifest, ManifestEntry } = lightferry.bundle.v1;

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "accepted";
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

it("refuses every bundle with one flipped bit, in each of its bytes, with a code", async () => {
  const bytes = Buffer.from(
    await sealToBytes(sealInput([{ content: Buffer.from("a") }, { content: Buffer.from("bc") }])),
  );
  const codes = new Set<string>();
  for (let at = 0; at < bytes.length; at += 1) {
    // The bit walks, so that each of the eight is turned over in every section.
    const mask = 1 << (at % 8);
    bytes[at] = (bytes[at] ?? 0) ^ mask;
    const code = await codeOf(openBytes(bytes));
    expect(isErrorCode(code), `byte ${at} of ${bytes.length}: ${code}`).toBe(true);
    codes.add(code);
    bytes[at] = (bytes[at] ?? 0) ^ mask;
  }
  expect([...codes]).toEqual(
    expect.arrayContaining([
      "bundle.not-a-bundle",
      "bundle.signature-invalid",
      "bundle.table-mismatch",
      "bundle.chunk-digest",
    ]),
  );
});

it("finds every flipped bit without a decryption key", async () => {
  const bytes = Buffer.from(await sealToBytes(sealInput([{ content: Buffer.from("abc") }])));
  const check = async () => {
    const verified = verifyHeader(provider, await readHeader(bufferSource(bytes)), context);
    await verifyChunks(provider, verified);
  };
  await check();
  for (let at = 0; at < bytes.length; at += 1) {
    const mask = 0x80 >> (at % 8);
    bytes[at] = (bytes[at] ?? 0) ^ mask;
    expect(isErrorCode(await codeOf(check())), `byte ${at}`).toBe(true);
    bytes[at] = (bytes[at] ?? 0) ^ mask;
  }
});

it("refuses anything that is not a bundle with a code, whatever its length", async () => {
  const good = Buffer.from(await sealToBytes(sealInput([{ content: randomBytes(50) }])));
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 300 }),
      fc.nat(good.length),
      fc.nat(good.length),
      async (noise, from, keep) => {
        // Noise over, inside and after a good bundle.
        const spoiled = Buffer.concat([good.subarray(0, from), noise, good.subarray(keep)]);
        fc.pre(!spoiled.equals(good));
        for (const bytes of [Buffer.from(noise), spoiled]) {
          expect(isErrorCode(await codeOf(openBytes(bytes)))).toBe(true);
        }
      },
    ),
    { numRuns: 200 },
  );
});

it("computes the root of a digest table as the tree does", () => {
  const sm3 = (...parts: readonly Uint8Array[]) => provider.sm3(...parts);
  for (let count = 1; count <= 70; count += 1) {
    const entries = Array.from({ length: count }, (_, index) => sm3(Buffer.of(index)));
    const expected = merkleRoot(sm3, entries);
    expect(Buffer.compare(tableRoot(sm3, Buffer.concat(entries)), expected), `${count}`).toBe(0);
  }
});

it("decodes to what it encodes, and encodes again to the same bytes", () => {
  const bytes = (max: number) => fc.uint8Array({ maxLength: max });
  const text = fc.string({ maxLength: 20, unit: "grapheme" });
  const number = fc.nat(Number.MAX_SAFE_INTEGER);
  const entry = fc.record({
    exchangeId: bytes(16),
    kind: text,
    service: text,
    size: number,
    digest: bytes(32),
    submittedMs: number,
    http: fc.option(
      fc.record({ method: text, headers: fc.array(fc.record({ name: text, value: text })) }),
    ),
  });
  const header = fc.record({
    version: fc.nat(3),
    bundleId: bytes(16),
    sequence: number,
    recipients: fc.array(fc.record({ nodeId: text, wrappedSecret: bytes(40) }), { maxLength: 3 }),
    items: fc.array(fc.record({ commitment: bytes(32), path: fc.array(bytes(32)) }), {
      maxLength: 3,
    }),
  });
  const manifest = fc.record({
    items: fc.array(fc.record({ salt: bytes(32), entry: bytes(9), trail: fc.array(bytes(9)) })),
  });
  const identity = <P extends object>(type: MessageType<P>, message: P) => {
    const encoded = encodeCanonical(type, message);
    const again = encodeCanonical(type, decodeCanonical(type, encoded));
    expect(Buffer.compare(again, encoded)).toBe(0);
  };
  fc.assert(
    fc.property(entry, header, manifest, (anEntry, aHeader, aManifest) => {
      identity(ManifestEntry, anEntry);
      identity(Header, aHeader);
      identity(Manifest, aManifest);
    }),
  );
});
