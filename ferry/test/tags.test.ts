/** Guarantee tested: tags from the settings of both programs to an object that arrives by them; SPEC.md §13. */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { digestOf, eventually, type Place, place } from "./fixture.ts";
import { type Peers, startPeers } from "./peers.ts";
import { startProgram } from "./program.ts";

let at: Place;
let peers: Peers;
beforeEach(() => {
  at = place();
});
afterEach(async () => {
  await peers.close();
  at.remove();
});

const BYTES = 5_000_000;
const status = (dir: string) => JSON.parse(readFileSync(join(dir, "status.json"), "utf8"));

test("a long bundle is known by its tags and whole, a short one by its digests", async () => {
  peers = await startPeers(at, { tags: true });
  const rx = await startProgram("rx", peers.rxConfig(0));
  const tx = await startProgram("tx", peers.txConfig(rx.ready.port as number));
  await eventually(() => status(at.rxState)).toMatchObject({ tags: "on" });
  expect(at.inbox.opened).toBe(1);
  const bundles = [await at.seal(randomBytes(BYTES), "bulk"), await at.seal(randomBytes(100))];
  for (const bundle of bundles) at.outbox.put(bundle);
  await at.inbox.until(2);
  for (const bundle of bundles) {
    expect(digestOf(at.inbox.bytesOf(bundle))).toBe(digestOf(at.sealed(bundle)));
  }
  await eventually(() => status(at.txState)).toMatchObject({ tags: "on", bundles: { emitted: 2 } });
  await eventually(() => status(at.rxState)).toMatchObject({
    rejected: {},
    bundles: { delivered: 2 },
  });
  const { byTag, byDigest } = status(at.rxState).checked;
  // The head and whatever became whole before its tags came are hashed.
  expect(byTag).toBeGreaterThan(BYTES / 2);
  expect(byTag + byDigest).toBeGreaterThan(BYTES);
  await tx.end("SIGTERM");
  await rx.end("SIGTERM");
});
