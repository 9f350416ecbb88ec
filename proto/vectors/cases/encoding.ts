/** Guarantee: SPEC §2 at its edges: what is no message at all, what is one in another form, and what only looks odd. */
import { CHUNK, type Forgery } from "../forge.ts";
import { type Case, chunked, record } from "./case.ts";

const MALFORMED = "bundle.header-malformed";
const NOT_CANONICAL = "bundle.not-canonical";

const header = (
  name: string,
  changed: string,
  code: string,
  headerBytes: (bytes: Buffer) => Buffer,
): Case => ({ name, changed, forgery: { items: [record], headerBytes }, code });

/** Bytes behind the last field of a good header. */
const appended = (name: string, changed: string, code: string, ...tail: number[]): Case =>
  header(name, changed, code, (bytes) => Buffer.concat([bytes, Buffer.from(tail)]));

/** In the place of `version`, which is the first field: two bytes. */
const version = (name: string, changed: string, code: string, ...bytes: number[]): Case =>
  header(name, changed, code, (whole) => Buffer.concat([Buffer.from(bytes), whole.subarray(2)]));

type Marks = Parameters<NonNullable<Forgery["file"]>>[1] & { readonly length: number };

const cut = (name: string, at: (marks: Marks) => number): Case => ({
  name: `truncated-${name}`,
  changed: `the file ends ${name.replaceAll("-", " ")}`,
  forgery: {
    items: chunked,
    file: (bytes, marks) => bytes.subarray(0, at({ ...marks, length: bytes.length })),
  },
  code: "bundle.truncated",
});

/** Unknown field 30, the tag of a group that begins and of one that ends. */
const [BEGIN, END] = [
  [0xf3, 0x01],
  [0xf4, 0x01],
];
const nested = (depth: number) => [
  ...Array.from({ length: depth }, () => BEGIN).flat(),
  ...Array.from({ length: depth }, () => END).flat(),
];

export const ENCODING: readonly Case[] = [
  cut("after-the-magic", () => 4),
  cut("before-the-header", () => 8),
  cut("after-one-byte-of-the-header", () => 9),
  cut("before-the-signature", ({ signatureAt }) => signatureAt),
  cut("before-the-table", ({ tableAt }) => tableAt),
  cut("between-two-table-entries", ({ tableAt }) => tableAt + 32),
  cut("inside-the-first-chunk", ({ chunksAt }) => chunksAt + 1),
  cut("before-the-tag-of-the-first-chunk", ({ chunksAt }) => chunksAt + CHUNK),
  cut("between-two-chunks", ({ chunksAt }) => chunksAt + CHUNK + 16),
  cut("before-the-last-tag", ({ length }) => length - 16),
  {
    name: "oversize-header-at-the-limit",
    changed: "header length 1 MiB in a file of a kilobyte",
    forgery: {
      items: [record],
      file: (bytes) => {
        const out = Buffer.from(bytes);
        out.writeUInt32BE(2 ** 20, 4);
        return out;
      },
    },
    code: "bundle.truncated",
  },
  {
    name: "magic-of-the-next-version",
    changed: "magic LFB2",
    forgery: {
      items: [record],
      file: (bytes) => Buffer.concat([Buffer.from("LFB2"), bytes.subarray(4)]),
    },
    code: "bundle.not-a-bundle",
  },
  appended("malformed-field-0", "a field of number 0", MALFORMED, 0x00, 0x00),
  appended("malformed-wire-type-6", "an unknown field of wire type 6", MALFORMED, 0xf6, 0x01, 0),
  appended("malformed-wire-type-7", "an unknown field of wire type 7", MALFORMED, 0xf7, 0x01, 0),
  appended("malformed-group-end", "a group ends that did not begin", MALFORMED, ...END),
  appended(
    "malformed-group-other-end",
    "a group ends with another number",
    MALFORMED,
    ...BEGIN,
    0xfc,
    0x01,
  ),
  appended("malformed-groups-deep", "groups 1,000 deep", MALFORMED, ...nested(1000)),
  appended("malformed-varint-cut", "the header ends inside a tag", MALFORMED, 0xf0),
  appended(
    "malformed-tag-long",
    "a tag of six bytes",
    MALFORMED,
    ...[0xf0, 0x81, 0x80, 0x80, 0x80, 0x00, 0x01],
  ),
  appended(
    "malformed-tag-large",
    "a tag above 32 bits",
    MALFORMED,
    ...[0xf0, 0xff, 0xff, 0xff, 0x1f, 0x01],
  ),
  appended(
    "malformed-length-beyond-end",
    "a field one byte longer than the header",
    MALFORMED,
    ...[0xf2, 0x01, 0x02, 0x00],
  ),
  appended(
    "malformed-length-2-31",
    "a field of 2^31 bytes",
    MALFORMED,
    ...[0xf2, 0x01, 0x80, 0x80, 0x80, 0x80, 0x08],
  ),
  appended(
    "malformed-length-most",
    "a field of 2^64 - 1 bytes",
    MALFORMED,
    ...[0xf2, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
  ),
  header("malformed-surrogate", "a name with a surrogate in UTF-8", MALFORMED, (bytes) => {
    const out = Buffer.from(bytes);
    Buffer.of(0xed, 0xa0, 0x80).copy(out, out.indexOf("inbound"));
    return out;
  }),
  header("malformed-utf8-long-form", "a name with a stroke in two bytes", MALFORMED, (bytes) => {
    const out = Buffer.from(bytes);
    Buffer.of(0xc0, 0xaf).copy(out, out.indexOf("inbound"));
    return out;
  }),
  version(
    "malformed-varint-long",
    "version 1 in eleven bytes",
    MALFORMED,
    ...[0x08, 0x81, ...Array.from({ length: 9 }, () => 0x80), 0x00],
  ),
  version(
    "non-canonical-high-bits",
    "version 2^32 + 1: its low 32 bits are 1",
    NOT_CANONICAL,
    ...[0x08, 0x81, 0x80, 0x80, 0x80, 0x10],
  ),
  version(
    "version-high-bits",
    "version 2^32 + 2: its low 32 bits are 2",
    "bundle.version-unsupported",
    ...[0x08, 0x82, 0x80, 0x80, 0x80, 0x10],
  ),
  appended("non-canonical-group", "an unknown group that ends", NOT_CANONICAL, ...BEGIN, ...END),
  appended(
    "non-canonical-embedded-twice",
    "a second, empty checkpoint",
    NOT_CANONICAL,
    ...[0xb2, 0x01, 0x00, 0xb2, 0x01, 0x00],
  ),
  header("non-canonical-long-tag", "the tag of version in two bytes", NOT_CANONICAL, (bytes) =>
    Buffer.concat([Buffer.of(0x88, 0x00), bytes.subarray(1)]),
  ),
  header(
    "non-canonical-long-length",
    "the length of bundle_id in two bytes",
    NOT_CANONICAL,
    (bytes) => Buffer.concat([bytes.subarray(0, 3), Buffer.of(0x90, 0x00), bytes.subarray(4)]),
  ),
  header(
    "non-canonical-inside-a-message",
    "an unknown field inside the first recipient",
    NOT_CANONICAL,
    (bytes) => {
      // Field 17: tag of two bytes, length of two bytes for some 180 bytes.
      const at = bytes.indexOf(Buffer.of(0x8a, 0x01));
      const length = (bytes[at + 2] ?? 0) + 2;
      const end = at + 4 + ((bytes[at + 2] ?? 0) & 0x7f) + ((bytes[at + 3] ?? 0) << 7);
      return Buffer.concat([
        bytes.subarray(0, at + 2),
        Buffer.of(length, bytes[at + 3] ?? 0),
        bytes.subarray(at + 4, end),
        Buffer.of(0x38, 0x01),
        bytes.subarray(end),
      ]);
    },
  ),
];
