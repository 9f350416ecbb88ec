/**
 * Guarantee: how often a field stands in protobuf bytes is known without
 * decoding them. Bytes that are no protobuf have no fields; the decoder refuses
 * them afterwards.
 */

/** Wire types of protobuf: variable length, 8 bytes, length and bytes, 4 bytes. */
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;
/** Seven bits a byte: 64 bits take ten. */
const VARINT_MAX = 10;

/** How often the field stands at the top level. */
export function countFields(bytes: Uint8Array, field: number): number {
  let count = 0;
  walk(bytes, (number) => {
    if (number === field) count += 1;
  });
  return count;
}

/** Content of the last such field of bytes; none when there is no such field. */
export function fieldBytes(bytes: Uint8Array, field: number): Uint8Array {
  let found: Uint8Array = new Uint8Array();
  walk(bytes, (number, from, to) => {
    if (number === field) found = bytes.subarray(from, to);
  });
  return found;
}

function walk(bytes: Uint8Array, each: (field: number, from: number, to: number) => void): void {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let index = 0; index < VARINT_MAX; index += 1) {
      const byte = bytes[at];
      at += 1;
      if (byte === undefined) return Number.NaN;
      value += (byte & 0x7f) * 2 ** (7 * index);
      if (byte < 0x80) return value;
    }
    return Number.NaN;
  };
  while (at < bytes.length) {
    const tag = varint();
    const type = tag % 8;
    if (type === VARINT) {
      const from = at;
      varint();
      each(Math.floor(tag / 8), from, at);
      continue;
    }
    const length = type === BYTES ? varint() : type === FIXED64 ? 8 : type === FIXED32 ? 4 : NaN;
    // Also ends on NaN: what is no protobuf is not counted further.
    if (!(at + length <= bytes.length)) return;
    each(Math.floor(tag / 8), at, at + length);
    at += length;
  }
}
