/** Guarantee tested: a bundle's file gives the same bytes however it was opened, and nothing when it is not what was said of it. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { BundleFile, WHOLE_BYTES } from "../src/tx/bundle-file.ts";

const dir = mkdtempSync(join(tmpdir(), "lf-bundle-file-"));
afterAll(() => rmSync(dir, { recursive: true }));

function fileOf(size: number): string {
  const path = join(dir, `${size}`);
  writeFileSync(
    path,
    Uint8Array.from({ length: size }, (_, index) => index * 31),
  );
  return path;
}

async function contentOf(file: BundleFile): Promise<Buffer> {
  const halves = [Buffer.alloc(file.size >> 1), Buffer.alloc(file.size - (file.size >> 1))];
  await file.fill(halves, 0);
  await file.close();
  return Buffer.concat(halves);
}

test.each([1, 4096, WHOLE_BYTES])("a file of %i bytes, read on the spot", async (size) => {
  const path = fileOf(size);
  const now = BundleFile.read(path);
  expect(now.size).toBe(size);
  expect(await contentOf(now)).toEqual(await contentOf(await BundleFile.open(path)));
});

test("what is longer is not read on the spot", () => {
  expect(() => BundleFile.read(fileOf(WHOLE_BYTES + 1))).toThrow(
    expect.objectContaining({ code: "ferry.file-invalid", detail: "size" }),
  );
});

test("what is not there is refused by its code either way", async () => {
  const missing = expect.objectContaining({ code: "ferry.file-invalid" });
  const path = join(dir, "missing");
  expect(() => BundleFile.read(path)).toThrow(missing);
  await expect(BundleFile.open(path)).rejects.toEqual(missing);
});

test("a pipe under its name holds up nobody: it has no bytes, or is refused", async () => {
  const path = join(dir, "pipe");
  execFileSync("mkfifo", [path]);
  expect(BundleFile.read(path).size).toBe(0);
  await expect(BundleFile.open(path)).rejects.toMatchObject({ code: "ferry.file-invalid" });
});

test("a read beyond the end is refused", async () => {
  const file = BundleFile.read(fileOf(10));
  await expect(file.fill([Buffer.alloc(11)], 0)).rejects.toMatchObject({
    code: "ferry.file-invalid",
  });
});
