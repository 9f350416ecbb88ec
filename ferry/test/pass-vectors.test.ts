/** Guarantee tested: every frame of a pass is, byte for byte, that of ferry/vectors/gate.json, and the receiving half makes the object of them. */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeCanonical } from "@lightferry/proto/canonical";
import { lightferry } from "@lightferry/proto/gen";
import { afterEach, beforeEach, expect, it } from "vitest";
import { encodeFrame, FRAME_HEADER, FRAME_TYPE } from "../src/frame.ts";
import { Chunks, Geometry } from "../src/object.ts";
import { BundleFile } from "../src/tx/bundle-file.ts";
import { Encoding } from "../src/tx/encoding.ts";
import { ShardMemory } from "../src/tx/memory.ts";
import { Pass } from "../src/tx/pass.ts";
import { ObjectSource } from "../src/tx/source.ts";
import { type PassVector, provider, unhex, vectors } from "./gate-vectors.ts";
import { type SentFrame, sentAlone } from "./tx-gate.ts";

const { ObjectManifest, SignedMessage } = lightferry.ferry.v1;

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "lf-vectors-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

const sha256 = (...pieces: readonly Uint8Array[]): string => {
  const hash = createHash("sha256");
  for (const piece of pieces) hash.update(piece);
  return hash.digest("hex");
};

/** The object of a vector, by the formula in the file. */
function contentOf({ size, headSize, chunkBytes }: PassVector): Buffer {
  const bytes = Buffer.alloc(size);
  for (let n = 0; n < size; n += 1) bytes[n] = 31 * n + 17 * (n >> 8) + 7;
  const chunks = new Chunks(size, headSize, chunkBytes);
  for (let chunk = 0; chunk < chunks.count; chunk += 1) {
    const start = chunks.start(chunk);
    const content = bytes.subarray(start, start + chunks.length(chunk));
    bytes.set(provider.sm3(Uint8Array.of(0), content), chunks.digestAt(chunk));
  }
  return bytes;
}

/** The pass as our sending half makes it; only the signature, which has a random part, is that of the vector. */
async function passOf(vector: PassVector, bytes: Uint8Array): Promise<SentFrame[]> {
  const { payload, keyId, signature } = decodeCanonical(SignedMessage, unhex(vector.manifest));
  const stated = decodeCanonical(ObjectManifest, payload);
  const path = join(dir, "object");
  writeFileSync(path, bytes);
  const { frameSize, groupShards, parityShards } = vector;
  const shardSize = frameSize - FRAME_HEADER;
  const code = { groupShards, parityShards };
  const { sender, lane, objectId, bundleId, headerDigest } = stated;
  const headDigest = provider.sm3(bytes.subarray(0, vector.headSize));
  const facts = {
    ...{ sender, lane, objectId, bundleId, headerDigest },
    geometry: new Geometry(vector.size, shardSize, code),
    proof: { headSize: vector.headSize, headDigest, chunkBytes: vector.chunkBytes },
  };
  const key = { key: provider.generateSm2(), keyId };
  const signs = Object.create(provider, { sm2Sign: { value: () => signature } });
  const signer = { provider: signs, active: () => key, chain: () => [] };
  const file = await BundleFile.open(path);
  const memory = new ShardMemory(shardSize, code);
  const kind = { channel: vector.channel, serviceClass: 1, repeat: vector.repeat };
  const context = { epoch: vector.epoch, frameSize, signer, memory, wake: () => undefined };
  const pass = new Pass(new ObjectSource(facts, file, new Encoding()), kind, context);
  const frames = await sentAlone(pass, frameSize, vector.seq);
  await file.close();
  return frames;
}

function bytesOf(frame: SentFrame): Uint8Array {
  const out = new Uint8Array(FRAME_HEADER + frame.payload.length);
  out.set(frame.payload, FRAME_HEADER);
  encodeFrame(out, 0, frame, frame.payload.length);
  return out;
}

it.each(vectors.passes)("pass: $name", async (vector) => {
  const bytes = contentOf(vector);
  expect(sha256(bytes)).toBe(vector.dataSha256);
  const frames = await passOf(vector, bytes);
  expect(frames.length).toBe(vector.frames);
  const order = frames
    .filter(({ type }) => type !== FRAME_TYPE.MANIFEST)
    .map(({ group, shard }) => `${group}.${shard}`);
  expect(order.slice(0, vector.orderBegins.length)).toEqual(vector.orderBegins);
  expect(sha256(Buffer.from(order.join(" ")))).toBe(vector.orderSha256);
  const datagrams = frames.map(bytesOf);
  for (const [index, frame] of (vector.list ?? []).entries()) {
    expect(Buffer.from(datagrams[index] ?? []).toString("hex"), `frame ${index}`).toBe(frame);
  }
  expect(sha256(...datagrams)).toBe(vector.sha256);
});
