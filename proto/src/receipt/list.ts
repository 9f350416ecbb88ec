/**
 * Guarantee: a list that was read or written obeys every rule of form of
 * SPEC §17.2: one encoding, no exchange and no bundle twice, and nothing in it
 * but ids, states, error codes and times.
 */
import { encodeCanonical } from "../canonical.ts";
import { GatewayError } from "../errors/index.ts";
import { lightferry } from "../gen/index.js";
import { isId } from "../ids.ts";
import { BUNDLES_MAX, CLOCK_ALLOWANCE_MS, CODE_MAX, LIST_MAX, RECEIPTS_MAX } from "./limits.ts";

const { ReceiptList } = lightferry.receipt.v1;

export const RECEIPT_VERSION = 1;

/** Where an exchange can stand on the far side when there is something to say of it; ascending. */
export const RECEIPT_STATES = [
  "delivered",
  "failed",
  "in-doubt",
  "quarantined",
  "returned",
] as const;
export type ReceiptState = (typeof RECEIPT_STATES)[number];

/** Nothing follows these on the far side. */
export function isFinal(state: ReceiptState): boolean {
  return state === "delivered" || state === "returned";
}

export interface Receipt {
  readonly exchangeId: Uint8Array;
  readonly state: ReceiptState;
  /** Error code; "" when delivered. */
  readonly code: string;
  /** Unix milliseconds by the receiver's clock. */
  readonly timeMs: number;
}

/** A bundle that was refused as a whole, unopened, though its signature was good. */
export interface RefusedBundle {
  readonly bundleId: Uint8Array;
  readonly code: string;
  /** Unix milliseconds by the receiver's clock. */
  readonly timeMs: number;
}

export interface ReceiptListFields {
  readonly lane: string;
  /** Node that sent the exchanges. */
  readonly sender: string;
  /** Node that received them. */
  readonly receiver: string;
  readonly number: number;
  readonly createdMs: number;
  readonly receipts: readonly Receipt[];
  readonly bundles: readonly RefusedBundle[];
}

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
const CODE = /^[a-z0-9][a-z0-9.-]*$/;

/** @throws GatewayError `receipt.malformed` when the list would not be read again. */
export function encodeReceiptList(fields: ReceiptListFields): Uint8Array {
  const groups = new Map<string, { state: ReceiptState; code: string; receipts: Receipt[] }>();
  for (const receipt of [...fields.receipts].sort(byId)) {
    const { state, code } = receipt;
    const key = `${state} ${code}`;
    const group = groups.get(key) ?? { state, code, receipts: [] };
    groups.set(key, group);
    group.receipts.push(receipt);
  }
  const bytes = encodeCanonical(ReceiptList, {
    version: RECEIPT_VERSION,
    lane: fields.lane,
    sender: fields.sender,
    receiver: fields.receiver,
    number: fields.number,
    createdMs: fields.createdMs,
    groups: [...groups.values()].sort(byOutcome).map(({ state, code, receipts }) => ({
      ...{ state, code },
      receipts: receipts.map(({ exchangeId, timeMs }) => ({ exchangeId, timeMs })),
    })),
    bundles: [...fields.bundles].sort((a, b) => Buffer.compare(a.bundleId, b.bundleId)),
  });
  decodeReceiptList(bytes);
  return bytes;
}

/** @throws GatewayError `receipt.malformed` naming the rule. */
export function decodeReceiptList(bytes: Uint8Array): ReceiptListFields {
  if (bytes.length > LIST_MAX) throw malformed(`list: ${bytes.length} of ${LIST_MAX} bytes`);
  let list: lightferry.receipt.v1.ReceiptList;
  try {
    list = ReceiptList.decode(bytes);
  } catch (cause) {
    throw malformed("not protobuf", cause);
  }
  if (list.version !== RECEIPT_VERSION) throw malformed(`version ${list.version}`);
  if (Buffer.compare(ReceiptList.encode(list).finish(), bytes) !== 0) throw malformed("encoding");
  for (const name of ["lane", "sender", "receiver"] as const) {
    if (!NAME.test(list[name])) throw malformed(name);
  }
  if (!isPositive(list.number)) throw malformed("number");
  if (!isPositive(list.createdMs)) throw malformed("created_ms");
  const receipts = readGroups(list.groups, list.createdMs);
  const bundles = readBundles(list.bundles, list.createdMs);
  if (receipts.length + bundles.length === 0) throw malformed("nothing said");
  const { lane, sender, receiver, number, createdMs } = list;
  return { lane, sender, receiver, number, createdMs, receipts, bundles };
}

function readBundles(
  bundles: readonly lightferry.receipt.v1.RefusedBundle.$Properties[],
  createdMs: number,
): RefusedBundle[] {
  if (bundles.length > BUNDLES_MAX) throw malformed(`${bundles.length} of ${BUNDLES_MAX} bundles`);
  let last: Uint8Array | undefined;
  return bundles.map((bundle) => {
    const bundleId = bundle.bundleId ?? new Uint8Array();
    const [code, timeMs] = [bundle.code ?? "", bundle.timeMs ?? 0];
    if (!isId(bundleId)) throw malformed("bundle_id");
    if (code.length > CODE_MAX || !CODE.test(code)) throw malformed("code");
    if (!isTime(timeMs, createdMs)) throw malformed("time");
    if (last !== undefined && Buffer.compare(last, bundleId) >= 0) throw malformed("order");
    last = bundleId;
    return { bundleId, code, timeMs };
  });
}

function readGroups(
  groups: readonly lightferry.receipt.v1.ReceiptGroup.$Properties[],
  createdMs: number,
): Receipt[] {
  const found: Receipt[] = [];
  const seen = new Set<string>();
  let before: { readonly state: string; readonly code: string } | undefined;
  for (const group of groups) {
    const state = group.state ?? "";
    const code = group.code ?? "";
    const receipts = group.receipts ?? [];
    const known = RECEIPT_STATES.find((each) => each === state);
    if (known === undefined) throw malformed("state");
    if (code !== "" && (known === "delivered" || code.length > CODE_MAX || !CODE.test(code))) {
      throw malformed("code");
    }
    if (before !== undefined && byOutcome(before, { state, code }) >= 0) throw malformed("groups");
    before = { state, code };
    if (receipts.length === 0) throw malformed("empty group");
    let last: Uint8Array | undefined;
    for (const receipt of receipts) {
      const exchangeId = receipt.exchangeId ?? new Uint8Array();
      const timeMs = receipt.timeMs ?? 0;
      if (!isId(exchangeId)) throw malformed("exchange_id");
      if (last !== undefined && Buffer.compare(last, exchangeId) >= 0) throw malformed("order");
      last = exchangeId;
      const hex = Buffer.from(exchangeId).toString("hex");
      if (seen.has(hex)) throw malformed("an exchange twice");
      seen.add(hex);
      if (!isTime(timeMs, createdMs)) throw malformed("time");
      found.push({ exchangeId, state: known, code, timeMs });
    }
  }
  if (found.length > RECEIPTS_MAX) throw malformed(`${found.length} of ${RECEIPTS_MAX} receipts`);
  return found;
}

function byId(a: Receipt, b: Receipt): number {
  return Buffer.compare(a.exchangeId, b.exchangeId);
}

interface Outcome {
  readonly state: string;
  readonly code: string;
}

function byOutcome(a: Outcome, b: Outcome): number {
  if (a.state !== b.state) return a.state < b.state ? -1 : 1;
  if (a.code === b.code) return 0;
  return a.code < b.code ? -1 : 1;
}

const isTime = (timeMs: number, createdMs: number): boolean =>
  isPositive(timeMs) && timeMs <= createdMs + CLOCK_ALLOWANCE_MS;

function isPositive(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0;
}

export function malformed(detail: string, cause?: unknown): GatewayError {
  return new GatewayError("receipt.malformed", {
    detail,
    ...(cause === undefined ? {} : { cause }),
  });
}
