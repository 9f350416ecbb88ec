/**
 * Guarantee: writes DER (ITU-T X.690) and nothing looser: shortest lengths,
 * minimal integers, sets in the order of their encodings. Content is taken as
 * pieces and never copied, so a large octet string costs no second buffer.
 */

const UNIVERSAL = {
  integer: 0x02,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
} as const;
const CONTEXT = 0x80;
const CONSTRUCTED = 0x20;
const SHORT_LENGTH_MAX = 0x7f;
const BYTE = 256;

/** An element as the pieces of its encoding, in order. */
export interface Der {
  readonly length: number;
  readonly pieces: readonly Uint8Array[];
}

export function sequence(...parts: readonly Der[]): Der {
  return element(UNIVERSAL.sequence, parts);
}

/** SET OF: X.690 §11.6 orders the elements by their encodings. */
export function setOf(...parts: readonly Der[]): Der {
  return element(UNIVERSAL.set, sorted(parts));
}

/** [tag] IMPLICIT SET OF. */
export function taggedSetOf(tag: number, ...parts: readonly Der[]): Der {
  return element(CONTEXT | CONSTRUCTED | tag, sorted(parts));
}

/** [tag] EXPLICIT. */
export function explicit(tag: number, part: Der): Der {
  return element(CONTEXT | CONSTRUCTED | tag, [part]);
}

/** @param value a whole number, at least 0. */
export function integer(value: number): Der {
  const digits: number[] = [];
  for (let rest = value; rest > 0 || digits.length === 0; rest = Math.floor(rest / BYTE)) {
    digits.unshift(rest % BYTE);
  }
  if ((digits[0] ?? 0) > SHORT_LENGTH_MAX) digits.unshift(0);
  return element(UNIVERSAL.integer, [encoded(Uint8Array.from(digits))]);
}

export function octetString(...pieces: readonly Uint8Array[]): Der {
  return element(UNIVERSAL.octetString, pieces.map(encoded));
}

/** [tag] IMPLICIT OCTET STRING. */
export function taggedOctetString(tag: number, ...pieces: readonly Uint8Array[]): Der {
  return element(CONTEXT | tag, pieces.map(encoded));
}

export function utf8String(text: string): Der {
  return element(UNIVERSAL.utf8String, [encoded(Buffer.from(text, "utf8"))]);
}

/** @param dotted e.g. `1.2.156.10197.1.401`. */
export function objectIdentifier(dotted: string): Der {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap(base128);
  return element(UNIVERSAL.objectIdentifier, [encoded(Uint8Array.from(bytes))]);
}

/** An element that is encoded already, such as a certificate. */
export function encoded(bytes: Uint8Array): Der {
  return { length: bytes.length, pieces: [bytes] };
}

/** The whole encoding as one buffer: for small elements. */
export function joined(part: Der): Buffer {
  return Buffer.concat(part.pieces);
}

function element(tag: number, parts: readonly Der[]): Der {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const head = Uint8Array.from([tag, ...lengthBytes(length)]);
  return { length: head.length + length, pieces: [head, ...parts.flatMap((part) => part.pieces)] };
}

function lengthBytes(length: number): number[] {
  if (length <= SHORT_LENGTH_MAX) return [length];
  const digits: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / BYTE)) digits.unshift(rest % BYTE);
  return [CONTEXT | digits.length, ...digits];
}

function sorted(parts: readonly Der[]): Der[] {
  return parts.map((part) => encoded(joined(part))).sort((a, b) => compare(a, b));
}

function compare(a: Der, b: Der): number {
  return Buffer.compare(joined(a), joined(b));
}

function base128(value: number): number[] {
  const digits = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) {
    digits.unshift((rest % 128) | CONTEXT);
  }
  return digits;
}
