/** Guarantee tested: as media-crash.test.ts, at every step; and by real kills of the real command over its real peers. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { MANIFEST_NAME } from "../src/media/layout.ts";
import { digestOf, LANE, place } from "./fixture.ts";
import { exportFailing, exportFrozen, importFailing, importFrozen } from "./media-crash.ts";
import { blank, idOf, queue } from "./media-world.ts";
import { startPeers } from "./peers.ts";

const CHILD = fileURLToPath(new URL("media-child.ts", import.meta.url));
/** Steps between two kills: a prime, so that the two halves are met at different ones. */
const STRIDE = 11;

/** Exit code, or the signal. */
async function command(step: number, words: readonly string[]): Promise<number | string> {
  const child = spawn(process.execPath, [CHILD, String(step), ...words], { stdio: "ignore" });
  const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
  return code ?? signal ?? "";
}

describe("at every step", () => {
  test("frozen", async () => {
    expect(await exportFrozen(1)).toBeGreaterThan(30);
    expect(await importFrozen(1)).toBeGreaterThan(30);
  }, 120_000);

  test("failing", async () => {
    await exportFailing("EIO", 1);
    await exportFailing("ENOSPC", 1);
    await importFailing(1);
  }, 120_000);

  test("killed, started again, until all of it is over there", async () => {
    const at = place();
    const peers = await startPeers(at, {});
    try {
      const bundles = await queue(at, 100, 40_000, 700);
      const out = ["export", "--lane", LANE, "--any-lane", "--config", peers.txConfig(9), "--to"];
      const media: string[] = [];
      let kills = 0;
      for (let step = 1; ; step += STRIDE) {
        const dir = blank(at);
        media.push(dir);
        const end = await command(step, [...out, dir]);
        if (end === 0) break;
        expect(end).toBe("SIGKILL");
        kills += 1;
        await at.outbox.leaseAgainAfterDeath();
      }
      const inward = ["import", "--config", peers.rxConfig(0), "--from"];
      for (const dir of media.filter((path) => existsSync(join(path, MANIFEST_NAME)))) {
        for (let step = 1; ; step += STRIDE) {
          const end = await command(step, [...inward, dir]);
          // 3: seen before; the kill came after the last note.
          if (end === 0 || end === 3) break;
          expect(end).toBe("SIGKILL");
          kills += 1;
        }
      }
      expect(kills).toBeGreaterThan(5);
      expect(at.inbox.delivered.map(idOf).sort()).toEqual(bundles.map(idOf).sort());
      for (const bundle of bundles) {
        expect(digestOf(at.inbox.bytesOf(bundle))).toBe(digestOf(at.sealed(bundle)));
      }
      expect(at.arrivals()).toEqual([]);
    } finally {
      await peers.close();
      at.remove();
    }
  }, 300_000);
});
