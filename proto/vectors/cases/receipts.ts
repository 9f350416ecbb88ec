/** Guarantee: files of receipts as SPEC §17 describes them, good and spoiled, with what a reader must say. */
import {
  type File,
  fileBytes,
  GROUPS,
  type Group,
  keys,
  type List,
  NOW,
  number,
  one,
  type Refused,
  receiptId,
} from "../receipt-bytes.ts";
import type { ReceiptVector } from "../vector.ts";

const DAY = 86_400_000;

export interface ReceiptCase {
  readonly name: string;
  readonly changed: string;
  readonly expect: ReceiptVector["expect"];
  readonly context: ReceiptVector["context"];
  readonly make: () => Buffer;
}

const CONTEXT: ReceiptVector["context"] = {
  now: NOW,
  self: "node-extranet",
  farEnds: { inbound: "node-business", "inbound-media": "node-business" },
  signKeyRegistered: true,
};

function refused(
  name: string,
  changed: string,
  file: File,
  code = "receipt.malformed",
  context: Partial<ReceiptVector["context"]> = {},
): ReceiptCase {
  return {
    name,
    changed,
    expect: { code },
    context: { ...CONTEXT, ...context },
    make: () => fileBytes(file),
  };
}

/** A list that is changed in one place. */
const list = (name: string, changed: string, change: Partial<List>, code?: string) =>
  refused(name, changed, { lists: [{ list: change }] }, code);

const group = (name: string, changed: string, change: Partial<Group>) =>
  list(name, changed, {
    groups: [{ state: "failed", code: "target.unavailable", receipts: [one(1)], ...change }],
  });

const bundle = (n: number, change: Partial<Refused> = {}): Refused => ({
  ...{ id: receiptId(n), code: "bundle.expired" },
  timeMs: NOW - 10_000,
  ...change,
});
/** A list of refused bundles alone. */
const bundles = (name: string, changed: string, ...all: readonly Refused[]) =>
  list(name, changed, { groups: [], bundles: all });

/** 512 receipts are the most; the bytes stay below their limit. */
const many = (count: number): Group[] => [
  { state: "delivered", code: "", receipts: Array.from({ length: count }, (_, n) => one(n + 1)) },
];

/** What is read of a list that holds. */
const said = (
  groups: readonly Group[] = GROUPS,
  numberOf = 7,
  lane = "inbound",
  refusedOnes: readonly Refused[] = [],
) => ({
  lane,
  number: numberOf,
  bundles: refusedOnes.map(({ id, code, timeMs }) => ({ id: id.toString("hex"), code, timeMs })),
  receipts: groups.flatMap(({ state, code, receipts }) =>
    receipts.map(({ id, timeMs }) => ({ id: id.toString("hex"), state, code, timeMs })),
  ),
});

function good(
  name: string,
  changed: string,
  file: File,
  lists: readonly object[] = [said()],
): ReceiptCase {
  const expect = { lists } as ReceiptVector["expect"];
  return { name, changed, expect, context: CONTEXT, make: () => fileBytes(file) };
}

const FIVE_MINUTES = 5 * 60_000;

export const RECEIPTS: readonly ReceiptCase[] = [
  good("valid", "nothing", {}),
  good(
    "valid-with-a-certificate-of-nobody",
    "one certificate that is none; the key is known without it",
    {
      lists: [{ certificates: [Buffer.from([0x30, 0x00])] }],
    },
  ),
  good(
    "valid-two-lists",
    "two lanes in one file",
    { lists: [{}, { list: { lane: "inbound-media", number: 1 } }] },
    [said(), said(GROUPS, 1, "inbound-media")],
  ),
  good("valid-512", "as many as a list holds", { lists: [{ list: { groups: many(512) } }] }, [
    said(many(512)),
  ]),
  good(
    "valid-refused-bundles",
    "two bundles that were refused unopened, beside receipts",
    { lists: [{ list: { bundles: [bundle(1), bundle(2, { code: "verdict.expired" })] } }] },
    [said(GROUPS, 7, "inbound", [bundle(1), bundle(2, { code: "verdict.expired" })])],
  ),
  good(
    "valid-refused-bundle-alone",
    "a refused bundle and no receipt",
    { lists: [{ list: { groups: [], bundles: [bundle(3)] } }] },
    [said([], 7, "inbound", [bundle(3)])],
  ),
  good(
    "valid-at-the-edge-of-time",
    "created five minutes ahead, received five minutes after that",
    {
      lists: [
        {
          list: {
            createdMs: NOW + FIVE_MINUTES,
            groups: [{ state: "returned", code: "", receipts: [one(1, NOW + 2 * FIVE_MINUTES)] }],
          },
        },
      ],
    },
    [said([{ state: "returned", code: "", receipts: [one(1, NOW + 2 * FIVE_MINUTES)] }])],
  ),
  refused("empty", "no bytes", { whole: Buffer.alloc(0) }),
  refused("other-magic", "another fourth character", { magic: "LFR2" }),
  refused("no-list", "the magic alone", { lists: [] }),
  refused("trailing-bytes", "an unknown field behind the lists", { extra: number(2, 1) }),
  refused("lists-out-of-order", "the later number first", {
    lists: [{ list: { number: 8 } }, {}],
  }),
  refused("list-twice", "one list two times", { lists: [{}, {}] }),
  refused("too-many-lists", "257 lists", {
    lists: Array.from({ length: 257 }, (_, n) => ({
      list: { number: n + 1 },
      signature: Buffer.alloc(64, 1),
    })),
  }),
  refused(
    "too-large",
    "four MiB and a byte",
    { whole: Buffer.alloc(4 * 1024 * 1024 + 1) },
    "receipt.too-large",
  ),
  refused("key-id-upper-case", "the key id in capitals", {
    lists: [{ keyId: keys.recipient.keyId.toUpperCase() }],
  }),
  refused("signature-short", "63 bytes of signature", {
    lists: [{ signature: Buffer.alloc(63, 1) }],
  }),
  refused("three-certificates", "one certificate more than allowed", {
    lists: [{ certificates: [Buffer.alloc(8, 1), Buffer.alloc(8, 2), Buffer.alloc(8, 3)] }],
  }),
  refused("certificate-too-large", "a certificate of 2,049 bytes", {
    lists: [{ certificates: [Buffer.alloc(2_049, 1)] }],
  }),
  list("version-2", "version 2", { version: 2 }),
  list("lane-missing", "no lane", { lane: "" }),
  list("sender-with-a-slash", "a sender that is no name", { sender: "node/extranet" }),
  list("number-0", "number 0", { number: 0 }),
  list("created-0", "no time", { createdMs: 0 }),
  list("unknown-field", "a field that the schema does not name", { extra: number(9, 1) }),
  list("no-groups", "nothing said", { groups: [] }),
  list("groups-out-of-order", "quarantined before delivered", { groups: [...GROUPS].reverse() }),
  list("group-twice", "one state and code in two groups", {
    groups: [
      { state: "delivered", code: "", receipts: [one(1)] },
      { state: "delivered", code: "", receipts: [one(2)] },
    ],
  }),
  list("exchange-in-two-groups", "delivered and failed", {
    groups: [
      { state: "delivered", code: "", receipts: [one(1)] },
      { state: "failed", code: "target.unavailable", receipts: [one(1)] },
    ],
  }),
  list("exchange-twice", "one id two times", {
    groups: [{ state: "delivered", code: "", receipts: [one(1), one(1)] }],
  }),
  list("ids-out-of-order", "the later id first", {
    groups: [{ state: "delivered", code: "", receipts: [one(2), one(1)] }],
  }),
  list("513-receipts", "one more than a list holds", { groups: many(513) }),
  group("group-empty", "a group without receipts", { receipts: [] }),
  group("state-unknown", "a state that no far side ends in", { state: "emitted" }),
  group("delivered-with-a-code", "delivered, and why not", { state: "delivered" }),
  group("code-with-a-space", "a text in the place of a code", { code: "see 1.2.3" }),
  group("code-too-long", "65 characters", { code: "a".repeat(65) }),
  group("id-of-another-version", "a UUIDv4", {
    receipts: [{ ...one(1), id: Buffer.from("019bbf5c000040008000000000000001", "hex") }],
  }),
  group("id-short", "15 bytes", { receipts: [{ ...one(1), id: receiptId(1).subarray(1) }] }),
  group("time-0", "no time", { receipts: [one(1, 0)] }),
  group("time-after-the-list", "later than the list by more than five minutes", {
    receipts: [one(1, NOW - 1_000 + FIVE_MINUTES + 1)],
  }),
  bundles("bundle-twice", "one bundle two times", bundle(1), bundle(1)),
  bundles("bundles-out-of-order", "the later id first", bundle(2), bundle(1)),
  bundles(
    "65-bundles",
    "one more than a list holds",
    ...Array.from({ length: 65 }, (_, n) => bundle(n + 1)),
  ),
  bundles("bundle-without-a-code", "not why", bundle(1, { code: "" })),
  bundles(
    "bundle-code-with-a-space",
    "a text in the place of a code",
    bundle(1, { code: "see 1" }),
  ),
  bundles("bundle-id-short", "15 bytes", bundle(1, { id: receiptId(1).subarray(1) })),
  bundles(
    "bundle-time-after-the-list",
    "later than the list by more than five minutes",
    bundle(1, { timeMs: NOW - 1_000 + FIVE_MINUTES + 1 }),
  ),
  list(
    "foreign-lane",
    "a lane that does not begin here",
    { lane: "outbound" },
    "receipt.foreign-lane",
  ),
  list("wrong-addressee", "for another node", { sender: "node-other" }, "receipt.wrong-addressee"),
  list(
    "wrong-receiver",
    "of another node",
    { receiver: "node-stranger" },
    "receipt.wrong-receiver",
  ),
  refused("unknown-key", "nobody here knows the key", {}, "receipt.unknown-key", {
    signKeyRegistered: false,
  }),
  refused(
    "forged",
    "signed by a stranger",
    { lists: [{ party: "stranger" }] },
    "receipt.signature-invalid",
  ),
  refused(
    "altered",
    "one bit of the last time",
    { lists: [{ flip: true }] },
    "receipt.signature-invalid",
  ),
  refused(
    "signature-of-a-bundle-header",
    "the label of another purpose",
    { lists: [{ label: "bundle-header/1" }] },
    "receipt.signature-invalid",
  ),
  refused(
    "second-list-forged",
    "a good list, and one that a stranger signed",
    { lists: [{}, { list: { number: 8 }, party: "stranger" }] },
    "receipt.signature-invalid",
  ),
  list(
    "from-the-future",
    "created later than five minutes from now",
    {
      createdMs: NOW + FIVE_MINUTES + 1,
    },
    "receipt.from-future",
  ),
  list(
    "stale",
    "older than 366 days",
    {
      createdMs: NOW - 366 * DAY - 1,
      groups: [{ state: "delivered", code: "", receipts: [one(1, NOW - 367 * DAY)] }],
    },
    "receipt.stale",
  ),
];
