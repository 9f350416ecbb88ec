/** Guarantee tested: what the sender does with a bundle over restarts, changes of the code and files that are not what was leased. */
import { createHash, randomBytes } from "node:crypto";
import { rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { decodeCanonical } from "@lightferry/proto/canonical";
import { GatewayError } from "@lightferry/proto/errors";
import { lightferry } from "@lightferry/proto/gen";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FLAG_PASS_END, FRAME_TYPE } from "../src/frame.ts";
import { SET_ID_BYTES } from "../src/manifest-parts.ts";
import { type Code, DEFAULT_CODE, epochOf, manifestFault } from "../src/object.ts";
import { TxJournal } from "../src/tx/journal.ts";
import { Sender } from "../src/tx/sender.ts";
import {
  directory,
  eventually,
  FROM,
  keys,
  LANE,
  linkOf,
  type Place,
  place,
  quiet,
  TO,
} from "./fixture.ts";
import { RecordingGate, type SentFrame } from "./tx-gate.ts";

const { Heartbeat, ObjectManifest, SignedMessage } = lightferry.ferry.v1;

let at: Place;
const open: Sender[] = [];
beforeEach(() => {
  at = place();
});
afterEach(async () => {
  for (const sender of open.splice(0)) await sender.close();
  at.remove();
});

async function start(
  gate: RecordingGate,
  code: Code = DEFAULT_CODE,
  secondPassMs = 60_000,
): Promise<Sender> {
  const sender = await Sender.start({
    lanes: [{ name: LANE, number: 0, weight: 1, outboxDir: at.outboxDir }],
    links: [{ number: 0, gate, rateBytesPerSecond: 1, frameSize: 1456 }],
    ...{ node: FROM, stateDir: at.txState },
    ...{ code, secondPassMs, signer: linkOf(keys.ferry) },
    ...{ keys: () => directory, outbox: at.outbox, events: at.txEvents, log: quiet },
    receiverOf: () => TO,
  });
  open.push(sender);
  return sender;
}

async function end(sender: Sender, gate: RecordingGate): Promise<void> {
  open.splice(open.indexOf(sender), 1);
  const closing = sender.close();
  gate.ring();
  await closing;
}

const shardsOf = ({ frames }: RecordingGate) =>
  frames.filter(({ type }) => type <= FRAME_TYPE.PARITY);

function manifestOf({ frames }: RecordingGate) {
  const part = frames.find(({ type }) => type === FRAME_TYPE.MANIFEST) as SentFrame;
  const bytes = part.payload.subarray(SET_ID_BYTES);
  return decodeCanonical(ObjectManifest, decodeCanonical(SignedMessage, bytes).payload);
}

test("the manifest says by what the bytes are known to be right, and no more is hashed", async () => {
  const bundle = await at.seal(randomBytes(900_000));
  const gate = new RecordingGate();
  await start(gate);
  at.outbox.put(bundle);
  await eventually(() => at.txEvents.of("bundle.emitted")).toHaveLength(1);
  const manifest = manifestOf(gate);
  expect(manifestFault(manifest, { sender: FROM, lane: LANE })).toBeUndefined();
  const bytes = at.sealed(bundle);
  const { headSize, chunkBytes } = manifest;
  expect(headSize).toBe(72 + bytes.readUInt32BE(4) + 32 * 4);
  expect(chunkBytes).toBe(256 * 1024 + 16);
  const sm3 = (part: Uint8Array) => createHash("sm3").update(part).digest();
  expect(Buffer.from(manifest.headDigest)).toEqual(sm3(bytes.subarray(0, headSize)));
  for (let chunk = 0; chunk < 4; chunk += 1) {
    const from = headSize + chunk * chunkBytes;
    const digest = sm3(Buffer.concat([Buffer.of(0), bytes.subarray(from, from + chunkBytes)]));
    expect(bytes.subarray(headSize - 32 * (4 - chunk)).subarray(0, 32)).toEqual(digest);
  }
  const data = shardsOf(gate).filter(({ type }) => type === FRAME_TYPE.DATA);
  data.sort((a, b) => a.group - b.group || a.shard - b.shard);
  expect(Buffer.concat(data.map(({ payload }) => payload)).equals(bytes)).toBe(true);
});

test("the heartbeat says what the sender was told of the link", async () => {
  const gate = new RecordingGate();
  await start(gate, { groupShards: 100, parityShards: 9 });
  await eventually(() => gate.frames.length).toBeGreaterThan(0);
  const [first] = gate.frames;
  const { payload } = decodeCanonical(SignedMessage, (first as SentFrame).payload);
  const lanes = [{ number: 0, lane: LANE }];
  const told = { lanes, frameSize: 1456, groupShards: 100, parityShards: 9 };
  expect(decodeCanonical(Heartbeat, payload).settings).toMatchObject(told);
});

test("a pass cut short begins again after a restart, as the same object in a new epoch", async () => {
  const bundle = await at.seal(randomBytes(3_000_000), "bulk");
  const first = new RecordingGate();
  first.limit = 20;
  const sender = await start(first);
  at.outbox.put(bundle);
  await eventually(() => shardsOf(first).length).toBeGreaterThan(500);
  const { passes, sent } = sender.status() as { passes: object[]; sent: object };
  const id = Buffer.from(bundle.bundleId ?? []).toString("hex");
  expect(passes).toEqual([
    { bundle: id, pass: 1, bytes: expect.any(Number), size: at.sealed(bundle).length },
  ]);
  expect(sent).toMatchObject({ parityShare: 0 });
  await end(sender, first);
  expect(first.frames.some(({ flags }) => (flags & FLAG_PASS_END) !== 0)).toBe(false);
  const second = new RecordingGate();
  const again = await start(second);
  await eventually(() => at.txEvents.of("bundle.emitted")).toHaveLength(1);
  const [cut, whole] = [shardsOf(first), shardsOf(second)];
  expect(whole[0]).toMatchObject({ group: 0, shard: 0, epoch: 2, objectId: cut[0]?.objectId });
  expect(epochOf(whole[0]?.objectId ?? 0)).toBe(1);
  const places = whole.map(({ group, shard }) => `${group} ${shard}`);
  expect(cut.map(({ group, shard }) => `${group} ${shard}`)).toEqual(places.slice(0, cut.length));
  expect(again.status()).toMatchObject({
    passes: [],
    coding: expect.stringMatching(/^(relaxed|simd|twin)/),
    sent: { parityShare: expect.closeTo(16 / 144, 2) },
  });
});

test("coded otherwise after a restart it is another object, in whichever pass", async () => {
  const bundle = await at.seal(randomBytes(40_000));
  const gates = [new RecordingGate(), new RecordingGate(), new RecordingGate()] as const;
  let sender = await start(gates[0]);
  at.outbox.put(bundle);
  await eventually(() => at.outbox.acks).toHaveLength(1);
  await end(sender, gates[0]);
  // As long as the settings stay it is the same, and its second pass is still to come.
  sender = await start(gates[1], DEFAULT_CODE, 0);
  await eventually(() => sender.status()).toMatchObject({ bundles: { finished: 1 } });
  expect(gates[1].frames.filter(({ objectId }) => objectId > 0).length).toBeGreaterThan(30);
  const [one, two] = [manifestOf(gates[0]), manifestOf(gates[1])];
  expect(two).toEqual(one);
  await end(sender, gates[1]);
  const other = await at.seal(randomBytes(40_000));
  const third = new RecordingGate();
  sender = await start(third);
  at.outbox.put(other);
  const last = () => Buffer.from(at.outbox.acks.at(-1)?.bundleId ?? []);
  await eventually(last).toEqual(Buffer.from(other.bundleId ?? []));
  await end(sender, third);
  sender = await start(gates[2], { groupShards: 10, parityShards: 2 }, 0);
  await eventually(() => sender.status()).toMatchObject({ bundles: { finished: 1 } });
  expect(manifestOf(gates[2])).toMatchObject({ epoch: 4, groupShards: 10, parityShards: 2 });
});

test("what is not what was leased is refused before a frame of it is sent, and named", async () => {
  const gate = new RecordingGate();
  await start(gate);
  const [gone, short, long, other] = [
    await at.seal(randomBytes(1_000)),
    await at.seal(randomBytes(1_000)),
    await at.seal(randomBytes(300_000)),
    await at.seal(randomBytes(1_000)),
  ];
  rmSync(join(at.outboxDir, gone.file ?? ""));
  truncateSync(join(at.outboxDir, short.file ?? ""), 700);
  truncateSync(join(at.outboxDir, long.file ?? ""), 200_000);
  at.outbox.put(gone);
  at.outbox.put(short);
  at.outbox.put(long);
  at.outbox.put({ ...other, sequence: 999_999 });
  at.outbox.put({ ...other, bundleId: randomBytes(16), file: "../../etc/passwd" });
  await eventually(() => at.outbox.acks).toHaveLength(5);
  expect(at.outbox.acks.map(({ refuseCode }) => refuseCode).sort()).toEqual([
    "bundle.truncated",
    "bundle.truncated",
    "ferry.file-invalid",
    "ferry.file-invalid",
    "ferry.file-invalid",
  ]);
  expect(gate.frames.every(({ type }) => type === FRAME_TYPE.HEARTBEAT)).toBe(true);
});

test("a file that ends while it is sent is refused, and nothing of it stays in memory", async () => {
  const bundle = await at.seal(randomBytes(4_000_000), "bulk");
  const gate = new RecordingGate();
  gate.limit = 5;
  // Blocks of 0.7 MB: most of the file is still to be read.
  const sender = await start(gate, { groupShards: 8, parityShards: 2 });
  at.outbox.put(bundle);
  await eventually(() => shardsOf(gate).length).toBeGreaterThan(100);
  truncateSync(join(at.outboxDir, bundle.file ?? ""), 2_000_000);
  gate.limit = Number.POSITIVE_INFINITY;
  gate.ring();
  await eventually(() => at.outbox.acks.map(({ refuseCode }) => refuseCode)).toEqual([
    "ferry.file-invalid",
  ]);
  expect(at.txEvents.of("bundle.refused")).toMatchObject([{ code: "ferry.file-invalid" }]);
  expect(sender.status()).toMatchObject({ passes: [], memory: { used: 0 } });
});

test("a lease lost and given to the same ferry again is a new one, also while the old one is being written off", async () => {
  const written = Promise.withResolvers<void>();
  const { done } = TxJournal.prototype;
  const writingOff = vi.spyOn(TxJournal.prototype, "done").mockImplementationOnce(async function (
    this: TxJournal,
    bundleId,
  ) {
    const line = done.call(this, bundleId);
    await written.promise;
    await line;
  });
  const { ack } = at.outbox;
  at.outbox.ack = async (request) => {
    if (request.leaseId === "lease-1") throw new GatewayError("outbox.lease-lost");
    return await ack(request);
  };
  const bundle = await at.seal(randomBytes(40_000));
  const sender = await start(new RecordingGate());
  try {
    at.outbox.put(bundle);
    await eventually(() => writingOff.mock.calls.length).toBe(1);
    // What the outbox has to give it gives to whoever asks: here there is one ferry.
    at.outbox.put(bundle);
    await eventually(() => at.outbox.acks).toMatchObject([{ leaseId: "lease-2", passesDone: 1 }]);
    written.resolve();
    await writingOff.mock.results[0]?.value;
    await new Promise((resolve) => setImmediate(resolve));
    // The new one waits for its second pass.
    expect(sender.status()).toMatchObject({ bundles: { held: 1, emitted: 2, takenOver: 1 } });
  } finally {
    written.resolve();
    writingOff.mockRestore();
  }
});
