/**
 * Guarantee: bytes are read as DER in exactly one way. The length is checked
 * before anything is built, the depth is bounded, and what was read encodes to
 * the same bytes again, so no second encoding of one certificate exists.
 */
import forge from "node-forge";
import { GatewayError } from "../errors/index.ts";
import { type Asn1, der as encode } from "./asn1-write.ts";
import { ASN1_DEPTH_MAX } from "./limits.ts";

const { asn1 } = forge;
const { UNIVERSAL, CONTEXT_SPECIFIC } = asn1.Class;
const { BOOLEAN, INTEGER, BITSTRING, OCTETSTRING, OID, ENUMERATED, SEQUENCE, SET } = asn1.Type;
const { UTF8, PRINTABLESTRING, UTCTIME, GENERALIZEDTIME } = asn1.Type;
/** The published types know the one option `strict` only. */
const parse = asn1.fromDer as unknown as (
  bytes: string,
  options: {
    strict: boolean;
    parseAllBytes: boolean;
    decodeBitStrings: boolean;
    maxDepth: number;
  },
) => Asn1;

export function malformed(what: string, cause?: unknown): GatewayError {
  return new GatewayError("certificate.malformed", { detail: what, cause });
}

/**
 * One DER element, and nothing after it.
 * @param limit most bytes taken, checked first.
 * @throws GatewayError `certificate.malformed`
 */
export function readDer(bytes: Uint8Array, limit: number, what: string): Element {
  if (bytes.length === 0 || bytes.length > limit) {
    throw malformed(`${what}: ${bytes.length} bytes, at most ${limit}`);
  }
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let value: Asn1;
  let again: Buffer;
  try {
    value = parse(view.toString("binary"), {
      strict: true,
      parseAllBytes: true,
      // A bit string is a key or a signature here, never more ASN.1.
      decodeBitStrings: false,
      maxDepth: ASN1_DEPTH_MAX,
    });
    again = encode(value);
  } catch (cause) {
    throw malformed(`${what}: not DER`, cause);
  }
  if (!view.equals(again)) throw malformed(`${what}: not in its one encoding`);
  return new Element(value, what);
}

/** One element of a parsed structure; every reader names where it stands when it refuses. */
export class Element {
  readonly #value: Asn1;
  readonly #what: string;

  constructor(value: Asn1, what: string) {
    this.#value = value;
    this.#what = what;
  }

  /** The bytes of this element: DER has one encoding, so writing it again gives them. */
  der(): Buffer {
    return encode(this.#value);
  }

  sequence(what: string): Members {
    return this.#members(UNIVERSAL, SEQUENCE, what);
  }

  set(what: string): Members {
    return this.#members(UNIVERSAL, SET, what);
  }

  context(tag: number, what: string): Members {
    return this.#members(CONTEXT_SPECIFIC, tag as forge.asn1.Type, what);
  }

  /** Content of a primitive `[tag]`. */
  primitive(tag: number, what: string): Buffer {
    return this.#content(CONTEXT_SPECIFIC, tag as forge.asn1.Type, what);
  }

  oid(what: string): string {
    const content = this.#content(UNIVERSAL, OID, what);
    // The longest object identifier of the profile has 11 bytes.
    if (content.length === 0 || content.length > 32) throw this.#fault(what);
    if (!inFewestBytes(content)) throw this.#fault(what);
    try {
      return asn1.derToOid(content.toString("binary"));
    } catch (cause) {
      throw malformed(`${this.#what}: ${what}`, cause);
    }
  }

  /** A non-negative INTEGER without its leading zero. @param limit most bytes of the number. */
  unsigned(limit: number, what: string): Buffer {
    const content = this.#content(UNIVERSAL, INTEGER, what);
    const first = content[0];
    if (first === undefined || first > 0x7f) throw this.#fault(what);
    const padded = first === 0 && content.length > 1;
    if (padded && (content[1] ?? 0) <= 0x7f) throw this.#fault(what);
    const digits = padded ? content.subarray(1) : content;
    if (digits.length > limit) throw this.#fault(what);
    return digits;
  }

  /** A non-negative safe integer. */
  wholeNumber(what: string): number {
    // Seven bytes hold every safe integer (53 bits).
    const value = Number.parseInt(this.unsigned(7, what).toString("hex"), 16);
    if (!Number.isSafeInteger(value)) throw this.#fault(what);
    return value;
  }

  enumerated(what: string): number {
    const content = this.#content(UNIVERSAL, ENUMERATED, what);
    const [value] = content;
    if (value === undefined || content.length !== 1) throw this.#fault(what);
    return value;
  }

  /** TRUE. A FALSE is a default everywhere in the profile, and DER leaves defaults out. */
  true(what: string): true {
    const content = this.#content(UNIVERSAL, BOOLEAN, what);
    if (content.length !== 1 || content[0] !== 0xff) throw this.#fault(what);
    return true;
  }

  octets(what: string): Buffer {
    return this.#content(UNIVERSAL, OCTETSTRING, what);
  }

  /** A bit string of whole bytes. */
  bits(what: string): Buffer {
    const content = this.#content(UNIVERSAL, BITSTRING, what);
    if (content[0] !== 0) throw this.#fault(what);
    return content.subarray(1);
  }

  /** Positions of the bits set in a named bit list of at most one byte, without trailing zeros. */
  namedBits(what: string): number[] {
    const content = this.#content(UNIVERSAL, BITSTRING, what);
    const [unused, byte] = content;
    if (content.length !== 2 || unused === undefined || byte === undefined) throw this.#fault(what);
    const set = [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => ((byte << bit) & 0x80) !== 0);
    if (unused !== 7 - (set.at(-1) ?? -1)) throw this.#fault(what);
    return set;
  }

  /** A PrintableString or UTF8String of 1..`limit` characters without control characters. */
  text(limit: number, what: string): string {
    const type = this.#isUniversal(PRINTABLESTRING) ? PRINTABLESTRING : UTF8;
    const content = this.#content(UNIVERSAL, type, what);
    // Four bytes a character at most.
    if (content.length === 0 || content.length > 4 * limit) throw this.#fault(what);
    const text = content.toString("utf8");
    const fits = [...text].length <= limit && Buffer.from(text, "utf8").equals(content);
    const form = type === PRINTABLESTRING ? /^[A-Za-z0-9 '()+,\-./:=?]+$/ : /^[^\p{C}]+$/u;
    if (!fits || !form.test(text)) throw this.#fault(what);
    return text;
  }

  /** Unix milliseconds of a time in whole seconds of UTC, in the form RFC 5280 §4.1.2.5 demands. */
  time(what: string): number {
    const short = this.#isUniversal(UTCTIME);
    const content = this.#content(UNIVERSAL, short ? UTCTIME : GENERALIZEDTIME, what);
    const text = content.toString("latin1");
    const digits = (short ? /^\d{12}Z$/ : /^\d{14}Z$/).test(text) ? text.slice(0, -1) : undefined;
    if (digits === undefined) throw this.#fault(what);
    const full = short ? `${Number(digits.slice(0, 2)) < 50 ? "20" : "19"}${digits}` : digits;
    const [, year, month, day, hour, minute, second] =
      /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(full) ?? [];
    const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
    const ms = Date.parse(iso);
    // Date.parse takes 24:00:00 and, in some engines, 30 February; the way back shows it.
    if (Number.isNaN(ms) || new Date(ms).toISOString() !== iso) throw this.#fault(what);
    if (!short && Number(year) < 2050) throw this.#fault(what);
    return ms;
  }

  #fault(what: string): GatewayError {
    return malformed(`${this.#what}: ${what}`);
  }

  #content(tagClass: forge.asn1.Class, type: forge.asn1.Type, what: string): Buffer {
    const { value } = this.#value;
    if (!this.#is(tagClass, type, false) || typeof value !== "string") throw this.#fault(what);
    return Buffer.from(value, "binary");
  }

  #members(tagClass: forge.asn1.Class, type: forge.asn1.Type, what: string): Members {
    const { value } = this.#value;
    if (!this.#is(tagClass, type, true) || typeof value === "string") throw this.#fault(what);
    return new Members(
      value.map((member) => new Element(member, this.#what)),
      `${this.#what}: ${what}`,
    );
  }

  #isUniversal(type: forge.asn1.Type): boolean {
    return this.#value.tagClass === UNIVERSAL && this.#value.type === type;
  }

  #is(tagClass: forge.asn1.Class, type: forge.asn1.Type, constructed: boolean): boolean {
    const value = this.#value;
    return value.tagClass === tagClass && value.type === type && value.constructed === constructed;
  }
}

/**
 * Whether every arc of an object identifier is whole and without leading zeros (X.690 §8.19.2). The
 * algorithm beside a signature is not signed: padded there, one certificate would have many digests.
 */
function inFewestBytes(content: Buffer): boolean {
  const begins = (at: number): boolean => at === 0 || (content[at - 1] ?? 0) < 0x80;
  return (
    (content.at(-1) ?? 0x80) < 0x80 && !content.some((byte, at) => byte === 0x80 && begins(at))
  );
}

/** The members of a SEQUENCE, SET or `[tag]`, taken in order; `end()` refuses the rest. */
export class Members {
  readonly #members: readonly Element[];
  readonly #what: string;
  #at = 0;

  constructor(members: readonly Element[], what: string) {
    this.#members = members;
    this.#what = what;
  }

  get left(): number {
    return this.#members.length - this.#at;
  }

  next(): Element {
    const member = this.#members[this.#at];
    if (member === undefined) throw malformed(`${this.#what}: too few members`);
    this.#at += 1;
    return member;
  }

  end(): void {
    if (this.left !== 0) throw malformed(`${this.#what}: too many members`);
  }
}
