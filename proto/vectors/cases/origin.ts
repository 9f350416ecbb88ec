/** Guarantee: refusals of SPEC §8.2 that concern the bundle as a whole. */
import { DAY, id, NOW } from "../forge.ts";
import { readKeys } from "../keys.ts";
import { type Case, chunked, flip, record, second } from "./case.ts";

const keys = readKeys();

export const ORIGIN: readonly Case[] = [
  {
    name: "wrong-lane",
    changed: "it came by another lane",
    forgery: { items: [record] },
    context: { lane: "outbound" },
    code: "bundle.wrong-lane",
  },
  {
    name: "wrong-sender",
    changed: "another node is registered for the lane",
    forgery: { items: [record] },
    context: { sender: "node-stranger" },
    code: "bundle.wrong-sender",
  },
  {
    name: "unknown-sign-key",
    changed: "the signing key is not registered",
    forgery: { items: [record] },
    context: { signKeyRegistered: false },
    code: "bundle.unknown-sign-key",
  },
  {
    name: "unknown-sign-key-id",
    changed: "signed by a stranger under the stranger's key id",
    forgery: {
      items: [record],
      signKey: keys.stranger.key,
      early: { signKeyId: keys.stranger.keyId },
    },
    code: "bundle.unknown-sign-key",
  },
  {
    name: "signed-by-stranger",
    changed: "signed by a stranger under the sender's key id",
    forgery: { items: [record], signKey: keys.stranger.key },
    code: "bundle.signature-invalid",
  },
  {
    name: "flipped-signature",
    changed: "one bit of the signature",
    forgery: { items: [record], file: (bytes, { signatureAt }) => flip(bytes, signatureAt + 40) },
    code: "bundle.signature-invalid",
  },
  {
    name: "signature-zero",
    changed: "a signature of 64 zero bytes",
    forgery: { items: [record], signature: () => new Uint8Array(64) },
    code: "bundle.signature-invalid",
  },
  {
    name: "flipped-header",
    changed: "one bit of the item root in the header",
    forgery: {
      items: [record],
      file: (bytes, { signatureAt }) => {
        // The bundle id comes right after the version; its last byte is free of structure.
        const at = bytes.subarray(0, signatureAt).indexOf(id(1)) + 15;
        return flip(bytes, at);
      },
    },
    code: "bundle.signature-invalid",
  },
  {
    name: "flipped-table",
    changed: "one bit of the digest table",
    forgery: { items: chunked, file: (bytes, { tableAt }) => flip(bytes, tableAt + 40) },
    code: "bundle.table-mismatch",
  },
  {
    name: "table-of-another-order",
    changed: "chunks and table entries 1 and 2 change places",
    forgery: {
      items: chunked,
      file: (bytes, { tableAt, chunksAt }) => {
        const out = Buffer.from(bytes);
        const size = 4096 + 16;
        bytes.copy(out, tableAt, tableAt + 32, tableAt + 64);
        bytes.copy(out, tableAt + 32, tableAt, tableAt + 32);
        bytes.copy(out, chunksAt, chunksAt + size, chunksAt + 2 * size);
        bytes.copy(out, chunksAt + size, chunksAt, chunksAt + size);
        return out;
      },
    },
    code: "bundle.table-mismatch",
  },
  {
    name: "ciphertext-root-wrong",
    changed: "the sender signed another ciphertext root",
    forgery: {
      items: [record],
      header: (h) => {
        h.ciphertextRoot = Buffer.alloc(32, 9);
      },
    },
    code: "bundle.table-mismatch",
  },
  {
    name: "item-root-wrong",
    changed: "the sender signed another item root",
    forgery: {
      items: [record],
      header: (h) => {
        h.itemRoot = Buffer.alloc(32, 9);
      },
    },
    code: "bundle.item-root-mismatch",
  },
  {
    name: "item-record-dropped",
    changed: "the second item is dropped from the header, its root stays",
    forgery: {
      items: [record, second],
      header: (h) => {
        h.items = (h.items ?? []).slice(0, 1);
      },
    },
    code: "bundle.item-root-mismatch",
  },
  {
    name: "item-twice",
    changed: "one commitment stands twice",
    forgery: {
      items: [record, second],
      record: (item, index) => {
        if (index === 1) item.commitment = first.commitment ?? Buffer.of();
        else first.commitment = item.commitment ?? Buffer.of();
      },
    },
    code: "bundle.duplicate-item",
  },
  {
    name: "grade-too-low",
    changed: "the header says G1 for an item of G2",
    forgery: { items: [record], early: { grade: "G1" } },
    code: "bundle.grade-mismatch",
  },
  {
    name: "grade-too-high",
    changed: "the header says G3 for an item of G2",
    forgery: { items: [record], early: { grade: "G3" } },
    code: "bundle.grade-mismatch",
  },
  {
    name: "expired",
    changed: "read at the moment it expires",
    forgery: { items: [record] },
    context: { now: NOW + 7 * DAY },
    code: "bundle.expired",
  },
  {
    name: "from-future",
    changed: "the reader's clock is five minutes and 1 ms behind",
    forgery: { items: [record] },
    context: { now: NOW - 5 * 60 * 1000 - 1 },
    code: "bundle.from-future",
  },
  {
    name: "expired-and-too-long",
    changed: "expired, and of a longer life than the lane's bundles may have",
    forgery: { items: [record] },
    context: { now: NOW + 7 * DAY, lifetimeMs: DAY },
    code: "bundle.expired",
  },
  {
    name: "lifetime-too-long",
    changed: "the lane's bundles live seven days less five minutes and 1 ms; this one seven days",
    forgery: { items: [record] },
    context: { lifetimeMs: 7 * DAY - 5 * 60 * 1000 - 1 },
    code: "bundle.lifetime-too-long",
  },
  {
    name: "wrong-recipient",
    changed: "another node reads it",
    forgery: { items: [record] },
    context: { self: "node-releaser", decryptKey: "releaser" },
    code: "bundle.wrong-recipient",
  },
  {
    name: "other-decrypt-key",
    changed: "the recipient has a newer encryption key only",
    forgery: { items: [record] },
    context: { decryptKey: "stranger" },
    code: "bundle.unknown-decrypt-key",
  },
];

const first: { commitment?: Uint8Array } = {};
