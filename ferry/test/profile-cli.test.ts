/** Guarantee tested: `ferry profile` says of a profile what ferry-tx would at its start, and what a lane then carries. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCaptured } from "@lightferry/proto/testing";
import { afterAll, expect, test } from "vitest";
import { noun } from "../cli/ferry.ts";

const dir = mkdtempSync(join(tmpdir(), "lf-profile-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const GOOD = { names: "upper", nameLength: 8, extension: "DAT", renames: false };
async function judged(content: unknown, ...words: string[]) {
  const path = join(dir, "profile.json");
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return await runCaptured(noun, ["profile", path, ...words]);
}

test.each([
  ["no JSON", "{", "profile.json: JSON"],
  ["no object", "[]", "profile.names"],
  ["a setting that there is none of", { ...GOOD, speed: 1 }, "profile.speed"],
  ["too few names", { ...GOOD, names: "digits", nameLength: 5 }, "profile.nameLength"],
  ["too many parts", { ...GOOD, dataParts: 224, parityParts: 64 }, "profile.parityParts"],
  ["no room for a file", { ...GOOD, maxWaitingBytes: 65_536 }, "profile.maxWaitingBytes"],
])("refused is %s, by name", async (_, content, named) => {
  const { code, problem, out } = await judged(content);
  expect(code).not.toBe(0);
  expect(problem).toContain(`config.invalid: ${named.startsWith("profile.json") ? dir : named}`);
  expect(problem).toContain(named);
  expect(out).toBe("");
});

test("what is good is shown whole, with what the lane carries by the example of DIRECTORY.md", async () => {
  const capped = { ...GOOD, maxFileBytes: 1 << 20, filesPerMinute: 60 };
  const { code, out } = await judged(capped, "--json");
  expect(code).toBe(0);
  const shown = JSON.parse(out) as { readonly bytesPerSecond: number };
  expect(shown).toMatchObject({
    profile: { dataParts: 16, parityParts: 2, passes: 2, extension: "DAT" },
    ...{ partBytes: 1_040_372, secondsPerFile: 1 },
  });
  expect(Math.round(shown.bytesPerSecond / 1_000)).toBe(439);
  expect((await judged(capped)).out).toContain("38.0 GB");
  expect((await judged(GOOD)).out).toContain("未设速率上限");
});
