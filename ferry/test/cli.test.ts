/** Guarantee tested: `lightferry ferry` shows what the status files say, and says when a program does not run. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CliContext } from "@lightferry/proto/cli";
import { afterEach, beforeEach, expect, test } from "vitest";
import { noun } from "../cli/ferry.ts";

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

const base = { timeMs: Date.now(), lane: "inbound", driver: "udp", locked: true, epoch: 3 };
const rx = {
  ...base,
  role: "rx",
  frames: 10,
  accounted: { settled: 9, lost: 2 },
  heartbeat: { silent: false, secondsAgo: 0.4 },
  bundles: { arrived: 4, delivered: 4, refused: 0, waiting: 0 },
  objects: 0,
  rejected: { checksum: 5, magic: 1 },
  gaps: [{ stream: "inbound/n/normal", missing: "3-4", count: 2, state: "unrepaired" }],
};

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
  const code = await found?.run(context, undefined as never);
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
  put("business", "ferry-rx", rx);
  const shown = await run("status");
  expect(shown.code).toBe(0);
  expect(shown.text).toBe(
    "business | ferry-rx | yes | inbound | 3 | yes | heartbeat ok, 4 bundles delivered, 0 waiting, 2 missing, 2 frames lost, 6 rejected",
  );
  put("extranet", "ferry-tx", {
    ...base,
    timeMs: base.timeMs - 60_000,
    role: "tx",
    nextFrame: 8,
    sent: { frames: 8, bytes: 3 * 1024 * 1024, failed: 0 },
    bundles: { emitted: 4, finished: 3, refused: 1, sending: 0, held: 1 },
  });
  const both = await run("status");
  expect(both.code).toBe(4);
  expect(both.text).toContain("extranet | ferry-tx | no");
  expect(both.json).toHaveLength(2);
});

test("gaps are listed by stream, and their absence is said", async () => {
  put("business", "ferry-rx", rx);
  const shown = await run("gaps");
  expect(shown.text).toContain(
    "business | inbound/n/normal | 2 | stays away: write a ticket | 3-4",
  );
  expect(shown.json).toEqual([{ zone: "business", ...rx.gaps[0] }]);
  put("business", "ferry-rx", { ...rx, gaps: [] });
  expect((await run("gaps")).text).toBe("no bundle is missing");
});
