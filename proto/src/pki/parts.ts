/**
 * Guarantee: the parts that certificates, requests and lists have in common
 * (names, keys, algorithms, extensions, signatures) are read strictly, and
 * anything outside the SM2 profile is refused.
 */
import { GatewayError } from "../errors/index.ts";
import { signatureFromDer } from "../sm/der.ts";
import type { Sm2PublicKey, SmProvider } from "../sm/index.ts";
import { type Element, malformed, readDer } from "./asn1-read.ts";
import { CERTIFICATE_MAX_BYTES, NAME_TEXT_MAX } from "./limits.ts";
import { COUNTRY, DEMO_UNIT, GENERAL_NAME_URI, OID, type ParsedUri, parseUri } from "./profile.ts";
import { KEY_USAGE_NAMES, type KeyUsageName } from "./types.ts";

/** 0x04, two coordinates of 32 bytes. */
const POINT_BYTES = 65;
/** Two scheme and path names of 63 characters, `lightferry://`, the use and strokes. */
const URI_MAX_BYTES = 160;

export interface ParsedName {
  readonly text: string;
  readonly der: Buffer;
  readonly organisation: string;
  readonly demo: boolean;
  readonly commonName: string;
}

/** C=CN, O, an optional OU=演示, CN; one attribute each, in this order. */
export function readName(element: Element): ParsedName {
  const rdns = element.sequence("name");
  const attribute = (id: string): string => {
    const pair = rdns.next().set("name part");
    const parts = pair.next().sequence("name attribute");
    pair.end();
    if (parts.next().oid("name attribute") !== id) throw malformed("name: unexpected attribute");
    const value = parts.next().text(NAME_TEXT_MAX, "name text");
    parts.end();
    return value;
  };
  if (attribute(OID.country) !== COUNTRY) throw malformed("name: country is not CN");
  const organisation = attribute(OID.organisation);
  const demo = rdns.left === 2;
  if (demo && attribute(OID.organisationalUnit) !== DEMO_UNIT) {
    throw malformed("name: unexpected organisational unit");
  }
  const commonName = attribute(OID.commonName);
  rdns.end();
  const unit = demo ? `OU=${DEMO_UNIT}, ` : "";
  const text = `C=${COUNTRY}, O=${organisation}, ${unit}CN=${commonName}`;
  return { text, der: element.der(), organisation, demo, commonName };
}

/** SubjectPublicKeyInfo: an uncompressed point on the SM2 curve and no other key. */
export function readPublicKey(provider: SmProvider, element: Element): Sm2PublicKey {
  const info = element.sequence("public key");
  const algorithm = info.next().sequence("public key algorithm");
  if (algorithm.next().oid("public key algorithm") !== OID.ecPublicKey) {
    throw malformed("public key: not an elliptic curve key");
  }
  if (algorithm.next().oid("curve") !== OID.sm2Curve) throw malformed("public key: not on SM2");
  algorithm.end();
  const point = info.next().bits("public key");
  info.end();
  if (point.length !== POINT_BYTES) throw malformed("public key: not an uncompressed point");
  try {
    return provider.checkPublicKey(Uint8Array.from(point));
  } catch (cause) {
    if (cause instanceof GatewayError && cause.code === "sm.key-invalid") {
      throw malformed("public key: not on the curve", cause);
    }
    throw cause;
  }
}

export function readSm2WithSm3(element: Element): void {
  const algorithm = element.sequence("signature algorithm");
  if (algorithm.next().oid("signature algorithm") !== OID.sm2WithSm3) {
    throw malformed("signature algorithm: not SM2 with SM3");
  }
  // No parameters: a NULL there would be a second encoding of the same thing.
  algorithm.end();
}

/** The three parts of every signed structure. @returns tbs, its bytes, and r || s. */
export function readSigned(
  bytes: Uint8Array,
  limit: number,
  what: string,
): { body: Element; tbs: Buffer; signature: Uint8Array } {
  const outer = readDer(bytes, limit, what).sequence("structure");
  const body = outer.next();
  readSm2WithSm3(outer.next());
  const encoded = outer.next().bits("signature");
  outer.end();
  try {
    return { body, tbs: body.der(), signature: signatureFromDer(encoded) };
  } catch (cause) {
    throw malformed(`${what}: signature`, cause);
  }
}

/** Extensions by identifier: each known, once, and critical exactly when `known` says so. */
export function readExtensions(
  element: Element,
  known: Readonly<Record<string, "critical" | "plain">>,
): ReadonlyMap<string, Buffer> {
  const list = element.sequence("extensions");
  const found = new Map<string, Buffer>();
  while (list.left > 0) {
    const members = list.next().sequence("extension");
    const id = members.next().oid("extension");
    const critical = members.left === 2 && members.next().true("extension critical");
    const value = members.next().octets("extension value");
    members.end();
    const expected = Object.hasOwn(known, id) ? known[id] : undefined;
    // The profile is closed: an extension that nobody here understands may limit the certificate.
    if (expected === undefined) throw malformed(`extension ${id}: unknown`);
    if (critical !== (expected === "critical")) {
      throw malformed(`extension ${id}: ${critical ? "critical" : "not critical"}`);
    }
    if (found.has(id)) throw malformed(`extension ${id}: stands twice`);
    found.set(id, value);
  }
  return found;
}

/** Content of one extension as DER. @throws GatewayError `certificate.malformed` when it is missing. */
export function extensionValue(
  extensions: ReadonlyMap<string, Buffer>,
  id: string,
  what: string,
): Element {
  const value = extensions.get(id);
  if (value === undefined) throw malformed(`${what}: missing`);
  return readDer(value, CERTIFICATE_MAX_BYTES, what);
}

export function readKeyUsage(extensions: ReadonlyMap<string, Buffer>): KeyUsageName[] {
  const bits = extensionValue(extensions, OID.keyUsage, "key usage").namedBits("key usage");
  return bits.map((bit) => {
    const name = KEY_USAGE_NAMES[bit];
    if (name === undefined) throw malformed("key usage: unknown bit");
    return name;
  });
}

/** The one URI of a subject alternative name. */
export function readIdentity(extensions: ReadonlyMap<string, Buffer>): ParsedUri {
  const names = extensionValue(extensions, OID.subjectAltName, "identity").sequence("identity");
  const uri = names.next().primitive(GENERAL_NAME_URI, "identity");
  names.end();
  if (uri.length > URI_MAX_BYTES) throw malformed("identity: too long");
  const parsed = parseUri(uri.toString("latin1"));
  if (parsed === undefined) throw malformed("identity: not lightferry://<zone>/<node>/<use>");
  return parsed;
}

/** 20 bytes of a key identifier as lower-case hex. */
export function keyIdentifierText(bytes: Buffer): string {
  if (bytes.length !== 20) throw malformed("key identifier: not 20 bytes");
  return bytes.toString("hex");
}

/** AuthorityKeyIdentifier with the key identifier alone. */
export function readAuthorityKeyId(extensions: ReadonlyMap<string, Buffer>): string {
  const what = "authority key identifier";
  const members = extensionValue(extensions, OID.authorityKeyIdentifier, what).sequence(what);
  const text = keyIdentifierText(members.next().primitive(0, what));
  members.end();
  return text;
}
