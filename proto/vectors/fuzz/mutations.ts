/**
 * Guarantee: every kind of change that an attacker or a faulty medium can make
 * to a bundle, chosen by a repeatable generator: to its bytes, to its lengths,
 * and to any one field of its header, written canonically again.
 */
import { encodeCanonical } from "../../src/canonical.ts";
import { lightferry } from "../../src/gen/index.js";

const { Header } = lightferry.bundle.v1;

/** Whole numbers from 0 up to, and without, `below`. */
export type Choose = (below: number) => number;

export interface Mutant {
  readonly bytes: Buffer;
  /** What was done, for whoever has to find out why it mattered. */
  readonly change: string;
}

const PREFIX_BYTES = 8;
const SIGNATURE_BYTES = 64;
/** Where decoders overflow, wrap or allocate. */
const HARD_NUMBERS = [0, 1, 2 ** 20, 2 ** 20 + 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 53 - 1];
const HARD_TEXTS = ["", "\u0000", "a/b", "..", "INBOUND", "长".repeat(40), "x".repeat(5000)];

type Mutation = (bytes: Buffer, choose: Choose) => Buffer;

const flipBit: Mutation = (bytes, choose) => {
  const at = choose(bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << choose(8));
  return bytes;
};

const setByte: Mutation = (bytes, choose) => {
  bytes[choose(bytes.length)] = [0, 0x7f, 0x80, 0xff][choose(4)] ?? 0;
  return bytes;
};

const truncate: Mutation = (bytes, choose) => bytes.subarray(0, choose(bytes.length));

const append: Mutation = (bytes, choose) =>
  Buffer.concat([bytes, bytes.subarray(0, 1 + choose(64))]);

const remove: Mutation = (bytes, choose) => {
  const at = choose(bytes.length);
  return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + choose(64))]);
};

const repeat: Mutation = (bytes, choose) => {
  const at = choose(bytes.length);
  const end = at + 1 + choose(64);
  return Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)]);
};

const swap: Mutation = (bytes, choose) => {
  const length = 1 + choose(48);
  const [a, b] = [choose(bytes.length - length), choose(bytes.length - length)];
  const held = Buffer.from(bytes.subarray(a, a + length));
  bytes.copyWithin(a, b, b + length);
  bytes.set(held, b);
  return bytes;
};

const headerLength: Mutation = (bytes, choose) => {
  const real = bytes.readUInt32BE(4);
  const near = real + choose(9) - 4;
  bytes.writeUInt32BE((choose(2) === 0 ? near : (HARD_NUMBERS[choose(7)] ?? 0)) >>> 0, 4);
  return bytes;
};

const BYTE_MUTATIONS = { flipBit, setByte, truncate, append, remove, repeat, swap, headerLength };

type Holder = Record<string | number, unknown>;

/** Every place of a decoded message that holds a value or a list. */
function places(value: unknown, into: { holder: Holder; key: string | number }[]): typeof into {
  if (value === null || typeof value !== "object" || value instanceof Uint8Array) return into;
  const holder = value as Holder;
  for (const key of Array.isArray(value) ? value.keys() : Object.keys(value)) {
    into.push({ holder, key });
    places(holder[key], into);
  }
  return into;
}

function altered(value: unknown, choose: Choose): unknown {
  if (typeof value === "number") {
    return choose(2) === 0 ? Math.max(0, value + choose(5) - 2) : HARD_NUMBERS[choose(8)];
  }
  if (typeof value === "string") {
    return choose(2) === 0 ? `${value}a` : HARD_TEXTS[choose(HARD_TEXTS.length)];
  }
  if (value instanceof Uint8Array) {
    const bytes = Buffer.from(value);
    if (bytes.length > 0 && choose(2) === 0) return flipBit(bytes, choose);
    return [bytes.subarray(1), Buffer.concat([bytes, Buffer.of(0)]), Buffer.of()][choose(3)];
  }
  if (Array.isArray(value)) {
    const list = [...value];
    const at = choose(list.length + 1);
    if (choose(2) === 0) list.splice(at, 1);
    else list.splice(at, 0, ...list.slice(0, 1 + choose(3)));
    return list;
  }
  return value;
}

/** Changes one field of a decoded message, at any depth. @returns the name of the field. */
export function changeField(message: object, choose: Choose): string | number {
  const found = places(message, []);
  const place = found[choose(found.length)];
  if (place === undefined) return "none";
  place.holder[place.key] = altered(place.holder[place.key], choose);
  return place.key;
}

/**
 * A header with one field changed, in canonical form, in front of what followed it.
 * @param sign given, the new header is signed: the fault of a sender, not of the way.
 */
export function changeHeader(
  bytes: Buffer,
  choose: Choose,
  sign?: (header: Uint8Array) => Uint8Array,
): Mutant {
  const end = PREFIX_BYTES + bytes.readUInt32BE(4);
  const header = Header.decode(bytes.subarray(PREFIX_BYTES, end));
  const field = changeField(header, choose);
  const written = Buffer.from(encodeCanonical(Header, header));
  const prefix = Buffer.from(bytes.subarray(0, PREFIX_BYTES));
  prefix.writeUInt32BE(written.length, 4);
  const signature = sign?.(written) ?? bytes.subarray(end, end + SIGNATURE_BYTES);
  const rest = bytes.subarray(end + SIGNATURE_BYTES);
  return {
    bytes: Buffer.concat([prefix, written, signature, rest]),
    change: `header ${field}${sign === undefined ? "" : ", signed again"}`,
  };
}

/** One to four changes of the bytes. */
export function changeBytes(original: Buffer, choose: Choose): Mutant {
  const names = Object.keys(BYTE_MUTATIONS) as (keyof typeof BYTE_MUTATIONS)[];
  const done: string[] = [];
  let bytes: Buffer = Buffer.from(original);
  for (let left = 1 + choose(4); left > 0 && bytes.length > 64; left -= 1) {
    const name = names[choose(names.length)] ?? "flipBit";
    bytes = BYTE_MUTATIONS[name](Buffer.from(bytes), choose);
    done.push(name);
  }
  return { bytes, change: done.join(" ") };
}
