/** Guarantee: chunks and recipients mixed up between bundles and records, on the way or by the sender. */
import { CHUNK, type Forgery, forge, id, nonceOf } from "../forge.ts";
import { readKeys } from "../keys.ts";
import { type Case, filler, record, second } from "./case.ts";

const keys = readKeys();
const both = [keys.recipient, keys.releaser];
/** Four chunks: 1 and 2 lie wholly inside the second item. */
const long = [record, filler(3 * CHUNK, 6), second];

const refused = (name: string, changed: string, forgery: Partial<Forgery>, code: string): Case => ({
  name,
  changed,
  forgery: { items: long, ...forgery },
  code,
});

/** Chunk `index` of the same contents under another bundle id, and so under another key. */
function foreign(index: number): Buffer {
  let found: Buffer = Buffer.of();
  forge({
    items: long,
    bundleId: id(2),
    chunks: (chunks) => {
      found = chunks[index] ?? found;
      return chunks;
    },
  });
  return found;
}

const replaced = (chunks: Buffer[], index: number, by: Buffer) =>
  chunks.map((chunk, at) => (at === index ? by : chunk));

export const CHUNKS: readonly Case[] = [
  refused(
    "chunk-missing",
    "chunk 1 is left out on the way",
    { sealedChunks: (chunks) => chunks.filter((_, index) => index !== 1) },
    "bundle.truncated",
  ),
  refused(
    "chunk-left-out-by-sender",
    "chunk 1 is left out, header and table agree: sizes do not add up",
    {
      chunks: (chunks) => chunks.filter((_, index) => index !== 1),
    },
    "bundle.manifest-invalid",
  ),
  {
    name: "chunk-replaced-by-its-neighbour",
    changed: "chunk 2 is a copy of chunk 1 on the way",
    forgery: {
      items: long,
      sealedChunks: (chunks) => replaced(chunks, 2, chunks[1] ?? Buffer.of()),
    },
    itemCodes: [undefined, "bundle.chunk-digest", undefined],
  },
  {
    name: "chunk-of-another-bundle",
    changed: "chunk 1 is that of another bundle of this sender",
    forgery: { items: long, sealedChunks: (chunks) => replaced(chunks, 1, foreign(1)) },
    itemCodes: [undefined, "bundle.chunk-digest", undefined],
  },
  {
    name: "chunk-of-another-bundle-by-sender",
    changed: "chunk 1 is that of another bundle, hashed and signed",
    forgery: { items: long, chunks: (chunks) => replaced(chunks, 1, foreign(1)) },
    itemCodes: [undefined, "bundle.chunk-decrypt", undefined],
  },
  refused(
    "last-chunk-first",
    "the last chunk comes first",
    { items: [filler(2 * CHUNK - 241, 4)], chunks: (chunks) => [...chunks].reverse() },
    "bundle.chunk-decrypt",
  ),
  {
    name: "last-flag-of-the-manifest-chunk",
    changed: "chunk 0 carries the last-chunk flag as well",
    forgery: {
      items: long,
      nonce: (index, count) => nonceOf(index, index === 0 || index === count - 1),
    },
    code: "bundle.chunk-decrypt",
  },
  {
    name: "last-chunk-flipped",
    changed: "one bit of the last chunk, which holds the end of one content and all of the next",
    forgery: {
      items: [...long, { content: Buffer.alloc(0) }],
      file: (bytes) => {
        const out = Buffer.from(bytes);
        out[out.length - 20] = (out[out.length - 20] ?? 0) ^ 1;
        return out;
      },
    },
    // A content of no bytes needs no chunk.
    itemCodes: [undefined, "bundle.chunk-digest", "bundle.chunk-digest", undefined],
  },
  refused(
    "preamble-other-bundle-id",
    "chunks are bound to another bundle id",
    { aad: { bundleId: id(2) } },
    "bundle.chunk-decrypt",
  ),
  refused(
    "preamble-other-sender",
    "chunks are bound to another sender",
    { aad: { sender: "node-stranger" } },
    "bundle.chunk-decrypt",
  ),
  refused(
    "preamble-other-chunk-size",
    "chunks are bound to another chunk_size",
    { aad: { chunkSize: 8192 } },
    "bundle.chunk-decrypt",
  ),
  refused(
    "wrapped-secrets-swapped",
    "two recipients have each other's wrapped_secret",
    {
      recipients: both,
      header: (h) => {
        const [a, b] = h.recipients ?? [];
        h.recipients = [
          { ...a, wrappedSecret: b?.wrappedSecret ?? null },
          { ...b, wrappedSecret: a?.wrappedSecret ?? null },
        ];
      },
    },
    "bundle.secret-unwrap-failed",
  ),
  refused(
    "recipient-key-ids-swapped",
    "two recipients have each other's key id: the first record that names one's key counts",
    {
      recipients: both,
      header: (h) => {
        const [a, b] = h.recipients ?? [];
        h.recipients = [
          { ...a, keyId: b?.keyId ?? "" },
          { ...b, keyId: a?.keyId ?? "" },
        ];
      },
    },
    "bundle.secret-unwrap-failed",
  ),
  refused(
    "wrapped-for-a-stranger",
    "the secret is encrypted to a stranger under the recipient's key id",
    { recipients: [{ ...keys.recipient, key: keys.stranger.key }] },
    "bundle.secret-unwrap-failed",
  ),
  refused(
    "recipient-added-by-sender",
    "a recipient is added after the chunks were sealed",
    {
      recipients: both,
      aad: { recipients: [{ nodeId: keys.recipient.nodeId, keyId: keys.recipient.keyId }] },
    },
    "bundle.chunk-decrypt",
  ),
];
