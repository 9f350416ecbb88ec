/** BAD-INPUT.md says of every code what the error table says, and names tests that name the code. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { errorRow, isErrorCode } from "@lightferry/proto/errors";
import { EVENT_TYPES } from "@lightferry/proto/event";
import { expect, it } from "vitest";
import { REPOSITORY } from "../src/repository.ts";

/** Where there is no room to journal there is no event. */
const WITHOUT_EVENT = new Set(["journal.full"]);

const rows = readFileSync(join(REPOSITORY, "deploy/BAD-INPUT.md"), "utf8")
  .split("\n")
  .filter((line) => line.startsWith("| ") && !line.startsWith("| input"))
  .map((line) =>
    line
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim()),
  );

const quoted = (cell = "") => [...cell.matchAll(/`([^`]+)`/g)].map((found) => found[1] ?? "");

it("has a row for each kind that matters", () => {
  expect(rows.length).toBeGreaterThan(50);
  expect(new Set(rows.map(([input]) => input)).size).toBe(rows.length);
});

it.each(rows)("%s: %s", (_input, codeCell, actor, http, eventCell, testCell) => {
  const [code = ""] = quoted(codeCell);
  if (!isErrorCode(code)) expect.unreachable(`no such code: ${code}`);
  const row = errorRow(code);
  expect(row.actor).toBe(actor);
  if (http !== "–") expect(String(row.http)).toBe(http);
  const events = quoted(eventCell);
  for (const event of events) expect(EVENT_TYPES).toContain(event);
  expect(events.length === 0).toBe(WITHOUT_EVENT.has(code));
  const tests = quoted(testCell);
  expect(tests.length).toBeGreaterThan(0);
  for (const test of tests) {
    const path = join(REPOSITORY, test);
    expect(existsSync(path), test).toBe(true);
    expect(readFileSync(path, "utf8"), test).toContain(code);
  }
});
