/** EVENTS.md and the list that journals accept are the same. */
import { readFileSync } from "node:fs";
import { EVENT_TYPES } from "@lightferry/proto/event";
import { expect, it } from "vitest";

it("explains every event type once, and none that does not exist", () => {
  const text = readFileSync(new URL("../EVENTS.md", import.meta.url), "utf8");
  const rows = [...text.matchAll(/^\| `([a-z]+\.[a-z-]+)` \|/gm)].map((match) => match[1]);
  expect(rows.sort()).toEqual([...EVENT_TYPES].sort());
});
