/** Guarantee: refusals of SPEC §8.1: nothing here needs a key to be refused. */
import { CHUNK, DAY, type Forgery, NOW } from "../forge.ts";
import { type Case, chunked, flip, record } from "./case.ts";

type HeaderChange = NonNullable<Forgery["header"]>;

/** The file cut off at a place told by the marks. */
const cut = (
  name: string,
  at: (m: { signatureAt: number; tableAt: number; chunksAt: number; length: number }) => number,
): Case => ({
  name: `truncated-${name}`,
  changed: `the file ends ${name.replaceAll("-", " ")}`,
  forgery: {
    items: chunked,
    file: (bytes, marks) => bytes.subarray(0, at({ ...marks, length: bytes.length })),
  },
  code: "bundle.truncated",
});

const field = (name: string, changed: string, header: HeaderChange): Case => ({
  name: `header-${name}`,
  changed,
  forgery: { items: [record], header },
  code: "bundle.header-invalid",
});

const encoding = (
  name: string,
  changed: string,
  headerBytes: (bytes: Buffer) => Buffer,
  code = "bundle.not-canonical",
): Case => ({
  name,
  changed,
  forgery: { items: [record], headerBytes },
  code,
});

const oversize = (name: string, changed: string, length: number): Case => ({
  name,
  changed,
  forgery: {
    items: [record],
    file: (bytes) => {
      const out = Buffer.from(bytes);
      out.writeUInt32BE(length, 4);
      return out;
    },
  },
  code: "bundle.header-too-large",
});

const anyDigest = Buffer.alloc(32, 7);

export const FORM: readonly Case[] = [
  cut("before-the-first-byte", () => 0),
  cut("inside-the-magic", () => 3),
  cut("inside-the-length", () => 6),
  cut("inside-the-header", () => 100),
  cut("inside-the-signature", ({ signatureAt }) => signatureAt + 63),
  cut("inside-the-table", ({ tableAt }) => tableAt + 33),
  cut("before-the-chunks", ({ chunksAt }) => chunksAt),
  cut("inside-a-chunk", ({ chunksAt }) => chunksAt + CHUNK + 100),
  cut("before-the-last-chunk", ({ chunksAt }) => chunksAt + 2 * (CHUNK + 16)),
  cut("inside-the-last-tag", ({ length }) => length - 1),
  {
    name: "flipped-magic",
    changed: "one bit of the magic",
    forgery: { items: [record], file: (bytes) => flip(bytes, 3) },
    code: "bundle.not-a-bundle",
  },
  {
    name: "trailing-byte",
    changed: "one byte after the end",
    forgery: { items: [record], file: (bytes) => Buffer.concat([bytes, Buffer.of(0)]) },
    code: "bundle.trailing-bytes",
  },
  {
    name: "trailing-chunk",
    changed: "the last chunk is there twice",
    forgery: { items: chunked, sealedChunks: (chunks) => [...chunks, ...chunks.slice(-1)] },
    code: "bundle.trailing-bytes",
  },
  oversize("oversize-header-by-one", "header length 1 MiB and one byte", 2 ** 20 + 1),
  oversize("oversize-header-most", "header length 2^32 - 1", 2 ** 32 - 1),
  encoding(
    "malformed-header",
    "the header ends inside a field",
    (bytes) => bytes.subarray(0, -1),
    "bundle.header-malformed",
  ),
  encoding(
    "malformed-group",
    "the header ends with an unclosed group",
    (bytes) => Buffer.concat([bytes, Buffer.of(0xdb, 0x01)]),
    "bundle.header-malformed",
  ),
  encoding(
    "malformed-utf8",
    "the lane's name is not UTF-8",
    (bytes) => {
      const out = Buffer.from(bytes);
      out[out.indexOf("inbound")] = 0xff;
      return out;
    },
    "bundle.header-malformed",
  ),
  encoding(
    "version-0",
    "version 0, by default not written",
    (bytes) => bytes.subarray(2),
    "bundle.version-unsupported",
  ),
  encoding(
    "version-2",
    "version 2",
    (bytes) => Buffer.concat([Buffer.of(0x08, 2), bytes.subarray(2)]),
    "bundle.version-unsupported",
  ),
  encoding(
    "version-2-unknown-field",
    "version 2 with a field that version 1 does not know",
    (bytes) => Buffer.concat([Buffer.of(0x08, 2), bytes.subarray(2), Buffer.of(0xd8, 0x06, 1)]),
    "bundle.version-unsupported",
  ),
  encoding(
    "version-missing-header-empty",
    "a header of 0 bytes",
    () => Buffer.alloc(0),
    "bundle.version-unsupported",
  ),
  encoding("non-canonical-unknown-field", "field 107 is added", (bytes) =>
    Buffer.concat([bytes, Buffer.of(0xd8, 0x06, 1)]),
  ),
  {
    name: "non-canonical-default-written",
    changed: "policy_version is written although empty",
    forgery: {
      items: [record],
      early: { policyVersion: "" },
      headerBytes: (bytes) => Buffer.concat([bytes, Buffer.of(0xaa, 0x01, 0x00)]),
    },
    code: "bundle.not-canonical",
  },
  encoding("non-canonical-order", "version is written last", (bytes) =>
    Buffer.concat([bytes.subarray(2), bytes.subarray(0, 2)]),
  ),
  encoding("non-canonical-repeated-field", "version is written twice", (bytes) =>
    Buffer.concat([bytes.subarray(0, 2), bytes]),
  ),
  encoding("non-canonical-long-varint", "version 1 in two bytes", (bytes) =>
    Buffer.concat([Buffer.of(0x08, 0x81, 0x00), bytes.subarray(2)]),
  ),
  encoding(
    "non-canonical-wire-type",
    "version as a fixed 32-bit number beside the varint",
    (bytes) =>
      Buffer.concat([bytes.subarray(0, 2), Buffer.of(0x0d, 1, 0, 0, 0), bytes.subarray(2)]),
  ),
  field("bundle-id-short", "bundle_id of 15 bytes", (h) => {
    h.bundleId = Buffer.alloc(15, 1);
  }),
  field("bundle-id-not-v7", "bundle_id is a UUIDv4", (h) => {
    h.bundleId = Buffer.from("f47ac10b58cc4372a5670e02b2c3d479", "hex");
  }),
  field("lane-name", "lane with a capital letter", (h) => {
    h.lane = "Inbound";
    h.stream = "Inbound/node-extranet/normal";
  }),
  field("lane-too-long", "lane of 64 characters", (h) => {
    h.lane = "a".repeat(64);
    h.stream = `${h.lane}/node-extranet/normal`;
  }),
  field("sender-missing", "no sender", (h) => {
    h.sender = "";
  }),
  field("sign-key-id", "sign_key_id in capitals", (h) => {
    h.signKeyId = (h.signKeyId ?? "").replace(/^../, "AB");
  }),
  field("stream-of-another-lane", "the stream belongs to another lane", (h) => {
    h.stream = "outbound/node-extranet/normal";
  }),
  field("stream-without-priority", "the stream has no priority", (h) => {
    h.stream = "inbound/node-extranet/";
  }),
  field("sequence-0", "sequence 0", (h) => {
    h.sequence = 0;
  }),
  field("sequence-2-53", "sequence 2^53", (h) => {
    h.sequence = 2 ** 53;
  }),
  field("previous-for-first", "sequence 1 with a predecessor", (h) => {
    h.previousDigest = anyDigest;
  }),
  field("no-previous-for-second", "sequence 2 without a predecessor", (h) => {
    h.sequence = 2;
  }),
  field("created-missing", "no created_ms", (h) => {
    h.createdMs = 0;
  }),
  field("expires-before-created", "expires_ms = created_ms", (h) => {
    h.expiresMs = NOW;
  }),
  field("lifetime", "expires 367 days after it was created", (h) => {
    h.expiresMs = NOW + 367 * DAY;
  }),
  field("grade-unknown", "grade G5", (h) => {
    h.grade = "G5";
  }),
  field("grade-secret", "a mark of state secrecy in the place of the grade", (h) => {
    h.grade = "SECRET_3";
  }),
  field("chunk-size-odd", "chunk_size 5,000", (h) => {
    h.chunkSize = 5000;
  }),
  field("chunk-size-small", "chunk_size 2 KiB", (h) => {
    h.chunkSize = 2048;
  }),
  field("chunk-size-large", "chunk_size 512 KiB", (h) => {
    h.chunkSize = 2 ** 19;
  }),
  field("chunk-count-0", "chunk_count 0", (h) => {
    h.chunkCount = 0;
  }),
  field("chunk-count-too-large", "chunk_count 2^20 + 1 with a fitting size", (h) => {
    h.chunkCount = 2 ** 20 + 1;
    h.plaintextSize = CHUNK * (2 ** 20 + 1);
  }),
  field("chunk-count-wrong", "one chunk more than the size needs", (h) => {
    h.chunkCount = 2;
  }),
  field("plaintext-size-4", "plaintext of 4 bytes", (h) => {
    h.plaintextSize = 4;
  }),
  field("ciphertext-root-short", "ciphertext_root of 31 bytes", (h) => {
    h.ciphertextRoot = Buffer.alloc(31, 1);
  }),
  field("key-commitment-missing", "no key_commitment", (h) => {
    h.keyCommitment = Buffer.alloc(0);
  }),
  field("no-recipients", "no recipients", (h) => {
    h.recipients = [];
  }),
  field("recipient-twice", "one recipient twice", (h) => {
    h.recipients = [...(h.recipients ?? []), ...(h.recipients ?? [])];
  }),
  field("recipients-unordered", "recipients in descending order", (h) => {
    h.recipients = [...(h.recipients ?? []), { ...h.recipients?.[0], nodeId: "node-a" }];
  }),
  field("recipients-too-many", "17 recipients", (h) => {
    h.recipients = Array.from({ length: 17 }, (_, n) => ({
      ...h.recipients?.[0],
      nodeId: `node-${n + 10}`,
    }));
  }),
  field("wrapped-secret-too-large", "wrapped_secret of 257 bytes", (h) => {
    h.recipients = [{ ...h.recipients?.[0], wrappedSecret: Buffer.alloc(257, 1) }];
  }),
  field("no-items", "no items", (h) => {
    h.items = [];
    h.verdictBatches = [];
  }),
  field("batch-unused", "a verdict batch that no item uses", (h) => {
    h.verdictBatches = [...(h.verdictBatches ?? []), ...(h.verdictBatches ?? [])];
  }),
  field("batch-out-of-range", "an item names batch 1 of 1", (h) => {
    h.items = (h.items ?? []).map((item) => ({ ...item, batch: 1 }));
  }),
  field("path-too-long", "a path of 11 hashes", (h) => {
    h.items = (h.items ?? []).map((item) => ({
      ...item,
      path: Array.from({ length: 11 }, () => anyDigest),
    }));
  }),
  field("path-hash-short", "a path hash of 31 bytes", (h) => {
    h.items = (h.items ?? []).map((item) => ({ ...item, path: [Buffer.alloc(31, 1)] }));
  }),
  field("verdict-too-large", "a verdict of 8,193 bytes", (h) => {
    h.items = (h.items ?? []).map((item) => ({ ...item, verdict: Buffer.alloc(8193, 1) }));
  }),
  field("policy-version-too-long", "policy_version of 129 characters", (h) => {
    h.policyVersion = "v".repeat(129);
  }),
  field("checkpoint-empty", "a checkpoint without a note", (h) => {
    h.checkpoint = {};
  }),
  {
    name: "plaintext-size-larger-than-file",
    changed: "the signed header claims more chunks than the file has",
    forgery: {
      items: [record],
      header: (h) => {
        h.chunkCount = 2 ** 20;
        h.plaintextSize = CHUNK * 2 ** 20;
      },
    },
    code: "bundle.truncated",
  },
];
