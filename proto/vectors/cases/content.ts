/** Guarantee: refusals of SPEC §8.3 and §8.4: a signed, permitted bundle whose inside is wrong. */
import { CHUNK, type ForgedItem, type Forgery, nonceOf } from "../forge.ts";
import { type Case, chunked, file, filler, flip, record, second } from "./case.ts";

const whole = (name: string, changed: string, forgery: Partial<Forgery>, code: string): Case => ({
  name,
  changed,
  forgery: { items: [record, second], ...forgery },
  code,
});

const entry = (name: string, changed: string, fields: NonNullable<ForgedItem["entry"]>): Case => ({
  name: `entry-${name}`,
  changed,
  forgery: { items: [{ ...record, entry: fields }] },
  code: "bundle.manifest-invalid",
});

const fileName = (name: string, changed: string, value: string): Case =>
  entry(name, changed, { ...file.entry, file: { name: value } });

const http = (name: string, changed: string, fields: object): Case =>
  entry(name, changed, { http: { method: "POST", path: "/records", ...fields } });

/** Contents that put the first item into chunk 0, the second into 0–2, the third into 2. */
const spread = chunked;
/** Content behind two full chunks, so that the manifest stays good. */
const swap = (chunks: Buffer[], a: number, b: number) =>
  chunks.map(
    (chunk, index) => (index === a ? chunks[b] : index === b ? chunks[a] : chunk) ?? chunk,
  );
/** Four chunks: 1 and 2 lie wholly inside the second item. */
const long: readonly ForgedItem[] = [record, filler(3 * CHUNK, 6), second];

export const CONTENT: readonly Case[] = [
  whole(
    "wrapped-secret-garbage",
    "wrapped_secret is not an SM2Cipher",
    {
      header: (h) => {
        h.recipients = (h.recipients ?? []).map((r) => ({
          ...r,
          wrappedSecret: Buffer.alloc(120, 1),
        }));
      },
    },
    "bundle.secret-unwrap-failed",
  ),
  whole(
    "wrapped-secret-flipped",
    "one bit of wrapped_secret",
    {
      header: (h) => {
        h.recipients = (h.recipients ?? []).map((r) => {
          const bytes = Buffer.from(r.wrappedSecret ?? []);
          const at = bytes.length - 1;
          bytes[at] = (bytes[at] ?? 0) ^ 1;
          return { ...r, wrappedSecret: bytes };
        });
      },
    },
    "bundle.secret-unwrap-failed",
  ),
  whole(
    "wrapped-secret-short",
    "a secret of 31 bytes",
    { wrapped: Buffer.alloc(31, 1) },
    "bundle.secret-unwrap-failed",
  ),
  whole(
    "key-commitment-other-secret",
    "another secret is wrapped than the one committed to",
    { wrapped: Buffer.alloc(32, 1) },
    "bundle.key-commitment",
  ),
  whole(
    "key-commitment-wrong",
    "the sender signed another key commitment",
    {
      header: (h) => {
        h.keyCommitment = Buffer.alloc(32, 1);
      },
    },
    "bundle.key-commitment",
  ),
  {
    name: "flipped-chunk-of-manifest",
    changed: "one bit in the chunk that holds the manifest",
    forgery: { items: [record], file: (bytes, { chunksAt }) => flip(bytes, chunksAt + 3) },
    code: "bundle.chunk-digest",
  },
  {
    name: "flipped-tag",
    changed: "one bit of the only chunk's tag",
    forgery: { items: [record], file: (bytes) => flip(bytes, bytes.length - 1) },
    code: "bundle.chunk-digest",
  },
  {
    name: "flipped-chunk-of-one-item",
    changed: "one bit in a chunk that only the second item uses",
    forgery: {
      items: long,
      file: (bytes, { chunksAt }) => flip(bytes, chunksAt + 2 * (CHUNK + 16) + 9),
    },
    itemCodes: [undefined, "bundle.chunk-digest", undefined],
  },
  {
    name: "chunks-reordered",
    changed: "chunks 1 and 2 change places after signing",
    forgery: { items: long, sealedChunks: (chunks) => swap(chunks, 1, 2) },
    itemCodes: [undefined, "bundle.chunk-digest", undefined],
  },
  {
    name: "chunks-reordered-by-sender",
    changed: "chunks 1 and 2 change places before they are hashed and signed",
    forgery: { items: long, chunks: (chunks) => swap(chunks, 1, 2) },
    itemCodes: [undefined, "bundle.chunk-decrypt", undefined],
  },
  {
    name: "chunk-duplicated-by-sender",
    changed: "chunk 2 is a copy of chunk 1, hashed and signed",
    forgery: {
      items: long,
      chunks: (chunks) =>
        chunks.map((chunk, index) => (index === 2 ? (chunks[1] ?? chunk) : chunk)),
    },
    itemCodes: [undefined, "bundle.chunk-decrypt", undefined],
  },
  {
    name: "last-chunk-dropped-by-sender",
    changed:
      "the last chunk is left out, header and table agree: chunk 2 is then last without its flag, and sizes do not add up",
    forgery: {
      items: spread,
      chunks: (chunks) => chunks.slice(0, -1),
      header: (h) => {
        h.plaintextSize = 2 * CHUNK;
      },
    },
    code: "bundle.manifest-invalid",
  },
  {
    name: "only-chunk-without-last-flag",
    changed: "the only chunk is sealed without the last-chunk flag",
    forgery: { items: [record], nonce: (index) => nonceOf(index, false) },
    code: "bundle.chunk-decrypt",
  },
  {
    name: "last-flag-missing",
    changed: "the last chunk is sealed without its flag",
    forgery: { items: long, nonce: (index) => nonceOf(index, false) },
    itemCodes: [undefined, "bundle.chunk-decrypt", "bundle.chunk-decrypt"],
  },
  {
    name: "last-flag-early",
    changed: "chunk 1 carries the last-chunk flag as well",
    forgery: {
      items: long,
      nonce: (index, count) => nonceOf(index, index === 1 || index === count - 1),
    },
    itemCodes: [undefined, "bundle.chunk-decrypt", undefined],
  },
  whole(
    "preamble-other-lane",
    "chunks are bound to another lane",
    { aad: { lane: "outbound" } },
    "bundle.chunk-decrypt",
  ),
  whole(
    "preamble-other-recipients",
    "chunks are bound to other recipients",
    { aad: { recipients: [] } },
    "bundle.chunk-decrypt",
  ),
  whole("manifest-length-0", "manifest length 0", { manifestLength: 0 }, "bundle.manifest-invalid"),
  whole(
    "manifest-length-beyond-end",
    "manifest length beyond the plaintext",
    { manifestLength: 4096 },
    "bundle.manifest-invalid",
  ),
  whole(
    "manifest-length-most",
    "manifest length 2^32 - 1",
    { manifestLength: 2 ** 32 - 1 },
    "bundle.manifest-invalid",
  ),
  whole(
    "manifest-malformed",
    "the manifest is cut inside a field",
    { manifestBytes: (bytes) => bytes.subarray(0, -1) },
    "bundle.manifest-invalid",
  ),
  whole(
    "manifest-unknown-field",
    "the manifest has a field 7",
    { manifestBytes: (bytes) => Buffer.concat([bytes, Buffer.of(0x38, 1)]) },
    "bundle.not-canonical",
  ),
  whole(
    "manifest-entry-missing",
    "the manifest has one entry for two items",
    {
      manifest: (m) => {
        m.items = (m.items ?? []).slice(0, 1);
      },
    },
    "bundle.manifest-invalid",
  ),
  whole(
    "manifest-salt-short",
    "a salt of 31 bytes",
    {
      manifest: (m) => {
        m.items = (m.items ?? []).map((item) => ({ ...item, salt: Buffer.alloc(31, 1) }));
      },
    },
    "bundle.manifest-invalid",
  ),
  whole(
    "manifest-trail-too-long",
    "65 trail events",
    {
      manifest: (m) => {
        m.items = (m.items ?? []).map((item) => ({
          ...item,
          trail: Array.from({ length: 65 }, () => Buffer.of(1)),
        }));
      },
    },
    "bundle.manifest-invalid",
  ),
  whole(
    "manifest-trail-event-empty",
    "an empty trail event",
    {
      manifest: (m) => {
        m.items = (m.items ?? []).map((item) => ({ ...item, trail: [Buffer.alloc(0)] }));
      },
    },
    "bundle.manifest-invalid",
  ),
  whole(
    "commitment-other-salt",
    "another salt than the one committed to",
    {
      manifest: (m) => {
        m.items = (m.items ?? []).map((item) => ({ ...item, salt: Buffer.alloc(32, 1) }));
      },
    },
    "bundle.commitment-mismatch",
  ),
  whole(
    "commitment-entries-swapped",
    "the two entries change places",
    {
      manifest: (m) => {
        m.items = [...(m.items ?? [])].reverse();
      },
    },
    "bundle.commitment-mismatch",
  ),
  {
    name: "exchange-twice",
    changed: "two items carry one exchange id",
    forgery: {
      items: [
        {
          ...record,
          entry: { exchangeId: Buffer.from("019bbf5c000070008000000000000009", "hex") },
        },
        {
          ...second,
          entry: { exchangeId: Buffer.from("019bbf5c000070008000000000000009", "hex") },
        },
      ],
    },
    code: "bundle.duplicate-item",
  },
  {
    name: "entry-not-canonical",
    changed: "an entry with an unknown field",
    forgery: {
      items: [
        { ...record, entryBytes: (bytes) => Buffer.concat([bytes, Buffer.of(0xd8, 0x06, 1)]) },
      ],
    },
    code: "bundle.not-canonical",
  },
  {
    name: "entry-malformed",
    changed: "an entry that ends inside a field",
    forgery: { items: [{ ...record, entryBytes: (bytes) => bytes.subarray(0, -1) }] },
    code: "bundle.manifest-invalid",
  },
  {
    name: "entry-grade-not-verdicts",
    changed: "entry of G1 under a verdict of G2",
    forgery: {
      items: [{ ...record, entry: { grade: "G1" }, verdict: { grade: "G2" } }],
      early: { grade: "G2" },
    },
    code: "bundle.manifest-invalid",
  },
  entry("kind-unknown", "an item of kind layer", { kind: "layer" }),
  entry("kind-file-with-http", "kind file with an HTTP request", { kind: "file" }),
  entry("both-targets", "kind request with a file", { file: { name: "a" } }),
  entry("service-missing", "no service", { service: "" }),
  entry("exchange-id-short", "exchange_id of 15 bytes", { exchangeId: Buffer.alloc(15, 1) }),
  entry("size-too-small", "size one byte less than the content", { size: 35 }),
  entry("size-too-large", "size one byte more than the content", { size: 37 }),
  entry("digest-short", "digest of 31 bytes", { digest: Buffer.alloc(31, 1) }),
  entry("purpose-too-long", "purpose of 513 characters", { purpose: "p".repeat(513) }),
  fileName("file-name-path", "file name with a stroke", "a/b"),
  fileName("file-name-backslash", "file name with a backslash", "a\\b"),
  fileName("file-name-parent", "file name ..", ".."),
  fileName("file-name-empty", "no file name", ""),
  fileName("file-name-control", "file name with a line feed", "a\nb"),
  fileName("file-name-too-long", "file name of 256 bytes", "a".repeat(256)),
  http("http-path-relative", "path without a leading stroke", { path: "records" }),
  http("http-method", "method in small letters", { method: "post" }),
  http("http-header-capital", "header name with a capital", {
    headers: [{ name: "Accept", value: "a" }],
  }),
  http("http-header-injection", "header value with a line feed", {
    headers: [{ name: "accept", value: "a\nb: c" }],
  }),
  http("http-headers-unordered", "headers in descending order", {
    headers: [
      { name: "b", value: "" },
      { name: "a", value: "" },
    ],
  }),
  {
    name: "item-digest-wrong",
    changed: "the second of three items is not what its entry says",
    forgery: { items: [record, { ...second, entry: { digest: Buffer.alloc(32, 1) } }, file] },
    itemCodes: [undefined, "bundle.item-digest", undefined],
  },
];
