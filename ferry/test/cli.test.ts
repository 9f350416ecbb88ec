/** Guarantee tested: `lightferry ferry` shows what the status files say, and says when a program does not run. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CliContext } from "@lightferry/proto/cli";
import { afterEach, beforeEach, expect, test } from "vitest";
import { noun } from "../cli/ferry.ts";
import { rxPicture, txPicture } from "./pictures.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "lf-cli-"));
});
afterEach(() => rmSync(home, { recursive: true }));

function put(zone: string, service: string, status: object): void {
  const dir = join(home, zone, "state", service);
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "status.json"), JSON.stringify(status));
}

async function run(verb: string): Promise<{ code: number; text: string; json: unknown }> {
  const lines: string[] = [];
  let json: unknown;
  const context = {
    locale: "en",
    json: false,
    home,
    zone: undefined,
    say: (words: { en: string }) => words.en,
    out: (line: string) => lines.push(line),
    table: (rows: readonly object[], columns: readonly { value: unknown }[]) => {
      for (const row of rows) {
        const cells = columns.map(({ value }) =>
          typeof value === "function"
            ? value(row)
            : (row as Record<string, unknown>)[String(value)],
        );
        lines.push(cells.join(" | "));
      }
    },
    emitJson: (value: unknown) => {
      json = value;
    },
  } as unknown as CliContext;
  const found = noun.verbs.find(({ name }) => name === verb);
  const code = await found?.run(context, { flag: () => false } as never);
  return { code: code ?? -1, text: lines.join("\n"), json };
}

test("without any status both verbs say what to do", async () => {
  for (const verb of ["status", "gaps"]) {
    const { code, text } = await run(verb);
    expect(code).toBe(4);
    expect(text).toContain("npm start");
  }
});

test("status tells both halves, and a picture that is old is a program that does not run", async () => {
  put("business", "ferry-rx", rxPicture());
  const shown = await run("status");
  expect(shown.code).toBe(0);
  expect(shown.text).toContain("3 bundles delivered");
  expect(shown.text).toContain("2 of 900 frames lost");
  put("extranet", "ferry-tx", txPicture(Date.now() - 60_000));
  const both = await run("status");
  expect(both.code).toBe(4);
  expect(both.text).toContain("extranet sender  not running; as it was 60 s ago");
  expect(both.json).toMatchObject([
    { zone: "business", service: "ferry-rx", running: true, status: { role: "rx" } },
    { zone: "extranet", service: "ferry-tx", running: false, status: { role: "tx" } },
  ]);
});

test("a program of one link and one lane may tell of both in one", async () => {
  const { links, lanes, ...rest } = rxPicture();
  put("business", "ferry-rx", { ...rest, ...links[0], ...lanes[0] });
  const { text } = await run("status");
  expect(text).toContain("link 0");
  expect(text).toContain("lane inbound");
  expect(text).toContain("3 missing");
});

test("gaps are listed by stream, and their absence is said", async () => {
  const picture = rxPicture();
  put("business", "ferry-rx", picture);
  const shown = await run("gaps");
  expect(shown.text).toContain(
    "business | inbound/node-extranet/bulk | 1 | stays away: write a ticket | 9",
  );
  const [lane] = picture.lanes;
  expect(shown.json).toEqual(lane?.gaps.map((gap) => ({ zone: "business", ...gap })));
  put("business", "ferry-rx", { ...picture, lanes: [{ ...lane, gaps: [] }] });
  expect((await run("gaps")).text).toBe("no bundle is missing");
});
