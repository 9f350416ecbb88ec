/** Guarantee tested: either half killed in its work and started again, nothing is lost and nothing comes twice. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { directoryConfigs, survivesKills } from "./directory-kill.ts";
import { appliance } from "./directory-world.ts";
import { type Place, place } from "./fixture.ts";
import { type Peers, startPeers } from "./peers.ts";

let at: Place;
let peers: Peers;
beforeEach(async () => {
  at = place();
  peers = await startPeers(at, {});
});
afterEach(async () => {
  await peers.close();
  at.remove();
});

test("both programs killed between two steps on their disks", { timeout: 60_000 }, async () => {
  const profile = {
    names: "upper",
    nameLength: 8,
    extension: "DAT",
    renames: false,
    maxFileBytes: 65_536,
  };
  const between = appliance(at, { name: /^[0-9A-Z]{8}\.DAT$/, maxBytes: 65_536, holdMs: 30 });
  try {
    const configs = directoryConfigs(at, peers, { ...profile, dataParts: 4, parityParts: 2 });
    const sizes = [300_000, 1_000, 2_000];
    expect(await survivesKills(at, configs, between, { sizes, tx: [40], rx: [60] })).toBe(2);
  } finally {
    await between.stop();
  }
});
