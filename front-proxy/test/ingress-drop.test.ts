import { link, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lightferry } from "@lightferry/proto/gen";
import { formatId, newId } from "@lightferry/proto/ids";
import { loadProvider } from "@lightferry/proto/sm";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DropFolder } from "../src/ingress/targets/drop.ts";
import { dropName } from "../src/ingress/targets/drop-name.ts";
import type { Parcel } from "../src/ingress/targets/target.ts";

const provider = loadProvider();
let dir: string;
let folder: DropFolder;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "lf-drop-"));
  folder = new DropFolder({ type: "drop", dir }, provider);
});

afterEach(() => rm(dir, { recursive: true }));

function parcel(text: string, digest = provider.sm3(Buffer.from(text))): Parcel {
  const exchangeId = newId();
  return {
    exchangeId,
    id: formatId(exchangeId),
    entry: new lightferry.bundle.v1.ManifestEntry({ kind: "file", file: { name: "a.txt" } }),
    size: Buffer.byteLength(text),
    digest,
    bytes: undefined,
    async *content() {
      yield Buffer.from(text);
    },
  };
}

test("a file appears whole under its own name; its mark goes once the outcome is committed", async () => {
  const sent = parcel("content");
  expect(await folder.attempt(sent)).toMatchObject({ kind: "delivered" });
  expect((await readdir(dir)).sort()).toEqual([`.${sent.id}.done`, `a.${sent.id}.txt`]);
  await folder.settled(sent.exchangeId);
  expect(await readdir(dir)).toEqual([`a.${sent.id}.txt`]);
});

test("interrupted while writing: written again from the start", async () => {
  const sent = parcel("content");
  await writeFile(join(dir, `.${sent.id}.partial`), "con");
  expect(await folder.attempt(sent)).toMatchObject({ kind: "delivered" });
  expect(await readFile(join(dir, `a.${sent.id}.txt`), "utf8")).toBe("content");
});

test("interrupted after the file appeared: delivered, and the file is not touched", async () => {
  const sent = parcel("content");
  await writeFile(join(dir, `a.${sent.id}.txt`), "content");
  await link(join(dir, `a.${sent.id}.txt`), join(dir, `.${sent.id}.partial`));
  expect(await folder.attempt(sent)).toMatchObject({ kind: "delivered" });
  expect(await readFile(join(dir, `a.${sent.id}.txt`), "utf8")).toBe("content");
});

test("interrupted before the commit, and the reader took the file away: it does not come back", async () => {
  const sent = parcel("content");
  await folder.attempt(sent);
  await rm(join(dir, `a.${sent.id}.txt`));
  expect(await folder.attempt(sent)).toMatchObject({ kind: "delivered" });
  expect(await readdir(dir)).toEqual([`.${sent.id}.done`]);
});

test("content that was altered at rest never appears", async () => {
  const sent = parcel("content", Buffer.alloc(32));
  await expect(folder.attempt(sent)).rejects.toMatchObject({ code: "bundle.item-digest" });
  expect(await readdir(dir)).toEqual([]);
});

test("a start removes the hidden names of exchanges that are not open, and nothing else", async () => {
  const [open, closed] = [parcel("a"), parcel("b")];
  for (const { id } of [open, closed]) await writeFile(join(dir, `.${id}.partial`), "");
  await writeFile(join(dir, ".someone-else"), "");
  await folder.prepare(async (id) => id === open.id);
  expect((await readdir(dir)).sort()).toEqual([`.${open.id}.partial`, ".someone-else"].sort());
});

test("names from the wire become one harmless segment that carries the exchange id", () => {
  const id = formatId(newId());
  expect(dropName("村.csv", id)).toBe(`村.${id}.csv`);
  expect(dropName("../../etc/passwd", id)).toBe(`_.._etc_passwd.${id}`);
  expect(dropName("...", id)).toBe(`file.${id}`);
  expect(dropName("a\u202Egnp.exe", id)).toBe(`a_gnp.${id}.exe`);
  expect(Buffer.byteLength(dropName("界".repeat(85), id))).toBeLessThanOrEqual(255);
});
