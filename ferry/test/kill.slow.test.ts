/** Guarantee tested: kill -9 of either program, again and again, loses nothing and doubles nothing. */
import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { drill } from "../drills/ferry-kill.drill.ts";
import { digestOf, type Place, place } from "./fixture.ts";
import { type Peers, startPeers } from "./peers.ts";
import { type Program, startProgram } from "./program.ts";

let at: Place | undefined;
let peers: Peers | undefined;
const programs = new Map<"tx" | "rx", Program>();
afterEach(async () => {
  for (const program of programs.values()) await program.end("SIGKILL");
  programs.clear();
  await peers?.close();
  at?.remove();
  [peers, at] = [undefined, undefined];
});

const CASES = [
  { victim: "tx", kills: 4 },
  { victim: "rx", kills: 3 },
] as const;

test.for(CASES)(
  "$victim killed $kills times in the middle of a 40 MB bundle and many small ones",
  { timeout: 300_000 },
  async ({ victim, kills }) => {
    const here = place();
    at = here;
    const zones = await startPeers(here, { secondPassSeconds: 1, rate: 30_000_000 });
    const over = Promise.withResolvers<void>();
    // A frame that finds no receiver is gone: second passes begin when it is killed no more. The sender may be in both.
    if (victim === "rx") here.outbox.holding = over.promise;
    peers = zones;
    programs.set("rx", await startProgram("rx", zones.rxConfig(0)));
    const port = programs.get("rx")?.ready.port as number;
    programs.set("tx", await startProgram("tx", zones.txConfig(port)));
    const large = await here.seal(randomBytes(40_000_000), "bulk");
    const bundles = [large];
    here.outbox.put(large);
    for (let kill = 0; kill < kills; kill += 1) {
      for (let index = 0; index < 5; index += 1) {
        const bundle = await here.seal(randomBytes(2_000 + 1_000 * index));
        bundles.push(bundle);
        here.outbox.put(bundle);
      }
      // The one wait for time: where in its work the kill finds the program is left to chance.
      await delay(50 + Math.random() * 400);
      await programs.get(victim)?.end("SIGKILL");
      if (victim === "tx") await here.outbox.leaseAgainAfterDeath();
      const config = victim === "tx" ? zones.txConfig(port) : zones.rxConfig(port);
      programs.set(victim, await startProgram(victim, config));
    }
    over.resolve();
    await here.inbox.until(bundles.length);
    for (const bundle of bundles) {
      expect(digestOf(here.inbox.bytesOf(bundle))).toBe(digestOf(here.sealed(bundle)));
    }
    expect(here.inbox.delivered).toHaveLength(bundles.length);
  },
);

test("either program killed 5 times at random moments over a line: the next pass delivers all, nothing twice", {
  timeout: 300_000,
}, async () => {
  const reports = await drill({ count: 5, seed: 17 });
  expect(reports.map(({ victim }) => victim)).toEqual(["tx", "rx"]);
  for (const report of reports) {
    expect(report).toMatchObject({ kills: 5, missing: [], twice: [] });
    expect(report.duringTransfer).toBeGreaterThan(0);
  }
});
