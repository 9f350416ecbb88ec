/** THREAT-MODEL.md names boundaries that it defines and tests that exist. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { REPOSITORY } from "../src/repository.ts";

const text = readFileSync(join(REPOSITORY, "deploy/THREAT-MODEL.md"), "utf8");

function table(prefix: string): string[][] {
  return text
    .split("\n")
    .filter((line) => line.startsWith(`| ${prefix}-`))
    .map((line) =>
      line
        .slice(1, -1)
        .split("|")
        .map((cell) => cell.trim()),
    );
}

const boundaries = table("TB").map(([id = ""]) => id);
const threats = table("TM");

it.each(["TB", "TM"])("numbers %s from 01 without holes", (prefix) => {
  const ids = table(prefix).map(([id]) => id);
  expect(ids.length).toBeGreaterThan(5);
  expect(ids).toEqual(ids.map((_, index) => `${prefix}-${String(index + 1).padStart(2, "0")}`));
});

it.each(threats)(
  "%s stands at a boundary and has its tests",
  (_id, at, _threat, control, tests) => {
    if (at !== "–") expect(boundaries).toContain(at);
    expect(control).not.toBe("");
    const paths = [...(tests ?? "").matchAll(/`([^`]+)`/g)].map((found) => found[1] ?? "");
    expect(paths.length).toBeGreaterThan(0);
    for (const path of paths) expect(existsSync(join(REPOSITORY, path)), path).toBe(true);
  },
);

it("has a threat at every boundary", () => {
  const met = new Set(threats.map(([, at]) => at));
  expect(boundaries.filter((id) => !met.has(id))).toEqual([]);
});
