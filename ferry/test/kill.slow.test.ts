/** Guarantee tested: kill -9 of either program, again and again, loses nothing and doubles nothing. */
import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { digestOf, type Place, place } from "./fixture.ts";
import { type Peers, startPeers } from "./peers.ts";
import { type Program, startProgram } from "./program.ts";

let at: Place;
let peers: Peers;
const programs = new Map<"tx" | "rx", Program>();
afterEach(async () => {
  for (const program of programs.values()) await program.end("SIGKILL");
  programs.clear();
  await peers.close();
  at.remove();
});

/**
 * A frame that finds no receiver is gone, so the second pass must come after
 * the last kill of the receiver; the sender may be killed in both.
 */
const CASES = [
  { victim: "tx", kills: 10, secondPassSeconds: 2 },
  { victim: "rx", kills: 6, secondPassSeconds: 90 },
] as const;

test.for(CASES)(
  "$victim killed $kills times in the middle of a 40 MB bundle and many small ones",
  { timeout: 300_000 },
  async ({ victim, kills, secondPassSeconds }) => {
    at = place();
    peers = await startPeers(at, { secondPassSeconds, rate: 30_000_000 });
    programs.set("rx", await startProgram("rx", peers.rxConfig(0)));
    const port = programs.get("rx")?.ready.port as number;
    programs.set("tx", await startProgram("tx", peers.txConfig(port)));
    const large = await at.seal(randomBytes(40_000_000), "bulk");
    const bundles = [large];
    at.outbox.put(large);
    for (let kill = 0; kill < kills; kill += 1) {
      for (let index = 0; index < 5; index += 1) {
        const bundle = await at.seal(randomBytes(2_000 + 1_000 * index));
        bundles.push(bundle);
        at.outbox.put(bundle);
      }
      // The one wait for time: where in its work the kill finds the program is left to chance.
      await delay(50 + Math.random() * 400);
      await programs.get(victim)?.end("SIGKILL");
      // As when the leases of the dead worker have run out.
      if (victim === "tx") at.outbox.leaseAgain();
      const config = victim === "tx" ? peers.txConfig(port) : peers.rxConfig(port);
      programs.set(victim, await startProgram(victim, config));
    }
    await at.inbox.until(bundles.length);
    for (const bundle of bundles) {
      expect(digestOf(at.inbox.bytesOf(bundle))).toBe(digestOf(at.sealed(bundle)));
    }
    expect(at.inbox.delivered).toHaveLength(bundles.length);
  },
);
