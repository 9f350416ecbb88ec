/** Guarantee tested: what is wrong at the gate or behind it stands in the log with its code, and costs nothing but time. */
import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorRow, GatewayError } from "@lightferry/proto/errors";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { datagram } from "./datagrams.ts";
import {
  digestOf,
  eventually,
  HOST,
  type Place,
  place,
  startSender,
  startStation,
} from "./fixture.ts";
import { startPeers } from "./peers.ts";
import { startProgram } from "./program.ts";

let at: Place;
beforeEach(() => {
  at = place();
});
afterEach(() => at.remove());

test("frames of any length and content are told with a code and counted, not one by one", async () => {
  const { station, port } = await startStation(at);
  const attacker = createSocket("udp4");
  const send = (bytes: Uint8Array) =>
    new Promise<void>((resolve) => attacker.send(bytes, port, HOST, () => resolve()));
  const datagrams = [
    new Uint8Array(0),
    Uint8Array.of(1),
    randomBytes(9_000),
    ...fc.sample(datagram, 300),
  ];
  for (const bytes of datagrams) await send(bytes);
  const seen = () => (station.status() as { received: { datagrams: number } }).received.datagrams;
  // An empty datagram is none to a receiver that reads by length.
  await eventually(seen).toBeGreaterThanOrEqual(datagrams.length - 1);
  // The socket's thread has counted them all; what it handed on is judged a moment later.
  const judged = () =>
    Object.values((station.status() as { rejected: Record<string, number> }).rejected);
  await eventually(() => judged().length).toBeGreaterThan(0);
  attacker.close();
  await station.close();
  const told = at.rxEvents.of("gate.frame-rejected");
  expect(told.length).toBeGreaterThan(0);
  expect(told.length).toBeLessThan(30);
  for (const event of told) {
    expect(event).toMatchObject({ outcome: "refused", code: "ferry.frame-rejected" });
    expect(Number(event.attributes?.count)).toBeGreaterThan(0);
  }
  expect(errorRow("ferry.frame-rejected").actor).toBe("security-admin");
});

test("the database behind the inbox is away: told once, delivered once when it is back", async () => {
  const { station, port } = await startStation(at);
  const deliver = at.inbox.deliver;
  let refusals = 0;
  at.inbox.deliver = async () => {
    refusals += 1;
    throw new GatewayError("database.unavailable");
  };
  const sender = await startSender(at, port, { secondPassMs: 50 });
  const bundle = await at.seal(randomBytes(5_000));
  at.outbox.put(bundle);
  await eventually(() => refusals).toBeGreaterThan(2);
  expect(at.rxEvents.of("service.impaired")).toMatchObject([
    {
      outcome: "error",
      code: "database.unavailable",
      bundleId: Buffer.from(bundle.bundleId ?? []),
      attributes: { work: "delivering" },
    },
  ]);
  at.inbox.deliver = deliver;
  await at.inbox.until(1);
  expect(digestOf(at.inbox.bytesOf(bundle))).toBe(digestOf(at.sealed(bundle)));
  await eventually(() => at.rxEvents.of("service.restored").length).toBe(1);
  expect(at.inbox.answers).toEqual(["accepted"]);
  await sender.close();
  await station.close();
});

test("in production mode neither program starts with what is marked a demonstration", async () => {
  const peers = await startPeers(at, {});
  const production = (path: string, change: object = {}) => {
    const config = JSON.parse(readFileSync(path, "utf8")) as object;
    writeFileSync(path, JSON.stringify({ ...config, ...change, mode: "production" }));
    return path;
  };
  const realAnchor = join(at.root, "real-anchor.json");
  const anchor = JSON.parse(readFileSync(join(at.root, "anchor.json"), "utf8")) as object;
  writeFileSync(realAnchor, JSON.stringify({ ...anchor, demo: false }));
  try {
    const rx = (change: object = {}) => startProgram("rx", production(peers.rxConfig(0), change));
    // Its own key; the anchor; a registry that says of itself that it is a demonstration.
    const tx = startProgram("tx", production(peers.txConfig(1)));
    await expect(tx).rejects.toThrow("key.demo-in-production");
    await expect(rx()).rejects.toThrow("registry.demo-in-production");
    await expect(rx({ anchorPath: realAnchor })).rejects.toThrow("registry.demo-in-production");
  } finally {
    await peers.close();
  }
});
