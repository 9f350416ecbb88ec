/** The authority's key and what it signs, by commands: a zone in production mode takes both, and nothing else. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readKeyInfo } from "@lightferry/proto/keystore";
import { loadRegistry, readAnchor } from "@lightferry/proto/registry";
import { loadProvider } from "@lightferry/proto/sm";
import { runCaptured } from "@lightferry/proto/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { noun } from "../cli/policy.ts";
import { loadPack } from "../src/pack/sign.ts";
import { testRegistry } from "./world.ts";

let folder: string;
const at = (name: string): string => join(folder, name);
const provider = loadProvider();
const KEY = "--key @authority/authority.key.json --passphrase-file @pass";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lightferry-authority-"));
  writeFileSync(at("pass"), "correct horse battery staple\n", { mode: 0o600 });
  writeFileSync(at("wrong"), "another horse battery staple\n", { mode: 0o600 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function run(line: string): Promise<{ code: number; said: string }> {
  const words = line.split(" ").map((word) => (word.startsWith("@") ? at(word.slice(1)) : word));
  const { code, text } = await runCaptured(noun, [...words, "--json"], "en_GB.UTF-8");
  return { code, said: text };
}

test("makes a key and an anchor once, readable to their owner, of no demonstration", async () => {
  const make = "init-authority --dir @authority --passphrase-file @pass";
  expect((await run(make)).code).toBe(0);
  const key = at("authority/authority.key.json");
  expect(statSync(key).mode & 0o777).toBe(0o600);
  expect(readKeyInfo(key)).toMatchObject({ use: "authority-sign", demo: false });
  const before = readFileSync(key);
  expect(await run(make)).toMatchObject({ code: 2 });
  expect(readFileSync(key).equals(before)).toBe(true);
});

test("signs a registry that production mode takes", async () => {
  writeFileSync(at("registry.json"), JSON.stringify({ ...testRegistry(), demo: false }));
  const { code, said } = await run(
    `sign-registry --registry @registry.json ${KEY} --out @registry.sig`,
  );
  expect(code, said).toBe(0);
  const anchor = readAnchor(provider, at("authority/anchor.json"), "production");
  const [document, signature] = [
    readFileSync(at("registry.json")),
    readFileSync(at("registry.sig")),
  ];
  const mode = { mode: "production" } as const;
  expect(loadRegistry(provider, document, signature, anchor, mode).document.demo).toBe(false);
  const other = Buffer.from(document).fill(" ", document.length - 1);
  expect(() => loadRegistry(provider, other, signature, anchor, mode)).toThrow(
    expect.objectContaining({ code: "registry.signature-invalid" }),
  );
});

test("signs a pack that production mode takes", async () => {
  const pack = readFileSync(join(import.meta.dirname, "../packs/demo.yaml"), "utf8");
  writeFileSync(at("pack.yaml"), pack.replace(/^demo: true$/m, "demo: false"));
  const { code, said } = await run(`sign-pack --pack @pack.yaml ${KEY} --out @pack.sig`);
  expect(code, said).toBe(0);
  const anchor = readAnchor(provider, at("authority/anchor.json"), "production");
  const signature = readFileSync(at("pack.sig"));
  expect(
    loadPack(provider, readFileSync(at("pack.yaml")), signature, anchor, "production").demo,
  ).toBe(false);
});

test("signs nothing that a service would refuse, and nothing with a wrong passphrase", async () => {
  writeFileSync(at("bad.json"), '{"format":"x"}');
  const bad = await run(`sign-registry --registry @bad.json ${KEY} --out @bad.sig`);
  expect(bad.said).toContain("registry.invalid");
  const wrong = await run(
    "sign-registry --registry @registry.json --key @authority/authority.key.json --passphrase-file @wrong --out @bad.sig",
  );
  expect(wrong.said).toContain("sm.key-locked");
  expect(() => statSync(at("bad.sig"))).toThrow("ENOENT");
});
