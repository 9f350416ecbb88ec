/** The folder of bundles whose keys do not count: nothing is lost, and its growth is told once. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ALARM_BUNDLES, ALARM_BYTES, Quarantine } from "../src/rx/quarantine.ts";
import { Events, LANE } from "./fixture.ts";

let dir: string;
let events: Events;
let quarantine: Quarantine;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "lf-quarantine-"));
  events = new Events();
  quarantine = new Quarantine(dir, LANE, events);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const alarms = () => events.of("gate.quarantine-large");
const newId = () => randomBytes(16).toString("hex");

/** Without writing what a file of this size would take. */
function lay(bundleId: string, bytes: number): void {
  writeFileSync(quarantine.path(bundleId), "");
  truncateSync(quarantine.path(bundleId), bytes);
}

test("counts what lies there, since when, and nothing else", () => {
  expect(quarantine.picture()).toEqual({ bundles: 0, bytes: 0, sinceMs: null });
  const before = Date.now() - 1_000;
  lay(newId(), 10);
  lay(newId(), 20);
  writeFileSync(join(dir, "note of an officer.txt"), "why");
  const { sinceMs, ...size } = quarantine.picture();
  expect(size).toEqual({ bundles: 2, bytes: 30 });
  expect(sinceMs).toBeGreaterThan(before);
});

test("many bundles are an alarm, once; after they were fewer, once more", async () => {
  const ids = Array.from({ length: ALARM_BUNDLES }, newId);
  for (const id of ids) lay(id, 1);
  await quarantine.look();
  expect([quarantine.keeps("bundle.unknown-sign-key"), alarms().length]).toEqual([true, 0]);
  const from = join(dir, "from");
  const last = newId();
  writeFileSync(from, "x");
  await quarantine.take(from, last);
  await quarantine.take(from, last);
  expect(quarantine.keeps("bundle.unknown-sign-key")).toBe(false);
  expect(alarms()).toMatchObject([
    { outcome: "error", lane: LANE, attributes: { bundles: String(ALARM_BUNDLES + 1) } },
  ]);
  rmSync(quarantine.path(last));
  await quarantine.look();
  lay(last, 1);
  await quarantine.look();
  expect(alarms()).toHaveLength(2);
});

test("a few large ones are one too, and an alarm that could not be written is tried again", async () => {
  lay(newId(), ALARM_BYTES + 1);
  const record = events.record;
  events.record = () => Promise.reject(new RangeError("full"));
  await expect(quarantine.look()).rejects.toThrow("full");
  events.record = record;
  await quarantine.look();
  await quarantine.look();
  expect(alarms()).toHaveLength(1);
});
