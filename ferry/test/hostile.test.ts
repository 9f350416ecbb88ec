/** Guarantee tested: no datagram of any kind stops the receiver, and unsigned ones change nothing durable. */
import { randomBytes } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { lightferry } from "@lightferry/proto/gen";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { encodeFrame, FRAME_HEADER, FRAME_TYPE } from "../src/frame.ts";
import { splitManifest } from "../src/manifest-parts.ts";
import { objectIdOf } from "../src/object.ts";
import type { Station } from "../src/rx/station.ts";
import { HEARTBEAT_LABEL, MANIFEST_LABEL, signMessage } from "../src/signed.ts";
import { datagram, frame } from "./datagrams.ts";
import {
  digestOf,
  eventually,
  FROM,
  HOST,
  keys,
  LANE,
  linkOf,
  namedKey,
  type Place,
  place,
  provider,
  startSender,
  startStation,
} from "./fixture.ts";
import { startForwarder } from "./forwarder.ts";

const { Heartbeat, ObjectManifest } = lightferry.ferry.v1;

let at: Place;
let station: Station;
let port: number;
let attacker: Socket;
beforeEach(async () => {
  at = place();
  ({ station, port } = await startStation(at));
  attacker = createSocket("udp4");
});
afterEach(async () => {
  attacker.close();
  await station.close();
  at.remove();
});

function send(bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => attacker.send(bytes, port, HOST, () => resolve()));
}

interface Picture {
  readonly received: { readonly datagrams: number };
  readonly rejected: Record<string, number>;
  readonly epoch: number;
  readonly objects: number;
  readonly heldBytes: number;
}
const picture = () => station.status() as Picture;

async function crosses(): Promise<void> {
  const bundle = await at.seal(randomBytes(30_000));
  at.outbox.put(bundle);
  const sender = await startSender(at, port);
  await at.inbox.until(1);
  expect(digestOf(at.inbox.bytesOf(bundle))).toBe(digestOf(at.sealed(bundle)));
  await sender.close();
}

test("20,000 hostile datagrams later the receiver still works and holds little", async () => {
  const datagrams = fc.sample(datagram, 2_000);
  for (let round = 0; round < 10; round += 1) {
    for (const [index, bytes] of datagrams.entries()) {
      if (bytes.length > 40) bytes[(index * 7 + round) % 40] = round;
      attacker.send(bytes, port, HOST);
      if (index % 100 === 0) await send(bytes);
    }
    const expected = (round + 1) * 2_020;
    await eventually(() => picture().received.datagrams).toBe(expected);
  }
  expect(picture().heldBytes).toBeLessThan(12 << 20);
  expect(Object.keys(picture().rejected).length).toBeGreaterThan(3);
  expect(picture().epoch).toBe(0);
  await crosses();
});

test("forged heartbeats change nothing and are counted by what is wrong with them", async () => {
  const beat = {
    version: 1,
    sender: FROM,
    epoch: 7,
    nextFrame: 5,
    timeMs: Date.now(),
    streams: [],
    configDigest: new Uint8Array(32),
    number: 1,
  };
  const stranger = namedKey();
  const link = linkOf(keys.ferry);
  const good = signMessage(link, HEARTBEAT_LABEL, Heartbeat, beat);
  const flipped = Uint8Array.from(good);
  flipped[flipped.length - 1] = (flipped.at(-1) as number) ^ 1;
  const beats: [string, Uint8Array][] = [
    ["heartbeat-unknown-key", signMessage(linkOf(stranger), HEARTBEAT_LABEL, Heartbeat, beat)],
    [
      "heartbeat-signature",
      signMessage(
        linkOf({ ...stranger, keyId: keys.ferry.keyId }),
        HEARTBEAT_LABEL,
        Heartbeat,
        beat,
      ),
    ],
    ["heartbeat-signature", flipped],
    // The right key, but for another purpose.
    ["heartbeat-signature", signMessage(link, MANIFEST_LABEL, Heartbeat, beat)],
    ["heartbeat-malformed", randomBytes(80)],
    ["heartbeat-sender", signMessage(link, HEARTBEAT_LABEL, Heartbeat, { ...beat, sender: "x" })],
    // Signed, but in a frame of another epoch.
    ["heartbeat-malformed", signMessage(link, HEARTBEAT_LABEL, Heartbeat, { ...beat, epoch: 8 })],
  ];
  for (const [, bytes] of beats) {
    await send(frame({ type: FRAME_TYPE.HEARTBEAT, epoch: 7 }, bytes));
  }
  const expected: Record<string, number> = {};
  for (const [reason] of beats) expected[reason] = (expected[reason] ?? 0) + 1;
  await eventually(() => picture().rejected).toEqual(expected);
  expect(picture().epoch).toBe(0);
  // The true one counts once; said again it is a repetition, and an older epoch is over.
  await send(frame({ type: FRAME_TYPE.HEARTBEAT, epoch: 7 }, good));
  await eventually(() => picture().epoch).toBe(7);
  await send(frame({ type: FRAME_TYPE.HEARTBEAT, epoch: 7 }, good));
  const old = signMessage(link, HEARTBEAT_LABEL, Heartbeat, { ...beat, epoch: 6, number: 9 });
  await send(frame({ type: FRAME_TYPE.HEARTBEAT, epoch: 6 }, old));
  await eventually(() => picture().rejected).toMatchObject({
    "heartbeat-repeated": 1,
    "heartbeat-old-epoch": 1,
  });
  await eventually(
    () => JSON.parse(readFileSync(join(at.rxState, "link.json"), "utf8")).epoch,
  ).toBe(7);
});

test("forged and senseless manifests make no object", async () => {
  const objectId = objectIdOf(1, 9);
  const manifest = {
    version: 1,
    sender: FROM,
    lane: LANE,
    epoch: 1,
    objectId,
    bundleId: randomBytes(16),
    headerDigest: randomBytes(32),
    size: 5_000,
    shardSize: 1408,
    groupShards: 128,
    groupDigests: [randomBytes(32)],
    firstGroup: 0,
  };
  const link = linkOf(keys.ferry);
  const cases: [string, Uint8Array][] = [
    ["manifest-unknown-key", sign({}, linkOf(namedKey()))],
    ["manifest-sender", sign({ sender: "node-other" })],
    ["manifest-lane", sign({ lane: "outbound" })],
    ["manifest-object", sign({ epoch: 2 })],
    ["manifest-object", sign({ objectId: objectIdOf(1, 8) })],
    ["manifest-size", sign({ size: 2 ** 50 })],
    ["manifest-size", sign({ size: 3 })],
    ["manifest-shard-size", sign({ shardSize: 1 })],
    ["manifest-shard-size", sign({ shardSize: 60_000 })],
    ["manifest-group-shards", sign({ groupShards: 1 })],
    ["manifest-groups", sign({ groupDigests: [] })],
    ["manifest-group-digest", sign({ groupDigests: [randomBytes(31)] })],
    ["manifest-first-group", sign({ firstGroup: 64 })],
    ["manifest-first-group", sign({ firstGroup: 1 })],
    ["manifest-version", sign({ version: 2 })],
    ["manifest-malformed", randomBytes(300)],
  ];
  function sign(change: Partial<typeof manifest>, signer = link): Uint8Array {
    return signMessage(signer, MANIFEST_LABEL, ObjectManifest, { ...manifest, ...change });
  }
  const counted: Record<string, number> = {};
  for (const [reason, signed] of cases) {
    counted[reason] = (counted[reason] ?? 0) + 1;
    await sendManifest(signed);
    await eventually(() => picture().rejected).toEqual(counted);
  }
  expect(picture().objects).toBe(0);
  await sendManifest(sign({}));
  await eventually(() => picture().objects).toBe(1);
  // A second one that tells of another bundle under the same number is refused.
  await send(frame({ type: FRAME_TYPE.DATA, objectId, k: 4, objectSize: 9 }, randomBytes(10)));
  await send(
    frame({ type: FRAME_TYPE.DATA, objectId, k: 4, objectSize: 5_000 }, randomBytes(1407)),
  );
  await eventually(() => picture().rejected).toMatchObject({ shape: 1, "group-shape": 1 });

  async function sendManifest(signed: Uint8Array): Promise<void> {
    const parts = splitManifest(provider, signed, 1456);
    for (const [shard, part] of parts.entries()) {
      await send(frame({ type: FRAME_TYPE.MANIFEST, objectId, shard, k: parts.length }, part));
    }
  }
});

test("doubled frames and shards with false content: delivered once, true bytes", async () => {
  await station.close();
  ({ station, port } = await startStation(at));
  let spoiled = 0;
  const relay = await startForwarder(port, (header, bytes) => {
    const { type, flags } = header;
    if (type === FRAME_TYPE.DATA && (flags & 1) === 0 && spoiled < 3) {
      // A right checksum over wrong content, before the true frame.
      spoiled += 1;
      const forged = Uint8Array.from(bytes);
      forged[FRAME_HEADER] = (forged[FRAME_HEADER] as number) ^ 0xff;
      encodeFrame(forged, 0, header, forged.length - FRAME_HEADER);
      attacker.send(forged, port, HOST);
    }
    return 2;
  });
  const bundle = await at.seal(randomBytes(900_000));
  at.outbox.put(bundle);
  const sender = await startSender(at, relay.port, { secondPassMs: 100, rate: 20e6 });
  await at.inbox.until(1);
  expect(digestOf(at.inbox.bytesOf(bundle))).toBe(digestOf(at.sealed(bundle)));
  await eventually(() => at.outbox.acks.some((ack) => ack.finished)).toBe(true);
  expect(at.inbox.answers).toEqual(["accepted"]);
  await sender.close();
  await relay.close();
});
