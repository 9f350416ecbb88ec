/** Guarantee tested: no datagram of any kind stops the receiver, and unsigned ones change nothing durable. */
import { randomBytes } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { lightferry } from "@lightferry/proto/gen";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { encodeFrame, FRAME_HEADER, FRAME_TYPE, type FrameHeader } from "../src/frame.ts";
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
  linkOf,
  namedKey,
  type Place,
  place,
  SETTINGS,
  startSender,
  startStation,
} from "./fixture.ts";
import { startForwarder } from "./forwarder.ts";
import { Line, madeUp } from "./frames.ts";

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
    settings: SETTINGS,
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
    () => JSON.parse(readFileSync(join(at.rxState, "links", "0.json"), "utf8")).epoch,
  ).toBe(7);
});

test("forged and senseless manifests make no object", async () => {
  const link = linkOf(keys.ferry);
  const objectId = objectIdOf(1, 9);
  const line = new Line(madeUp([4_000, 900]), { objectId });
  const stranger = new Line(madeUp([4_000, 900]), { objectId, signer: linkOf(namedKey()) });
  const { headSize } = line.facts;
  const cases: [string, Uint8Array][] = [
    ["manifest-unknown-key", stranger.signed()],
    ["manifest-sender", line.signed({ sender: "node-other" })],
    ["manifest-lane", line.signed({ lane: "outbound" })],
    ["manifest-object", line.signed({ epoch: 2 })],
    ["manifest-object", line.signed({ objectId: objectIdOf(1, 8) })],
    ["manifest-bundle-id", line.signed({ bundleId: randomBytes(15) })],
    ["manifest-header-digest", line.signed({ headerDigest: randomBytes(31) })],
    ["manifest-size", line.signed({ size: 2 ** 50 })],
    ["manifest-shard-size", line.signed({ shardSize: 1 })],
    ["manifest-shard-size", line.signed({ shardSize: 60_000 })],
    ["manifest-group-shards", line.signed({ groupShards: 0 })],
    ["manifest-group-shards", line.signed({ groupShards: 200, parityShards: 60 })],
    ["manifest-parity-shards", line.signed({ parityShards: 65 })],
    ["manifest-head-size", line.signed({ headSize: 31 })],
    ["manifest-head-size", line.signed({ headSize: 6_000 })],
    ["manifest-head-digest", line.signed({ headDigest: randomBytes(33) })],
    ["manifest-chunk-bytes", line.signed({ chunkBytes: 4_111 })],
    ["manifest-chunk-bytes", line.signed({ chunkBytes: 2 ** 18 + 17 })],
    // More chunks than the head has digests for; none at all.
    ["manifest-chunks", line.signed({ size: 2 ** 20 })],
    ["manifest-chunks", line.signed({ size: headSize as number })],
    ["manifest-version", line.signed({ version: 1 })],
    ["manifest-malformed", randomBytes(300)],
    // Signed for another purpose.
    ["manifest-signature", signMessage(link, HEARTBEAT_LABEL, ObjectManifest, line.facts)],
  ];
  const counted: Record<string, number> = {};
  for (const [reason, signed] of cases) {
    counted[reason] = (counted[reason] ?? 0) + 1;
    for (const bytes of line.manifest(signed)) await send(bytes);
    await eventually(() => picture().rejected).toEqual(counted);
  }
  expect(picture().objects).toBe(0);
  for (const bytes of line.manifest()) await send(bytes);
  await eventually(() => picture().objects).toBe(1);
  // A second one under the same number that tells something else is refused; said anew it is none.
  for (const bytes of line.manifest(line.signed({ headDigest: randomBytes(32) })))
    await send(bytes);
  for (const bytes of line.manifest(line.signed())) await send(bytes);
  const shard = (change: Partial<FrameHeader>, length: number): Promise<void> =>
    send(frame({ ...fields, ...change }, randomBytes(length)));
  const { size } = line.geometry;
  const fields = { type: FRAME_TYPE.DATA, objectId, k: 4, m: 2, objectSize: size };
  await shard({ objectSize: 9 }, 1408);
  await shard({ group: 1 }, 1408);
  await shard({}, 1407);
  await shard({ k: 5 }, 1408);
  await shard({ m: 3 }, 1408);
  await shard({ type: FRAME_TYPE.PARITY, shard: 4 }, 1407);
  await eventually(() => picture().rejected).toEqual({
    ...counted,
    "manifest-contradiction": 1,
    "group-shape": 4,
    shape: 2,
  });
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
  const sender = await startSender(at, relay.port, { secondPassMs: 100, rate: 6e6 });
  await at.inbox.until(1);
  expect(digestOf(at.inbox.bytesOf(bundle))).toBe(digestOf(at.sealed(bundle)));
  await eventually(() => at.outbox.acks.some((ack) => ack.finished)).toBe(true);
  expect(at.inbox.answers).toEqual(["accepted"]);
  await sender.close();
  await relay.close();
});
