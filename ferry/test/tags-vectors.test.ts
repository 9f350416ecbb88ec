/** Guarantee tested: link keys, tags and TAGS frames are, byte for byte, as ferry/vectors/tags.json says, and what it refuses is refused. */
import { createHash } from "node:crypto";
import { decodeCanonical } from "@lightferry/proto/canonical";
import { asGatewayError } from "@lightferry/proto/errors";
import { lightferry } from "@lightferry/proto/gen";
import { unwrapLinkKey, wrapLinkKey } from "@lightferry/proto/link-key";
import { expect, it } from "vitest";
import {
  decodeFrame,
  emptyHeader,
  encodeFrame,
  FRAME_HEADER,
  FRAME_TYPE,
  type FrameHeader,
} from "../src/frame.ts";
import { Chunks } from "../src/object.ts";
import {
  isTagged,
  MIN_TAGGED_CHUNK,
  readTags,
  SET_BYTES,
  TAG_BYTES,
  tagKey,
  tagNonce,
  tagOf,
} from "../src/tags.ts";
import { hex, provider, unhex } from "./gate-vectors.ts";
import {
  chunkContent,
  type EncryptionKey,
  payloadOf,
  type TagVector,
  tagVectors,
} from "./tags-vectors.ts";

const { Heartbeat, SignedMessage, WrappedLinkKey } = lightferry.ferry.v1;

const secretOf = (name: string): Buffer => unhex(tagVectors.secrets[name] as string);

/** In three parts, of which some may be empty: a chunk lies in as many pieces as its shards came in. */
function tagOfVector(
  { secret, objectId, set, chunk, bytes, start }: TagVector,
  cut: number,
): string {
  const key = tagKey(provider, secretOf(secret), objectId);
  const data = chunkContent(bytes, start);
  const parts = [data.subarray(0, cut), data.subarray(cut, 2 * cut), data.subarray(2 * cut)];
  return hex(tagOf(provider, key, set, chunk, ...parts));
}

/** What it gives under the node's key, or the code of the refusal. */
function opened(keyId: string, wrapped: string): string {
  const held = tagVectors.encryptionKeys[keyId];
  if (held === undefined) return "link-key.unknown-key";
  try {
    return hex(unwrapLinkKey(provider, provider.importSm2(unhex(held.scalar)), unhex(wrapped)));
  } catch (error) {
    return asGatewayError(error).code;
  }
}

it.each(tagVectors.linkKeys)("link key: $name", (vector) => {
  const { keyId, secret, plaintext, wrapped, message, heartbeat } = vector;
  expect(opened(keyId, wrapped)).toBe(secret);
  const { scalar, publicKey } = tagVectors.encryptionKeys[keyId] as EncryptionKey;
  const own = wrapLinkKey(provider, provider.checkPublicKey(unhex(publicKey)), unhex(secret));
  expect(hex(provider.sm2Decrypt(provider.importSm2(unhex(scalar)), own))).toBe(plaintext);
  const told = decodeCanonical(WrappedLinkKey, unhex(message));
  expect([told.keyId, hex(told.wrapped)]).toEqual([keyId, wrapped]);
  const { payload } = decodeCanonical(SignedMessage, unhex(heartbeat));
  const { linkKey } = decodeCanonical(Heartbeat, payload);
  expect([linkKey?.keyId, hex(linkKey?.wrapped as Uint8Array)]).toEqual([keyId, wrapped]);
});

it("opens no link key that the vectors refuse, whatever lies under SM2", () => {
  for (const { reason, name, keyId, wrapped, plaintext } of tagVectors.linkKeysRefused) {
    expect(opened(keyId, wrapped), name).toBe(reason);
    if (plaintext === undefined) continue;
    // It is the content that is refused, not the cipher around it.
    const key = provider.importSm2(unhex(tagVectors.encryptionKeys[keyId]?.scalar as string));
    expect(hex(provider.sm2Decrypt(key, unhex(wrapped))), name).toBe(plaintext);
  }
});

it("derives the keys and nonces of the vectors", () => {
  for (const { secret, objectId, key } of tagVectors.keys) {
    expect(hex(tagKey(provider, secretOf(secret), objectId)), `${secret} ${objectId}`).toBe(key);
  }
  for (const { set, chunk, nonce } of tagVectors.nonces) {
    expect(hex(tagNonce(set, chunk)), `${set} ${chunk}`).toBe(nonce);
  }
  const all = [
    ...tagVectors.keys.map(({ key }) => key),
    ...tagVectors.nonces.map((of) => of.nonce),
  ];
  expect(new Set(all).size).toBe(all.length);
});

it("tags chunks as the vectors say, however many pieces they lie in", () => {
  for (const vector of tagVectors.tags) {
    const { name, bytes, start, data, tag } = vector;
    if (data !== undefined) expect(hex(chunkContent(bytes, start)), name).toBe(data);
    for (const cut of [0, 1, Math.floor(bytes / 3)]) {
      expect(tagOfVector(vector, cut), `${name}, cut at ${cut}`).toBe(tag);
    }
  }
  expect(new Set(tagVectors.tags.map(({ tag }) => tag)).size).toBe(tagVectors.tags.length);
});

it("tags those objects that the vectors say", () => {
  for (const { size, chunkBytes, tagged } of tagVectors.tagged) {
    expect(isTagged(size, chunkBytes), `${size} ${chunkBytes}`).toBe(tagged);
  }
  expect(MIN_TAGGED_CHUNK).toBe(65_552);
});

it.each(tagVectors.frames)("frame: $name", (vector) => {
  const { size, headSize, chunkBytes, chunks, fields, set, count, tags, frame, sha256 } = vector;
  const payload = payloadOf(vector);
  const header: FrameHeader = { ...fields, type: FRAME_TYPE.TAGS };
  const out = new Uint8Array(FRAME_HEADER + payload.length);
  out.set(payload, FRAME_HEADER);
  expect(encodeFrame(out, 0, header, payload.length)).toBe(out.length);
  if (frame === undefined) expect(createHash("sha256").update(out).digest("hex")).toBe(sha256);
  else expect(hex(out)).toBe(frame);
  const back = emptyHeader();
  expect(decodeFrame(out, back)).toBeUndefined();
  expect(back).toEqual(fields);
  const cut = new Chunks(size, headSize, chunkBytes);
  expect(cut.count).toBe(chunks);
  const read = readTags(out.subarray(FRAME_HEADER), back.group, chunks);
  expect(read?.set).toBe(set);
  expect(hex(read?.tags as Uint8Array)).toBe(hex(payload.subarray(SET_BYTES)));
  expect(read?.tags.length).toBe(count * TAG_BYTES);
  const key = tagKey(provider, secretOf("first"), back.objectId);
  for (const [n, tag] of (tags ?? []).entries()) {
    const chunk = back.group + n;
    const content = chunkContent(cut.length(chunk), chunk & 255);
    expect(hex(tagOf(provider, key, set, chunk, content)), `chunk ${chunk}`).toBe(tag);
  }
});

it("refuses frames that the vectors refuse, each by the first check that it fails", () => {
  for (const { reason, name, datagram } of tagVectors.refusedFrames) {
    expect(decodeFrame(unhex(datagram), emptyHeader()), name).toBe(reason);
  }
});

it("refuses payloads that the vectors refuse, and the nearest that are good are not", () => {
  for (const { name, payload, first, chunks } of tagVectors.refusedPayloads) {
    expect(readTags(unhex(payload), first, chunks), name).toBeUndefined();
  }
  const { payload, chunks } = tagVectors.refusedPayloads.find(
    ({ name }) => name === "2 from chunk 20",
  ) as { payload: string; chunks: number };
  expect(readTags(unhex(payload), chunks - 2, chunks)).toMatchObject({ set: 1 });
});
