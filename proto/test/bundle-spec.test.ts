import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { BUNDLE_ERRORS } from "../src/errors/bundle.ts";
import { ERRORS } from "../src/errors/index.ts";
import { exampleTable, readExample, workedExample } from "../vectors/worked-example.ts";

const spec = readFileSync(new URL("../SPEC.md", import.meta.url), "utf8");
/** The format itself; what is proved or exported from a bundle has texts of its own. */
const codes = Object.keys(BUNDLE_ERRORS).filter((code) => /^(bundle|verdict)\./.test(code));

/** Codes that only sealing or the receiver's state raises: no bytes of a bundle can show them. */
const NOT_OF_BYTES = [
  "bundle.content-mismatch",
  "bundle.seal-refused",
  "bundle.too-large",
  "bundle.manifest-too-large",
  "bundle.replayed",
  "bundle.sequence-conflict",
  "bundle.out-of-window",
  "bundle.lifetime-too-long",
];

/** `bundle.x` and, in lists after it, `.y`. */
function named(text: string): Set<string> {
  const found = new Set<string>();
  for (const [, code] of text.matchAll(/`((?:bundle|verdict)\.[a-z-]+)`/g)) {
    if (code !== undefined && code !== "bundle.proto") found.add(code);
  }
  return found;
}

it("names every code of the format, and no other", () => {
  const inSpec = named(spec);
  expect(codes.filter((code) => !inSpec.has(code))).toEqual([]);
  expect([...inSpec].filter((code) => !Object.hasOwn(ERRORS, code))).toEqual([]);
});

it("has a vector for every code that bytes can show", () => {
  const folder = new URL("../vectors/bundle/", import.meta.url);
  const shown = new Set<string>();
  for (const name of readdirSync(folder)) {
    const text = readFileSync(new URL(name, folder), "utf8");
    for (const [, code] of text.matchAll(/"code": "([a-z.-]+)"/g)) shown.add(code ?? "");
  }
  expect(codes.filter((code) => !shown.has(code) && !NOT_OF_BYTES.includes(code))).toEqual([]);
});

it("takes one bundle apart as its own formulas say", () => {
  const steps = workedExample(readExample());
  const value = (name: string) => steps.find(([step]) => step === name)?.[2];
  expect(spec).toContain(exampleTable(steps));
  expect(value("ciphertext_root")).toBe(value("table entry 0"));
  expect(value("item_root")).toBe(value("commitment"));
});
