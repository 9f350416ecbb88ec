/**
 * Guarantee: files of receipts as SPEC §17 describes them, good and spoiled,
 * written field by field and not by the code that reads them.
 */
import { domainSeparated, loadProvider } from "../../src/sm/index.ts";
import { readKeys } from "../keys.ts";
import type { ReceiptVector } from "../vector.ts";

const NOW = 1_768_435_200_000;
const DAY = 86_400_000;
const keys = readKeys();
const provider = loadProvider();

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  while (left >= 0x80) {
    bytes.push((left % 0x80) | 0x80);
    left = Math.floor(left / 0x80);
  }
  return Buffer.from([...bytes, left]);
}

const number = (field: number, value: number): Buffer =>
  Buffer.concat([varint(field * 8), varint(value)]);
const bytes = (field: number, value: Uint8Array | string): Buffer => {
  const content = typeof value === "string" ? Buffer.from(value) : value;
  return Buffer.concat([varint(field * 8 + 2), varint(content.length), content]);
};

/** UUIDv7 of no particular moment. */
export const receiptId = (n: number): Buffer =>
  Buffer.from(`019bbf5c000070008000${n.toString(16).padStart(12, "0")}`, "hex");

interface One {
  readonly id: Buffer;
  readonly timeMs: number;
}
interface Group {
  readonly state: string;
  readonly code: string;
  readonly receipts: readonly One[];
}
interface List {
  readonly version: number;
  readonly lane: string;
  readonly sender: string;
  readonly receiver: string;
  readonly number: number;
  readonly createdMs: number;
  readonly groups: readonly Group[];
  /** Behind the last field. */
  readonly extra: Buffer;
}
interface Signed {
  readonly list: Partial<List>;
  readonly keyId: string;
  readonly party: "recipient" | "stranger";
  readonly label: string;
  /** Of the bytes that are signed, flipped in what is shown. */
  readonly flip: boolean;
  readonly signature: Buffer | undefined;
  readonly certificates: readonly Buffer[];
}

const one = (n: number, timeMs = NOW - 10_000): One => ({ id: receiptId(n), timeMs });
const GROUPS: readonly Group[] = [
  { state: "delivered", code: "", receipts: [one(1), one(2)] },
  { state: "quarantined", code: "policy.content-refused", receipts: [one(3)] },
];

function listBytes(change: Partial<List>): Buffer {
  const list: List = {
    ...{ version: 1, lane: "inbound", sender: "node-extranet", receiver: "node-business" },
    ...{ number: 7, createdMs: NOW - 1_000, groups: GROUPS, extra: Buffer.alloc(0) },
    ...change,
  };
  const text = (field: number, value: string) =>
    value === "" ? Buffer.alloc(0) : bytes(field, value);
  return Buffer.concat([
    ...(list.version === 0 ? [] : [number(1, list.version)]),
    ...[text(2, list.lane), text(3, list.sender), text(4, list.receiver)],
    ...(list.number === 0 ? [] : [number(5, list.number)]),
    ...(list.createdMs === 0 ? [] : [number(6, list.createdMs)]),
    ...list.groups.map(({ state, code, receipts }) =>
      bytes(
        7,
        Buffer.concat([
          ...[text(1, state), text(2, code)],
          ...receipts.map(({ id, timeMs }) =>
            bytes(
              3,
              Buffer.concat([
                ...(id.length === 0 ? [] : [bytes(1, id)]),
                ...(timeMs === 0 ? [] : [number(2, timeMs)]),
              ]),
            ),
          ),
        ]),
      ),
    ),
    list.extra,
  ]);
}

function signedBytes(change: Partial<Signed>): Buffer {
  const { list = {}, party = "recipient", label = "receipts/1", flip = false } = change;
  const { keyId = keys.recipient.keyId, certificates = [] } = change;
  const content = listBytes(list);
  const signature =
    change.signature ??
    Buffer.from(provider.sm2Sign(keys[party].key, domainSeparated(label, content)));
  const shown = Buffer.from(content);
  // The last bit of the last time: still a list, another one.
  if (flip) shown[shown.length - 1] = (shown.at(-1) ?? 0) ^ 1;
  return Buffer.concat([
    ...[bytes(1, shown), bytes(2, keyId), bytes(3, signature)],
    ...certificates.map((der) => bytes(4, der)),
  ]);
}

interface File {
  readonly lists?: readonly Partial<Signed>[];
  readonly magic?: string;
  readonly extra?: Buffer;
  readonly whole?: Buffer;
}

const fileBytes = ({
  lists = [{}],
  magic = "LFR1",
  extra = Buffer.alloc(0),
  whole,
}: File): Buffer =>
  whole ??
  Buffer.concat([Buffer.from(magic), ...lists.map((list) => bytes(1, signedBytes(list))), extra]);

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

/** 512 receipts are the most; the bytes stay below their limit. */
const many = (count: number): Group[] => [
  { state: "delivered", code: "", receipts: Array.from({ length: count }, (_, n) => one(n + 1)) },
];

/** What is read of a list that holds. */
const said = (groups: readonly Group[] = GROUPS, numberOf = 7, lane = "inbound") => ({
  lane,
  number: numberOf,
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
