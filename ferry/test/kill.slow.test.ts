/** Guarantee tested: kill -9 of either program, again and again, loses nothing and doubles nothing. */
import { randomBytes } from "node:crypto";
import { afterEach, expect, test } from "vitest";
import { digestOf, type Place, place } from "./fixture.ts";
import { type Peers, startPeers } from "./peers.ts";
import { type Program, startProgram } from "./program.ts";

const KILLS = 12;

let at: Place;
let peers: Peers;
const running: Program[] = [];
afterEach(async () => {
  for (const program of running.splice(0)) await program.end("SIGKILL");
  await peers.close();
  at.remove();
});

for (const victim of ["tx", "rx"] as const) {
  test(`${victim} killed ${KILLS} times in the middle of a 40 MB bundle and 60 small ones`, {
    timeout: 180_000,
  }, async () => {
    at = place();
    peers = await startPeers(at, { secondPassSeconds: 2, rate: 30_000_000 });
    const rx = await startProgram("rx", peers.rxConfig(0));
    const port = rx.ready.port as number;
    const programs = { rx, tx: await startProgram("tx", peers.txConfig(port)) };
    const bundles = [await at.seal(randomBytes(40_000_000), "bulk")];
    at.outbox.put(bundles[0] as (typeof bundles)[number]);
    for (let kill = 0; kill < KILLS; kill += 1) {
      for (let index = 0; index < 5; index += 1) {
        const bundle = await at.seal(randomBytes(2_000 + 1_000 * index));
        bundles.push(bundle);
        at.outbox.put(bundle);
      }
      await new Promise((resolve) => setTimeout(resolve, 50 + Math.random() * 400));
      await programs[victim].end("SIGKILL");
      const config = victim === "tx" ? peers.txConfig(port) : peers.rxConfig(port);
      programs[victim] = await startProgram(victim, config);
    }
    running.push(programs.rx, programs.tx);
    await at.inbox.until(bundles.length);
    for (const bundle of bundles) {
      expect(digestOf(at.inbox.bytesOf(bundle))).toBe(digestOf(at.sealed(bundle)));
    }
    expect(at.inbox.delivered).toHaveLength(bundles.length);
  });
}
