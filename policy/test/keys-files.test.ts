/** What a medium may hold in place of a file: refused by a word, without waiting and without reading it. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readUpTo } from "@lightferry/proto/cli";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readBytes } from "../src/keys/options.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lf-medium-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const refused = (why: RegExp) =>
  expect.objectContaining({ code: "cli.usage", detail: expect.stringMatching(why) });

test("a pipe, a device, a folder and a sparse file of terabytes", () => {
  const pipe = join(folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  const sparse = join(folder, "sparse.pem");
  writeFileSync(sparse, "");
  truncateSync(sparse, 2 ** 40);
  for (const path of [pipe, "/dev/zero", folder]) {
    expect(() => readBytes(path), path).toThrow(refused(/no ordinary file/));
  }
  expect(() => readBytes(sparse)).toThrow(refused(/is over/));
  expect(() => readBytes(join(folder, "absent"))).toThrow(refused(/cannot be read/));
});

test("up to the limit, whole", () => {
  const path = join(folder, "plain");
  writeFileSync(path, "four");
  expect(Buffer.from(readUpTo(path, 4)).toString()).toBe("four");
  expect(() => readUpTo(path, 3)).toThrow(refused(/is over 3 bytes/));
  writeFileSync(path, "");
  expect(readUpTo(path, 4)).toHaveLength(0);
});
