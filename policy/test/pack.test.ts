import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { raiseHighWater } from "../src/high-water.ts";
import { parsePack } from "../src/pack/parse.ts";
import { loadPack, signPack } from "../src/pack/sign.ts";
import { provider } from "./plan.ts";
import { authority, DEMO_PACK, keyOf } from "./world.ts";

const TEXT = DEMO_PACK.toString();
const changed = (from: string | RegExp, to: string) => {
  const text = TEXT.replace(from, to);
  expect(text).not.toBe(TEXT);
  return Buffer.from(text);
};

test("the demonstration pack is valid and names its version", () => {
  const pack = parsePack(provider, DEMO_PACK);
  expect(pack.version).toMatch(/^1-[0-9a-f]{16}$/);
  expect([...pack.services.keys()]).toEqual([
    "land-registration",
    "parcel-notice",
    "hazard-warning",
    "village-table",
    "household-survey",
    "documents",
    "bulk-data",
    "public-query",
    "receipts",
  ]);
  expect(
    [...pack.services].filter(([, { plan }]) => plan.opaque !== undefined).map(([id]) => id),
  ).toEqual(["bulk-data"]);
});

describe("a pack that is not exactly right is refused, naming the field", () => {
  test.each<[string, Uint8Array, string]>([
    ["unknown field", changed(/^demo: true/m, "demo: true\nextra: 1"), "$.extra"],
    [
      "unknown field in a rule",
      changed("action: seal-away }", "action: seal-away, x: 1 }"),
      "$.content[0].x",
    ],
    [
      "unknown field in a service",
      changed("    formats: [csv]", "    formats: [csv]\n    fast: true"),
      "fast",
    ],
    [
      "receipts beside another format",
      changed("formats: [receipts]", "formats: [receipts, json]"),
      "services.receipts.formats",
    ],
    ["missing number", changed("number: 1\n", ""), "$.number"],
    ["number zero", changed("number: 1\n", "number: 0\n"), "$.number"],
    ["wrong format", changed("lightferry-policy-pack/1", "lightferry-policy-pack/2"), "$.format"],
    ["detector without a rule", changed(/ {2}- \{ id: undecodable.*\n/, ""), "undecodable"],
    [
      "two rules for one detector",
      changed(
        "  - { id: mark-name",
        "  - { id: again, detect: undecodable, action: hold }\n  - { id: mark-name",
      ),
      "undecodable",
    ],
    [
      "action that makes no sense",
      changed("detect: undecodable, action: hold", "detect: undecodable, action: note"),
      "action",
    ],
    [
      "masking a mark",
      changed("detect: secrecy-mark-text, action: hold", "detect: secrecy-mark-text, action: mask"),
      "action",
    ],
    [
      "service laxer than the baseline",
      changed("detect: resident-id, action: refuse", "detect: resident-id, action: note"),
      "not stricter",
    ],
    [
      "unknown detector",
      changed("detect: mobile-number, action: mask", "detect: mobiles, action: mask"),
      "detect",
    ],
    ["unknown approval", changed("approval: none", "approval: maybe"), "approval"],
    ["unknown format of content", changed("[csv, json]", "[csv, xlsx]"), "formats"],
    ["repeated key", changed(/^demo: true/m, "demo: true\ndemo: true"), "unique"],
    ["anchor", changed(/^demo: true/m, "demo: &a true"), "anchors"],
    ["tag", changed(/^demo: true/m, "demo: !x true"), "$"],
    ["two documents", Buffer.from(`${TEXT}\n---\na: 1\n`), "$"],
    ["not YAML", Buffer.from("a: [1"), "$"],
    ["not UTF-8", Buffer.from([0xff, 0xfe]), "UTF-8"],
    ["too large", Buffer.alloc(1024 * 1024 + 1, 0x20), "larger"],
    ["empty", Buffer.alloc(0), "$"],
  ])("%s", (_name, bytes, field) => {
    expect(() => parsePack(provider, bytes)).toThrow(
      expect.objectContaining({
        code: "policy.pack-invalid",
        detail: expect.stringContaining(field),
      }),
    );
  });
});

describe("signature", () => {
  const signature = signPack(provider, authority, DEMO_PACK);

  test("the authority's signature over exactly these bytes loads", () => {
    expect(loadPack(provider, DEMO_PACK, signature, authority.publicKey, "demo").number).toBe(1);
  });

  test("any change, another key or another label does not", () => {
    const wrong = { code: "policy.pack-signature-invalid" };
    const other = Buffer.from(DEMO_PACK);
    other[other.length - 1] = 0x20;
    const load = (document: Uint8Array, sig: Uint8Array) => () =>
      loadPack(provider, document, sig, authority.publicKey, "demo");
    expect(load(other, signature)).toThrow(expect.objectContaining(wrong));
    expect(load(DEMO_PACK, signPack(provider, keyOf("mallory"), DEMO_PACK))).toThrow(
      expect.objectContaining(wrong),
    );
    expect(load(DEMO_PACK, provider.sm2Sign(authority, DEMO_PACK))).toThrow(
      expect.objectContaining(wrong),
    );
    expect(load(DEMO_PACK, new Uint8Array(3))).toThrow(expect.objectContaining(wrong));
  });

  test("production mode refuses a demonstration pack; a faulty pack gets no signature", () => {
    expect(() =>
      loadPack(provider, DEMO_PACK, signature, authority.publicKey, "production"),
    ).toThrow(expect.objectContaining({ code: "policy.demo-in-production" }));
    expect(() => signPack(provider, authority, Buffer.from("x: 1"))).toThrow(
      expect.objectContaining({ code: "policy.pack-invalid" }),
    );
  });
});

describe("the number never rolls back", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "lightferry-pack-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const pack = (number: number, digest = "a") => ({
    number,
    version: `${number}-${digest.repeat(16)}`,
  });

  test("upwards and the same again, never down, never two under one number", () => {
    raiseHighWater(folder, "pack", pack(3));
    raiseHighWater(folder, "pack", pack(3));
    raiseHighWater(folder, "pack", pack(4));
    expect(() => raiseHighWater(folder, "pack", pack(3))).toThrow(
      expect.objectContaining({ code: "policy.pack-rollback" }),
    );
    expect(() => raiseHighWater(folder, "pack", pack(4, "b"))).toThrow(
      expect.objectContaining({ code: "policy.pack-conflict" }),
    );
    raiseHighWater(folder, "pack", pack(5, "b"));
  });

  test("the registry has a mark of its own", () => {
    raiseHighWater(folder, "pack", pack(9));
    raiseHighWater(folder, "registry", pack(2));
    expect(() => raiseHighWater(folder, "registry", pack(1))).toThrow(
      expect.objectContaining({ code: "registry.rollback" }),
    );
    expect(() => raiseHighWater(folder, "registry", pack(2, "b"))).toThrow(
      expect.objectContaining({ code: "registry.conflict" }),
    );
    writeFileSync(join(folder, "registry-high-water.json"), "{}");
    expect(() => raiseHighWater(folder, "registry", pack(3))).toThrow(
      expect.objectContaining({ code: "registry.invalid" }),
    );
  });

  test("a damaged mark stops the start", () => {
    writeFileSync(join(folder, "pack-high-water.json"), '{"number":');
    expect(() => raiseHighWater(folder, "pack", pack(9))).toThrow(
      expect.objectContaining({ code: "policy.pack-invalid" }),
    );
  });
});
