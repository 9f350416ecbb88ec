/** CRYPTOGRAPHY.md names tests that exist, commands that exist and the numbers that the code has. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { AUTHORITY_VALIDITY_MS, CERTIFICATE_VALIDITY_MS } from "@lightferry/proto/pki";
import { expect, it } from "vitest";
import { noun } from "../../policy/cli/keys.ts";
import { REPOSITORY } from "../src/repository.ts";

const text = readFileSync(join(REPOSITORY, "deploy/CRYPTOGRAPHY.md"), "utf8");
const DAY_MS = 24 * 60 * 60 * 1000;

it("names tests that exist", () => {
  const paths = [...text.matchAll(/`([a-z-]+\/test\/[^`]+)`/g)].map(([, path]) => path ?? "");
  expect(paths.length).toBeGreaterThan(20);
  expect(paths.filter((path) => !existsSync(join(REPOSITORY, path)))).toEqual([]);
});

it("shows commands and options that exist", () => {
  const lines = text.split("\n").filter((line) => line.startsWith("lightferry keys "));
  expect(lines.length).toBeGreaterThan(10);
  for (const line of lines) {
    const [, , verbName, ...words] = line.split(" ");
    const verb = noun.verbs.find(({ name }) => name === verbName);
    expect(verb, line).toBeDefined();
    const known = [...Object.keys(verb?.options ?? {}), "zone", "home", "json"];
    for (const word of words.filter((each) => each.startsWith("--"))) {
      expect(known, line).toContain(word.slice(2));
    }
  }
});

it("gives the periods of the code", () => {
  expect(CERTIFICATE_VALIDITY_MS.encrypt / DAY_MS).toBe(45);
  expect(AUTHORITY_VALIDITY_MS.root / DAY_MS).toBeGreaterThanOrEqual(20 * 365);
  const keyLock = readFileSync(join(REPOSITORY, "proto/src/keystore/key-lock.ts"), "utf8");
  expect(keyLock).toContain("MIN_ROUNDS = 600_000");
  expect(text).toContain("600,000");
});
