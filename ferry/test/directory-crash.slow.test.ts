/** Guarantee tested: either half killed in its work and started again, at steps drawn anew, over an appliance that is bad itself: nothing is lost, nothing comes twice. */
import { randomInt } from "node:crypto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { HARSHEST } from "./appliance.ts";
import { directoryConfigs, survivesKills } from "./directory-kill.ts";
import { appliance } from "./directory-world.ts";
import { type Place, place } from "./fixture.ts";
import { type Peers, startPeers } from "./peers.ts";

/** Of each program; a soak asks for more. */
const KILLS = Number(process.env.LIGHTFERRY_KILLS ?? 5);
/** A start takes about ten steps, a run without a kill about a thousand. */
const MOST_STEPS = 160;

let at: Place;
let peers: Peers;
beforeEach(async () => {
  at = place();
  peers = await startPeers(at, { driver: "directory" });
});
afterEach(async () => {
  await peers.close();
  at.remove();
});

const drawn = (): number[] => Array.from({ length: KILLS }, () => randomInt(1, MOST_STEPS));

test(`each program killed ${KILLS} times at drawn steps`, {
  timeout: 60_000 + KILLS * 15_000,
}, async () => {
  const profile = { names: "upper", nameLength: 8, extension: "DAT", renames: false };
  // What a kill leaves half-written is taken all the same.
  const between = appliance(at, { ...HARSHEST, holdMs: 120, maxBytes: 131_072 });
  const plan = { sizes: [1_500_000, 1_000, 70_000, 2_000, 400_000], tx: drawn(), rx: drawn() };
  try {
    const limits = { maxFileBytes: 131_072, dataParts: 4, parityParts: 1, filesPerMinute: 3_000 };
    const configs = directoryConfigs(at, peers, { ...profile, ...limits });
    const kills = await survivesKills(at, configs, between, plan);
    // A run may end before a late step: everything was there.
    expect(kills, JSON.stringify(plan)).toBeGreaterThan(KILLS / 2);
  } catch (error) {
    throw new Error(`killed at ${JSON.stringify(plan)}`, { cause: error });
  } finally {
    await between.stop();
  }
});
