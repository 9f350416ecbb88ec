/** Guarantee: files of receipts field by field as SPEC §17 has them, not by the code that reads them. */
import { domainSeparated, loadProvider } from "../src/sm/index.ts";
import { readKeys } from "./keys.ts";

export const NOW = 1_768_435_200_000;
export const keys = readKeys();
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

export const number = (field: number, value: number): Buffer =>
  Buffer.concat([varint(field * 8), varint(value)]);
const bytes = (field: number, value: Uint8Array | string): Buffer => {
  const content = typeof value === "string" ? Buffer.from(value) : value;
  return Buffer.concat([varint(field * 8 + 2), varint(content.length), content]);
};

/** UUIDv7 of no particular moment. */
export const receiptId = (n: number): Buffer =>
  Buffer.from(`019bbf5c000070008000${n.toString(16).padStart(12, "0")}`, "hex");

export interface One {
  readonly id: Buffer;
  readonly timeMs: number;
}
export interface Group {
  readonly state: string;
  readonly code: string;
  readonly receipts: readonly One[];
}
export interface Refused {
  readonly id: Buffer;
  readonly code: string;
  readonly timeMs: number;
}
export interface List {
  readonly version: number;
  readonly lane: string;
  readonly sender: string;
  readonly receiver: string;
  readonly number: number;
  readonly createdMs: number;
  readonly groups: readonly Group[];
  readonly bundles: readonly Refused[];
  /** Behind the last field. */
  readonly extra: Buffer;
}
export interface Signed {
  readonly list: Partial<List>;
  readonly keyId: string;
  readonly party: "recipient" | "stranger";
  readonly label: string;
  /** Of the bytes that are signed, flipped in what is shown. */
  readonly flip: boolean;
  readonly signature: Buffer | undefined;
  readonly certificates: readonly Buffer[];
}

export const one = (n: number, timeMs = NOW - 10_000): One => ({ id: receiptId(n), timeMs });
export const GROUPS: readonly Group[] = [
  { state: "delivered", code: "", receipts: [one(1), one(2)] },
  { state: "quarantined", code: "policy.content-refused", receipts: [one(3)] },
];

function listBytes(change: Partial<List>): Buffer {
  const list: List = {
    ...{ version: 1, lane: "inbound", sender: "node-extranet", receiver: "node-business" },
    ...{ number: 7, createdMs: NOW - 1_000, groups: GROUPS, bundles: [], extra: Buffer.alloc(0) },
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
    ...list.bundles.map(({ id, code, timeMs }) =>
      bytes(
        8,
        Buffer.concat([
          ...[bytes(1, id), text(2, code)],
          ...(timeMs === 0 ? [] : [number(3, timeMs)]),
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

export interface File {
  readonly lists?: readonly Partial<Signed>[];
  readonly magic?: string;
  readonly extra?: Buffer;
  readonly whole?: Buffer;
}

export const fileBytes = ({
  lists = [{}],
  magic = "LFR1",
  extra = Buffer.alloc(0),
  whole,
}: File): Buffer =>
  whole ??
  Buffer.concat([Buffer.from(magic), ...lists.map((list) => bytes(1, signedBytes(list))), extra]);
