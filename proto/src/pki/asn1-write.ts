/**
 * Guarantee: the DER of each ASN.1 type the gateway writes, made by node-forge's
 * ASN.1 layer; shared by SM2 certificates and by the TLS certificates of rpc/.
 */
import forge from "node-forge";

const { asn1 } = forge;
export type Asn1 = forge.asn1.Asn1;

/** Times from 2050 on need the long form (RFC 5280 §4.1.2.5). */
const GENERALIZED_FROM_YEAR = 2050;

export function seq(...parts: Asn1[]): Asn1 {
  return asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SEQUENCE, true, parts);
}

export function set(...parts: Asn1[]): Asn1 {
  return asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SET, true, parts);
}

/** A constructed `[tag]`: explicit tagging, or an implicit SEQUENCE. */
export function context(tag: number, ...parts: Asn1[]): Asn1 {
  return asn1.create(asn1.Class.CONTEXT_SPECIFIC, tag, true, parts);
}

/** A primitive `[tag]`: implicit tagging of a string or of bytes. */
export function primitive(tag: number, bytes: Uint8Array): Asn1 {
  return asn1.create(asn1.Class.CONTEXT_SPECIFIC, tag, false, binary(bytes));
}

export function oid(id: string): Asn1 {
  return universal(asn1.Type.OID, asn1.oidToDer(id).getBytes());
}

/** @param bytes big-endian and not negative: the first bit is 0. */
export function integer(bytes: Uint8Array): Asn1 {
  return universal(asn1.Type.INTEGER, binary(bytes));
}

/** A non-negative safe integer, in as few bytes as DER wants. */
export function wholeNumber(value: number): Asn1 {
  const hex = value.toString(16);
  const even = hex.length % 2 === 0 ? hex : `0${hex}`;
  const bytes = Buffer.from(even, "hex");
  return integer((bytes[0] ?? 0) > 0x7f ? Buffer.concat([Buffer.of(0), bytes]) : bytes);
}

export function enumerated(value: number): Asn1 {
  return universal(asn1.Type.ENUMERATED, binary(Buffer.of(value)));
}

export function boolean(value: boolean): Asn1 {
  return universal(asn1.Type.BOOLEAN, value ? "\xff" : "\x00");
}

export function octets(bytes: Uint8Array): Asn1 {
  return universal(asn1.Type.OCTETSTRING, binary(bytes));
}

export function bitString(bytes: Uint8Array, unusedBits = 0): Asn1 {
  return universal(asn1.Type.BITSTRING, binary(Buffer.concat([Buffer.of(unusedBits), bytes])));
}

/** @param at whole seconds count, the rest is dropped. */
export function time(at: Date): Asn1 {
  return at.getUTCFullYear() < GENERALIZED_FROM_YEAR
    ? universal(asn1.Type.UTCTIME, asn1.dateToUtcTime(at) as unknown as string)
    : universal(asn1.Type.GENERALIZEDTIME, asn1.dateToGeneralizedTime(at) as unknown as string);
}

/** RelativeDistinguishedName of one attribute. */
export function rdn(type: string, value: Asn1): Asn1 {
  return set(seq(oid(type), value));
}

export function utf8(text: string): Asn1 {
  return universal(asn1.Type.UTF8, binary(Buffer.from(text, "utf8")));
}

export function printable(text: string): Asn1 {
  return universal(asn1.Type.PRINTABLESTRING, text);
}

/** Extension of RFC 5280 §4.1.2.9; `critical` FALSE is left out, as DER wants of a default. */
export function extension(id: string, value: Asn1, critical = false): Asn1 {
  return seq(oid(id), ...(critical ? [boolean(true)] : []), octets(der(value)));
}

/** An element that is DER already. */
export function fromBytes(bytes: Uint8Array): Asn1 {
  return asn1.fromDer(binary(bytes));
}

export function der(value: Asn1): Buffer {
  return Buffer.from(asn1.toDer(value).getBytes(), "binary");
}

function universal(type: forge.asn1.Type, content: string): Asn1 {
  return asn1.create(asn1.Class.UNIVERSAL, type, false, content);
}

function binary(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("binary");
}
