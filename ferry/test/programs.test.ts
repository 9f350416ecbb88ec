/** Guarantee tested: the two programs as they are run: settings, mutual TLS, status file, orderly end. */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { digestOf, eventually, FROM, LANE, type Place, pki, place } from "./fixture.ts";
import { type Peers, startPeers } from "./peers.ts";
import { type Program, startProgram } from "./program.ts";
import { scrape } from "./scrape.ts";

let at: Place;
let peers: Peers;
beforeEach(async () => {
  at = place();
  peers = await startPeers(at, { secondPassSeconds: 1 });
});
afterEach(async () => {
  await peers.close();
  at.remove();
});

test("both programs carry bundles, write their status and end when asked", async () => {
  const rx = await startProgram("rx", peers.rxConfig(0));
  const port = rx.ready.port as number;
  const tx = await startProgram("tx", peers.txConfig(port));
  expect(rx.ready).toMatchObject({ driver: "udp", locked: true });
  expect(tx.ready).toMatchObject({ driver: "udp", locked: true, epoch: 1 });
  const bundles = [await at.seal(randomBytes(3_000_000), "bulk"), await at.seal(randomBytes(100))];
  for (const bundle of bundles) at.outbox.put(bundle);
  await at.inbox.until(2);
  for (const bundle of bundles) {
    expect(digestOf(at.inbox.bytesOf(bundle))).toBe(digestOf(at.sealed(bundle)));
  }
  const status = (dir: string) => JSON.parse(readFileSync(join(dir, "status.json"), "utf8"));
  await eventually(() => status(at.txState)).toMatchObject({
    role: "tx",
    epoch: 1,
    bundles: { emitted: 2, finished: 2, refused: 0 },
  });
  await eventually(() => status(at.rxState)).toMatchObject({
    role: "rx",
    epoch: 1,
    bundles: { arrived: 2, delivered: 2, waiting: 0 },
    rejected: {},
    gaps: [],
  });
  const figures = async ({ ready }: Program) =>
    scrape(await (await fetch(`http://127.0.0.1:${ready.metrics}/metrics`)).text());
  const [sent, received] = [await figures(tx), await figures(rx)];
  const emitted = { lane: LANE, state: "emitted" };
  expect(sent.value("lightferry_ferry_bundles_total", emitted)).toBe(2);
  expect(sent.value("lightferry_ferry_sent_bytes_total", { link: "0" })).toBeGreaterThan(3e6);
  const delivered = { lane: LANE, state: "delivered" };
  expect(received.value("lightferry_ferry_bundles_total", delivered)).toBe(2);
  const mismatch = { link: "0", code: "ferry.link-mismatch" };
  expect(received.value("lightferry_ferry_alarm", mismatch)).toBe(0);
  expect(received.value("lightferry_ferry_lag_seconds", { lane: LANE })).toBeLessThan(60);
  expect(await tx.end("SIGTERM")).toBe(0);
  expect(await rx.end("SIGTERM")).toBe(0);
});

test("a new ferry key takes over without a restart; the old one may go", async () => {
  const rx = await startProgram("rx", peers.rxConfig(0));
  const tx = await startProgram("tx", peers.txConfig(rx.ready.port as number));
  const cross = async (count: number) => {
    const bundle = await at.seal(randomBytes(2_000));
    at.outbox.put(bundle);
    await at.inbox.until(count);
    expect(digestOf(at.inbox.bytesOf(bundle))).toBe(digestOf(at.sealed(bundle)));
  };
  await cross(1);
  const old = pki.keyId(FROM, "ferry");
  const fresh = pki.rotate(FROM, "ferry", { notBeforeMs: Date.now() - 1_000 });
  pki.revoke(old, "superseded", Date.now() - 1_000);
  peers.publish();
  expect(pki.keyId(FROM, "ferry")).toBe(fresh);
  // Each side hears of it in its own time; what falls between comes with the second pass.
  await cross(2);
  const status = () => JSON.parse(readFileSync(join(at.rxState, "status.json"), "utf8"));
  await eventually(status).toMatchObject({ epoch: 1, bundles: { delivered: 2 } });
  expect(await tx.end("SIGTERM")).toBe(0);
  expect(await rx.end("SIGTERM")).toBe(0);
});
