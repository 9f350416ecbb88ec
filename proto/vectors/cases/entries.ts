/** Guarantee: manifest and entry once wrong in each way that SPEC §6 names and content.ts does not show; and the odd that is right. */
import type { ForgedItem, Forgery } from "../forge.ts";
import { type Case, empty, file, record, second } from "./case.ts";

const INVALID = "bundle.manifest-invalid";
type Entry = NonNullable<ForgedItem["entry"]>;
type Manifest = Parameters<NonNullable<Forgery["manifest"]>>[0];

const entry = (name: string, changed: string, fields: Entry): Case => ({
  name: `entry-${name}`,
  changed,
  forgery: { items: [{ ...record, entry: fields }] },
  code: INVALID,
});

const http = (name: string, changed: string, fields: object): Case =>
  entry(`http-${name}`, changed, { http: { method: "POST", path: "/records", ...fields } });

const fileInfo = (name: string, changed: string, fields: object): Case =>
  entry(`file-${name}`, changed, { ...file.entry, file: { name: "a.csv", ...fields } });

const manifest = (name: string, changed: string, alter: (manifest: Manifest) => void): Case => ({
  name: `manifest-${name}`,
  changed,
  forgery: { items: [record], manifest: alter },
  code: INVALID,
});

const valid = (name: string, changed: string, forgery: Forgery): Case => ({
  name: `valid-${name}`,
  changed: `nothing; ${changed}`,
  forgery,
});

const trust = (count: number, length = 3) =>
  Array.from({ length: count }, (_, index) => Buffer.alloc(length, index + 1));

const headers = (count: number, length = 1) =>
  Array.from({ length: count }, (_, index) => ({
    name: `h${String(index).padStart(3, "0")}`,
    value: "v".repeat(length),
  }));

export const ENTRIES: readonly Case[] = [
  manifest("trust-too-many", "33 trust items", (m) => {
    m.trust = trust(33);
  }),
  manifest("trust-empty-item", "an empty trust item", (m) => {
    m.trust = [Buffer.of(1), Buffer.alloc(0)];
  }),
  manifest("trust-too-long", "a trust item of 64 KiB and one byte", (m) => {
    m.trust = trust(1, 65_537);
  }),
  valid("trust", "two trust items, one of them twice", {
    items: [record],
    manifest: (m) => {
      m.trust = [...trust(2), ...trust(1)];
    },
  }),
  valid("trust-most", "32 trust items, one of 64 KiB", {
    items: [record],
    manifest: (m) => {
      m.trust = [...trust(31), ...trust(1, 65_536)];
    },
  }),
  manifest("entry-too-many", "the manifest has two entries for one item", (m) => {
    m.items = [...(m.items ?? []), ...(m.items ?? [])];
  }),
  manifest("empty-of-items", "a manifest of trust items alone", (m) => {
    m.items = [];
    m.trust = trust(1);
  }),
  manifest("salt-missing", "no salt", (m) => {
    m.items = (m.items ?? []).map((item) => ({ ...item, salt: Buffer.alloc(0) }));
  }),
  manifest("salt-long", "a salt of 33 bytes", (m) => {
    m.items = (m.items ?? []).map((item) => ({ ...item, salt: Buffer.alloc(33, 1) }));
  }),
  manifest("trail-event-too-long", "a trail event of 16 KiB and one byte", (m) => {
    m.items = (m.items ?? []).map((item) => ({ ...item, trail: [Buffer.alloc(16_385, 1)] }));
  }),
  valid("without-trail", "an item without trail", {
    items: [record],
    manifest: (m) => {
      m.items = (m.items ?? []).map(({ salt, entry: bytes }) => ({
        salt: salt ?? Buffer.of(),
        entry: bytes ?? Buffer.of(),
      }));
    },
  }),
  {
    name: "commitment-other-entry",
    changed: "another entry than the one committed to",
    forgery: {
      items: [record],
      manifest: (m) => {
        m.items = (m.items ?? []).map((item) => ({ ...item, entry: Buffer.of(1) }));
      },
    },
    code: "bundle.commitment-mismatch",
  },
  {
    name: "entry-too-long",
    changed: "an entry of more than 64 KiB",
    forgery: {
      items: [
        { ...record, entry: { http: { method: "POST", path: "/", headers: headers(128, 600) } } },
      ],
    },
    code: INVALID,
  },
  {
    name: "entry-default-written",
    changed: "an entry with an empty ordering_key written",
    forgery: {
      items: [{ ...record, entryBytes: (bytes) => Buffer.concat([bytes, Buffer.of(0x6a, 0x00)]) }],
    },
    code: "bundle.not-canonical",
  },
  {
    name: "entry-empty",
    changed: "an entry of 0 bytes",
    forgery: { items: [{ ...empty, entryBytes: () => Buffer.alloc(0) }] },
    code: INVALID,
  },
  entry("exchange-id-not-v7", "exchange_id is a UUIDv4", {
    exchangeId: Buffer.from("f47ac10b58cc4372a5670e02b2c3d479", "hex"),
  }),
  entry("kind-missing", "no kind", { kind: "" }),
  entry("kind-capital", "kind Request", { kind: "Request" }),
  entry("http-missing", "kind request without http", { http: null }),
  entry("file-missing", "kind file without file", { kind: "file", http: null }),
  entry("receipt-with-http", "kind receipt with http", { kind: "receipt" }),
  entry("receipt-with-file", "kind receipt with file", {
    ...{ kind: "receipt", http: null, file: { name: "a.csv" } },
  }),
  valid("receipt", "kind receipt with neither http nor file", {
    items: [{ ...record, entry: { kind: "receipt", http: null } }],
  }),
  entry("service-too-long", "service of 513 characters", { service: "s".repeat(513) }),
  entry("caller-too-long", "caller of 513 characters", { caller: "c".repeat(513) }),
  entry("grant-too-long", "grant of 513 characters", { grant: "g".repeat(513) }),
  entry("ordering-key-too-long", "ordering_key of 257 characters outside the basic plane", {
    orderingKey: "𠮷".repeat(257),
  }),
  entry("size-2-53", "size 2^53", { size: 2 ** 53 }),
  entry("submitted-2-53", "submitted_ms 2^53", { submittedMs: 2 ** 53 }),
  entry("digest-missing", "no digest", { digest: Buffer.alloc(0) }),
  http("method-short", "method of two letters", { method: "GO" }),
  http("method-long", "method of eleven letters", { method: "ABCDEFGHIJK" }),
  http("path-missing", "no path", { path: "" }),
  http("path-control", "path with a line feed", { path: "/a\nb" }),
  http("path-too-long", "path of 8,193 characters", { path: `/${"a".repeat(8192)}` }),
  http("headers-too-many", "129 headers", { headers: headers(129) }),
  http("header-without-name", "a header without name", { headers: [{ name: "", value: "a" }] }),
  http("header-name-blank", "a header name with a blank", {
    headers: [{ name: "a b", value: "a" }],
  }),
  http("header-name-not-ascii", "a header name that is no token", {
    headers: [{ name: "ä", value: "a" }],
  }),
  http("header-value-nul", "a header value with U+0000", {
    headers: [{ name: "a", value: "\u0000" }],
  }),
  http("header-value-c1", "a header value with U+0085", {
    headers: [{ name: "a", value: "\u0085" }],
  }),
  http("header-values-unordered", "one name twice, its values in descending order", {
    headers: [
      { name: "a", value: "2" },
      { name: "a", value: "1" },
    ],
  }),
  http("headers-by-name-first", "a header name before one that it begins with", {
    headers: [
      { name: "a-b", value: "" },
      { name: "a", value: "z" },
    ],
  }),
  http("header-values-by-code-point", "values in the order of code points, not of UTF-16", {
    headers: [
      { name: "a", value: "\uff5e" },
      { name: "a", value: "𠮷" },
    ],
  }),
  fileInfo("name-dot", "file name .", { name: "." }),
  fileInfo("name-delete", "file name with U+007F", { name: "a\u007f" }),
  fileInfo("name-c1", "file name with U+0085", { name: "a\u0085" }),
  fileInfo("name-bytes", "file name of 86 characters in 258 bytes", { name: "录".repeat(86) }),
  fileInfo("type-too-long", "content_type of 513 characters", { contentType: "t".repeat(513) }),
  fileInfo("type-control", "content_type with a line feed", { contentType: "text/csv\nx" }),
  valid("headers", "a pair of headers twice, values in the order of UTF-16, most headers", {
    items: [
      {
        ...record,
        entry: {
          http: {
            method: "PROPPATCHX",
            path: `/${"路".repeat(8191)}`,
            headers: [
              { name: "!#$%&'*+-.^_`|~0", value: "" },
              { name: "a", value: "1" },
              { name: "a", value: "1" },
              { name: "a", value: "𠮷" },
              { name: "a", value: "\uff5e" },
              ...headers(123),
            ],
          },
        },
      },
    ],
  }),
  valid("entry-texts", "texts at their limits, a byte order mark, line feeds in a purpose", {
    items: [
      {
        ...record,
        entry: {
          service: "\ufeffregistration",
          caller: "𠮷".repeat(256),
          grant: "",
          purpose: "a\nb",
          orderingKey: "k".repeat(512),
        },
      },
      { ...file, entry: { ...file.entry, file: { name: "录".repeat(85) } } },
      second,
    ],
  }),
];
