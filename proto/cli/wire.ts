/**
 * Guarantee: walks the outermost fields of protobuf bytes, as far as they can be
 * told apart, and says where that ends. For reports about damaged headers; what
 * is accepted is decided by the reader of the bundle alone.
 */

/** One field with its tag, [start, end) in the bytes walked. */
export interface WireField {
  readonly number: number;
  readonly start: number;
  readonly end: number;
}

export interface WireWalk {
  readonly fields: readonly WireField[];
  /** Where the first byte lies that belongs to no whole field; the length when all do. */
  readonly end: number;
}

/** Of a 64-bit varint. */
const VARINT_MAX = 10;
const FIXED64 = 1;
const DELIMITED = 2;
const FIXED32 = 5;

export function walkFields(bytes: Uint8Array): WireWalk {
  const fields: WireField[] = [];
  let at = 0;
  while (at < bytes.length) {
    const field = fieldAt(bytes, at);
    if (field === undefined) break;
    fields.push(field);
    at = field.end;
  }
  return { fields, end: at };
}

function fieldAt(bytes: Uint8Array, start: number): WireField | undefined {
  const tag = varintAt(bytes, start);
  if (tag === undefined) return undefined;
  const number = Math.floor(tag.value / 8);
  const end = endOfValue(bytes, tag.end, tag.value % 8);
  const whole = number > 0 && end !== undefined && end <= bytes.length;
  return whole ? { number, start, end } : undefined;
}

function endOfValue(bytes: Uint8Array, at: number, type: number): number | undefined {
  switch (type) {
    case 0:
      return varintAt(bytes, at)?.end;
    case FIXED64:
      return at + 8;
    case DELIMITED: {
      const length = varintAt(bytes, at);
      return length === undefined ? undefined : length.end + length.value;
    }
    case FIXED32:
      return at + 4;
    default:
      return undefined;
  }
}

function varintAt(bytes: Uint8Array, at: number): { value: number; end: number } | undefined {
  let value = 0;
  for (let index = 0; index < VARINT_MAX; index += 1) {
    const byte = bytes[at + index];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return { value, end: at + index + 1 };
  }
  return undefined;
}
