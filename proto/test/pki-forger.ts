/**
 * Guarantee: certificates, requests and lists that are signed rightly and wrong
 * in exactly one place, for tests of what the readers refuse.
 */
import { DEFAULT_USER_ID, loadProvider, type Sm2PrivateKey } from "@lightferry/proto/sm";
import {
  type Asn1,
  bitString,
  context,
  der,
  extension,
  integer,
  octets,
  oid,
  primitive,
  printable,
  rdn,
  seq,
  set,
  time,
  utf8,
  wholeNumber,
} from "../src/pki/asn1-write.ts";
import { keyIdentifier, keyUsage, OID, publicKeyInfo, subjectAltName } from "../src/pki/profile.ts";
import { signatureToDer } from "../src/sm/der.ts";

export const provider = loadProvider();
/** Key of the CA that signs everything here, and of the node it is about. */
export const ca = provider.generateSm2();
export const key = provider.generateSm2();
export const BEGIN = new Date(Date.UTC(2026, 0, 1));
export const END = new Date(Date.UTC(2027, 0, 1));

export const hex = (text: string): Buffer => Buffer.from(text, "hex");

/** Replaces one part. */
export const put =
  <P, K extends keyof P>(part: K, value: P[K]) =>
  (parts: P): void => {
    parts[part] = value;
  };

export function name(commonName: string, organisation = "org"): Asn1 {
  return seq(
    rdn(OID.country, printable("CN")),
    rdn(OID.organisation, utf8(organisation)),
    rdn(OID.commonName, utf8(commonName)),
  );
}

/** The parts of a right node certificate; replace one to make it wrong. */
export function nodeParts(issuerKey: Sm2PrivateKey, key: Sm2PrivateKey) {
  return {
    version: [context(0, wholeNumber(2))] as Asn1[],
    serial: integer(Buffer.from("4a".repeat(16), "hex")),
    algorithm: seq(oid(OID.sm2WithSm3)),
    issuer: name("alpha-ca"),
    validity: seq(time(BEGIN), time(END)),
    subject: name("gw-a-sign"),
    publicKey: publicKeyInfo(key.publicKey),
    extensions: {
      ski: extension(OID.subjectKeyIdentifier, octets(keyIdentifier(provider, key.publicKey))),
      aki: extension(
        OID.authorityKeyIdentifier,
        seq(primitive(0, keyIdentifier(provider, issuerKey.publicKey))),
      ),
      constraints: extension(OID.basicConstraints, seq(), true),
      usage: keyUsage(["digitalSignature", "nonRepudiation"]),
      san: subjectAltName("lightferry://alpha/gw-a/sign"),
    } as Record<string, Asn1 | undefined>,
    /** After the extensions. */
    rest: [] as Asn1[],
  };
}
export type NodeParts = ReturnType<typeof nodeParts>;

/** The node's point as a key on P-256, a curve of no profile here. */
export function keyOnP256(): Asn1 {
  return seq(seq(oid(OID.ecPublicKey), oid("1.2.840.10045.3.1.7")), bitString(key.publicKey));
}

export function tbsOf(parts: NodeParts): Asn1 {
  const extensions = Object.values(parts.extensions).filter((one) => one !== undefined);
  return seq(
    ...parts.version,
    parts.serial,
    parts.algorithm,
    parts.issuer,
    parts.validity,
    parts.subject,
    parts.publicKey,
    context(3, seq(...extensions)),
    ...parts.rest,
  );
}

/** Signs anything the way a CA does. */
export function signAnything(
  key: Sm2PrivateKey,
  tbs: Asn1,
  algorithm: Asn1 = seq(oid(OID.sm2WithSm3)),
): Buffer {
  const signature = signatureToDer(provider.sm2Sign(key, der(tbs), DEFAULT_USER_ID));
  return der(seq(tbs, algorithm, bitString(signature)));
}

/** A node certificate, right but for `change`. @param algorithm outside what is signed. */
export function certificateWith(change?: (parts: NodeParts) => void, algorithm?: Asn1): Buffer {
  const parts = nodeParts(ca, key);
  change?.(parts);
  return signAnything(ca, tbsOf(parts), algorithm);
}

/** The parts of a right list; replace one to make it wrong. */
export function listParts(issuerKey: Sm2PrivateKey) {
  return {
    version: [wholeNumber(1)] as Asn1[],
    algorithm: seq(oid(OID.sm2WithSm3)),
    issuer: name("alpha-ca"),
    times: [time(BEGIN), time(END)],
    entries: [seq(entry("11", BEGIN), entry("22", BEGIN))] as Asn1[],
    crlExtensions: [
      extension(
        OID.authorityKeyIdentifier,
        seq(primitive(0, keyIdentifier(provider, issuerKey.publicKey))),
      ),
      extension(OID.crlNumber, wholeNumber(5)),
    ] as Asn1[],
    /** After the extensions. */
    rest: [] as Asn1[],
  };
}
export type ListParts = ReturnType<typeof listParts>;

export function entry(serial: string, at: Date, ...rest: Asn1[]): Asn1 {
  return seq(integer(Buffer.from(serial, "hex")), time(at), ...rest);
}

export function listTbs(parts: ListParts): Asn1 {
  return seq(
    ...parts.version,
    parts.algorithm,
    parts.issuer,
    ...parts.times,
    ...parts.entries,
    ...(parts.crlExtensions.length === 0 ? [] : [context(0, seq(...parts.crlExtensions))]),
    ...parts.rest,
  );
}

/** A list, right but for `change`. */
export function listWith(change?: (parts: ListParts) => void): Buffer {
  const parts = listParts(ca);
  change?.(parts);
  return signAnything(ca, listTbs(parts));
}

/** The parts of a right request. */
export function requestParts(key: Sm2PrivateKey) {
  return {
    version: wholeNumber(0),
    subject: name("gw-a-sign"),
    publicKey: publicKeyInfo(key.publicKey),
    attributes: [
      seq(oid(OID.extensionRequest), set(seq(subjectAltName("lightferry://alpha/gw-a/sign")))),
    ] as Asn1[],
  };
}
export type RequestParts = ReturnType<typeof requestParts>;

export function requestTbs(parts: RequestParts): Asn1 {
  return seq(parts.version, parts.subject, parts.publicKey, context(0, ...parts.attributes));
}

/** A request, right but for `change`. @param by who signs it: the key itself, to be right. */
export function requestWith(change?: (parts: RequestParts) => void, by = key): Buffer {
  const parts = requestParts(key);
  change?.(parts);
  return signAnything(by, requestTbs(parts));
}
