/**
 * Guarantee: tells a certificate, a request and a list apart by their first
 * bytes, at no cost and without believing any; the readers decide what it is.
 */

export type PkiKind = "certificate" | "revocation-list" | "request";

const SEQUENCE = 0x30;
const INTEGER = 0x02;
const EXPLICIT_VERSION = 0xa0;

/** Undefined when the bytes begin like none of the three, or are not one element in length. */
export function pkiKind(der: Uint8Array): PkiKind | undefined {
  const outer = header(der, 0);
  const inner = outer === undefined ? undefined : header(der, outer.start);
  if (outer?.end !== der.length || inner === undefined) return undefined;
  const [tag, length, version] = der.subarray(inner.start, inner.start + 3);
  if (tag === EXPLICIT_VERSION) return "certificate";
  if (tag !== INTEGER || length !== 1) return undefined;
  // A request begins with version 0, a version-2 list with 1.
  if (version === 0) return "request";
  return version === 1 ? "revocation-list" : undefined;
}

/** Where the content of the SEQUENCE at `at` begins and ends, by its definite length of up to four bytes. */
function header(der: Uint8Array, at: number): { start: number; end: number } | undefined {
  const [tag, first] = der.subarray(at, at + 2);
  if (tag !== SEQUENCE || first === undefined) return undefined;
  const start = at + 2;
  if (first < 0x80) return { start, end: start + first };
  const count = first - 0x80;
  const digits = der.subarray(start, start + count);
  if (count === 0 || count > 4 || digits.length !== count) return undefined;
  const length = digits.reduce((sum, digit) => sum * 256 + digit, 0);
  return { start: start + count, end: start + count + length };
}
