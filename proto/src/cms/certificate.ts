/**
 * Guarantee: takes out of a certificate what a message must name of it, byte
 * for byte as the issuer wrote it. Any SM2 certificate will do, also one of
 * another authority; that it is to be trusted is not said here.
 */
import { X509Certificate } from "node:crypto";
import { GatewayError } from "../errors/index.ts";
import type { Sm2PublicKey, SmProvider } from "../sm/index.ts";

/** Certificates of authorities with many extensions have up to a few KiB. */
export const EXPORT_CERTIFICATE_MAX = 16 * 1024;

const SEQUENCE = 0x30;
const OBJECT_IDENTIFIER = 0x06;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const BOOLEAN = 0x01;
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;
/** SEQUENCE { id-ecPublicKey, 1.2.156.10197.1.301 }. */
const SM2_KEY = Buffer.from("301306072a8648ce3d020106082a811ccf5501822d", "hex");
const KEY_USAGE = Buffer.from("551d0f", "hex");
/** First byte of KeyUsage, from the highest bit: RFC 5280 §4.2.1.3. */
const USAGE_BITS = { sign: 0x80 | 0x40, encrypt: 0x20 | 0x10 | 0x08 } as const;
/** More elements than a certificate has on one level. */
const ELEMENTS_MAX = 64;

export type CertificateUse = keyof typeof USAGE_BITS;

export interface MessageCertificate {
  readonly der: Uint8Array;
  /** DER of the issuer's Name. */
  readonly issuer: Uint8Array;
  /** DER of the serial number's INTEGER. */
  readonly serial: Uint8Array;
  readonly publicKey: Sm2PublicKey;
}

interface Element {
  readonly tag: number;
  readonly body: Uint8Array;
  readonly whole: Uint8Array;
}

/**
 * @param use what the key is about to be used for; a certificate that says what its key is for
 * must allow it.
 * @param atMs Unix milliseconds of the use; the certificate must be valid then.
 * @throws GatewayError `export.certificate-unusable` naming the reason.
 */
export function readMessageCertificate(
  provider: SmProvider,
  der: Uint8Array,
  use: CertificateUse,
  atMs: number,
): MessageCertificate {
  if (der.length > EXPORT_CERTIFICATE_MAX) throw unusable("length");
  checkValidity(der, atMs);
  const [tbs] = children(only(der, SEQUENCE).body);
  if (tbs === undefined) throw unusable("form");
  const fields = children(tbs.body);
  const numbered = fields[0]?.tag === VERSION ? fields.slice(1) : fields;
  const [serial, , issuer, , , key] = numbered;
  if (serial === undefined || issuer === undefined || key === undefined) throw unusable("form");
  const allowed = keyUsage(numbered.find(({ tag }) => tag === EXTENSIONS));
  if (allowed !== undefined && (allowed & USAGE_BITS[use]) === 0) throw unusable("key usage");
  return { der, issuer: issuer.whole, serial: serial.whole, publicKey: publicKey(provider, key) };
}

/** Also the check by OpenSSL that these bytes are a certificate at all. */
function checkValidity(der: Uint8Array, atMs: number): void {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(der);
  } catch (cause) {
    throw new GatewayError("export.certificate-unusable", { detail: "form", cause });
  }
  const { validFromDate, validToDate } = certificate;
  if (atMs < validFromDate.getTime() || atMs > validToDate.getTime()) throw unusable("validity");
}

function publicKey(provider: SmProvider, info: Element): Sm2PublicKey {
  const [algorithm, bits] = children(info.body);
  if (algorithm === undefined || Buffer.compare(algorithm.whole, SM2_KEY) !== 0) {
    throw unusable("not an SM2 key");
  }
  // The first byte of a BIT STRING counts unused bits.
  if (bits?.tag !== BIT_STRING || bits.body[0] !== 0) throw unusable("key");
  try {
    return provider.checkPublicKey(Uint8Array.from(bits.body.subarray(1)));
  } catch (cause) {
    throw new GatewayError("export.certificate-unusable", { detail: "key", cause });
  }
}

/** First byte of the extension, undefined when the certificate does not limit its key. */
function keyUsage(extensions: Element | undefined): number | undefined {
  if (extensions === undefined) return undefined;
  for (const extension of children(only(extensions.body, SEQUENCE).body)) {
    const parts = children(extension.body).filter(({ tag }) => tag !== BOOLEAN);
    const [id, value] = parts;
    if (id?.tag !== OBJECT_IDENTIFIER || Buffer.compare(id.body, KEY_USAGE) !== 0) continue;
    if (value?.tag !== OCTET_STRING) throw unusable("key usage");
    return only(value.body, BIT_STRING).body[1] ?? 0;
  }
  return undefined;
}

function only(bytes: Uint8Array, tag: number): Element {
  const [first, ...more] = children(bytes);
  if (first?.tag !== tag || more.length > 0) throw unusable("form");
  return first;
}

function children(bytes: Uint8Array): Element[] {
  const elements: Element[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (elements.length === ELEMENTS_MAX) throw unusable("form");
    const element = elementAt(bytes, at);
    elements.push(element);
    at += element.whole.length;
  }
  return elements;
}

function elementAt(bytes: Uint8Array, at: number): Element {
  const first = bytes[at + 1] ?? 0x80;
  const digits = first < 0x80 ? 0 : first - 0x80;
  // Two length bytes reach past the limit; 0x80 is the indefinite form, which DER does not know.
  if (first === 0x80 || digits > 2) throw unusable("form");
  let length = digits === 0 ? first : 0;
  for (let index = 0; index < digits; index += 1)
    length = length * 256 + (bytes[at + 2 + index] ?? 0);
  const start = at + 2 + digits;
  if (start + length > bytes.length) throw unusable("form");
  return {
    tag: bytes[at] ?? 0,
    body: bytes.subarray(start, start + length),
    whole: bytes.subarray(at, start + length),
  };
}

function unusable(detail: string): GatewayError {
  return new GatewayError("export.certificate-unusable", { detail });
}
