import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import fc from "fast-check";
import { expect, it } from "vitest";
import { needlesOf } from "../drills/canary/needles.ts";
import { NeedleSearch } from "../drills/canary/search.ts";

const WAYS: Record<string, (secret: Buffer) => Buffer> = {
  raw: (secret) => secret,
  hex: (secret) => Buffer.from(secret.toString("hex")),
  capitals: (secret) => Buffer.from(secret.toString("hex").toUpperCase()),
  base64: (secret) => Buffer.from(secret.toString("base64")),
  "base64 after one byte": (secret) =>
    Buffer.from(Buffer.concat([Buffer.of(1), secret]).toString("base64")),
  "base64url after two bytes": (secret) =>
    Buffer.from(Buffer.concat([Buffer.of(1, 2), secret]).toString("base64url")),
  "printed buffer": (secret) => Buffer.from(inspect(secret)),
  "JSON of a typed array": (secret) => Buffer.from(JSON.stringify(new Uint8Array(secret))),
  "JSON of a buffer": (secret) => Buffer.from(JSON.stringify(secret)),
};

it("finds a secret in whatever form it slipped, wherever it stands", () => {
  const folder = mkdtempSync(join(tmpdir(), "lightferry-canary-"));
  const path = join(folder, "file");
  try {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.constantFrom(...Object.keys(WAYS)),
        fc.uint8Array({ maxLength: 300 }),
        (bytes, way, before) => {
          const secret = Buffer.from(bytes);
          const search = new NeedleSearch(needlesOf({ name: "s", bytes: secret }));
          const slipped = WAYS[way]?.(secret) ?? secret;
          writeFileSync(path, Buffer.concat([before, Buffer.from("|"), slipped, Buffer.from("|")]));
          expect(search.inFile(path).size).toBeGreaterThan(0);
        },
      ),
      { numRuns: 300 },
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it("finds a secret across the border of two readings, and nothing where nothing is", () => {
  const folder = mkdtempSync(join(tmpdir(), "lightferry-canary-"));
  const path = join(folder, "file");
  const block = 8 * 1024 * 1024;
  try {
    const secret = Buffer.from("0123456789abcdefghijklmnopqrstuv");
    const search = new NeedleSearch(needlesOf({ name: "s", bytes: secret }));
    const bytes = Buffer.alloc(block + 4096, 0x2e);
    writeFileSync(path, bytes);
    expect(search.inFile(path).size).toBe(0);
    bytes.set(secret, block - 5);
    writeFileSync(path, bytes);
    expect(search.inFile(path).size).toBe(1);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
