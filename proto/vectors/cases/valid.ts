/** Guarantee: bundles that every reader must open to exactly these contents. */
import { CHUNK, DAY, NOW } from "../forge.ts";
import { readKeys } from "../keys.ts";
import { type Case, chunked, empty, file, filler, record, second } from "./case.ts";

const keys = readKeys();
const both = [keys.recipient, keys.releaser];
/** Length frame and manifest of a bundle of one request of two-byte size: what its content leaves of the chunks. */
const MANIFEST_OF_ONE = 241;

export const VALID: readonly Case[] = [
  { name: "valid-one-item", changed: "nothing", forgery: { items: [record] } },
  {
    name: "valid-many-items",
    changed: "nothing; a file among requests",
    forgery: { items: [record, second, file, filler(700, 2), empty, filler(1, 3)] },
  },
  {
    name: "valid-empty-content",
    changed: "nothing; content of 0 bytes",
    forgery: { items: [empty] },
  },
  {
    name: "valid-longest-lifetime",
    changed: "it lives five minutes longer than the lane's bundles: a sealer may round up",
    forgery: { items: [record] },
    context: { lifetimeMs: 7 * DAY - 5 * 60 * 1000 },
  },
  { name: "valid-multi-chunk", changed: "nothing; three chunks", forgery: { items: chunked } },
  {
    name: "valid-full-last-chunk",
    changed: "nothing; the plaintext ends with a full chunk",
    forgery: { items: [filler(2 * CHUNK - MANIFEST_OF_ONE, 4)] },
  },
  {
    name: "valid-grades",
    changed: "nothing; items of different grades, the header carries the highest",
    forgery: {
      items: [
        record,
        { ...second, entry: { grade: "G3" } },
        { ...file, entry: { ...file.entry, grade: "G1" } },
      ],
    },
  },
  {
    name: "valid-two-batches",
    changed: "nothing; verdicts from two decision batches",
    forgery: { items: [record, second, file], batchSize: 2 },
  },
  {
    name: "valid-later-sequence",
    changed: "nothing; sequence 7 with the digest of its predecessor",
    forgery: { items: [record], early: { sequence: 7, previousDigest: Buffer.alloc(32, 0xab) } },
  },
  {
    name: "valid-checkpoint",
    changed: "nothing; an audit checkpoint rides along",
    forgery: {
      items: [record],
      early: {
        checkpoint: {
          note: Buffer.from("lightferry/audit/extranet\n9\n"),
          oldSize: 4,
          consistency: [Buffer.alloc(32, 1)],
        },
      },
    },
  },
  {
    name: "valid-two-recipients-first",
    changed: "nothing; opened by the first of two recipients",
    forgery: { items: [record], recipients: both },
  },
  {
    name: "valid-two-recipients-second",
    changed: "nothing; opened by the second of two recipients",
    forgery: { items: [record], recipients: both },
    context: { self: keys.releaser.nodeId, decryptKey: "releaser" },
  },
  {
    name: "valid-last-moment",
    changed: "nothing; read one millisecond before it expires",
    forgery: { items: [record] },
    context: { now: NOW + 7 * DAY - 1 },
  },
  {
    name: "valid-clock-difference",
    changed: "nothing; the reader's clock is exactly five minutes behind",
    forgery: { items: [record] },
    context: { now: NOW - 5 * 60 * 1000 },
  },
];
