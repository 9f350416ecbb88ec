/**
 * Guarantee: an X.509 v3 certificate (RFC 5280) over a P-256 key, signed with
 * ECDSA-SHA256, for transport between services of one zone. It is standard TLS
 * and counts nowhere as SM protection.
 *
 * node-forge issues RSA certificates only, so its ASN.1 layer writes the
 * structure and `node:crypto` makes and uses the keys.
 */
import { createHash, type KeyObject, randomBytes, sign } from "node:crypto";
import forge from "node-forge";
import {
  type Asn1,
  bitString,
  boolean,
  context,
  der,
  extension,
  fromBytes,
  integer,
  octets,
  oid,
  primitive,
  rdn,
  seq,
  time,
  utf8,
} from "../pki/asn1-write.ts";

/** Missing from the published types: 4 or 16 bytes as a binary string, null for a name. */
const addressBytes = forge.util as unknown as { bytesFromIP(host: string): string | null };

const OID = {
  commonName: "2.5.4.3",
  organization: "2.5.4.10",
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  basicConstraints: "2.5.29.19",
  keyUsage: "2.5.29.15",
  extendedKeyUsage: "2.5.29.37",
  subjectAltName: "2.5.29.17",
  subjectKeyIdentifier: "2.5.29.14",
  authorityKeyIdentifier: "2.5.29.35",
  serverAuth: "1.3.6.1.5.5.7.3.1",
  clientAuth: "1.3.6.1.5.5.7.3.2",
} as const;

/** Tags of GeneralName, RFC 5280 §4.2.1.6. */
const GENERAL_NAME = { dns: 2, uri: 6, ip: 7 } as const;

export interface CertificateRequest {
  readonly commonName: string;
  readonly issuerCommonName: string;
  readonly publicKey: KeyObject;
  readonly issuerPublicKey: KeyObject;
  readonly issuerPrivateKey: KeyObject;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly purpose: "ca" | "service" | "client";
  readonly uri?: string;
  readonly hosts?: readonly string[];
}

/** DER of the signed certificate. */
export function buildCertificate(request: CertificateRequest): Buffer {
  const algorithm = seq(oid(OID.ecdsaWithSha256));
  const tbs = seq(
    context(0, integer(Buffer.of(2))),
    integer(serialNumber()),
    algorithm,
    name(request.issuerCommonName),
    seq(time(request.notBefore), time(request.notAfter)),
    name(request.commonName),
    fromBytes(spki(request.publicKey)),
    context(3, seq(...extensions(request))),
  );
  const signature = sign("sha256", der(tbs), request.issuerPrivateKey);
  return der(seq(tbs, algorithm, bitString(signature)));
}

export function pem(der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

function extensions(request: CertificateRequest): Asn1[] {
  const list = [
    extension(OID.subjectKeyIdentifier, octets(keyIdentifier(request.publicKey))),
    extension(
      OID.authorityKeyIdentifier,
      seq(primitive(0, keyIdentifier(request.issuerPublicKey))),
    ),
  ];
  if (request.purpose === "ca") {
    // CA:TRUE with path length 0: it issues end certificates and no further CA.
    list.push(extension(OID.basicConstraints, seq(boolean(true), integer(Buffer.of(0))), true));
    list.push(extension(OID.keyUsage, bitString(Buffer.of(0b0000_0110), 1), true));
    return list;
  }
  list.push(extension(OID.basicConstraints, seq(), true));
  list.push(extension(OID.keyUsage, bitString(Buffer.of(0b1000_0000), 7), true));
  const uses = request.purpose === "client" ? [OID.clientAuth] : [OID.serverAuth, OID.clientAuth];
  list.push(extension(OID.extendedKeyUsage, seq(...uses.map((use) => oid(use)))));
  const names = [
    ...(request.uri === undefined
      ? []
      : [primitive(GENERAL_NAME.uri, Buffer.from(request.uri, "ascii"))]),
    ...(request.hosts ?? []).map(hostName),
  ];
  if (names.length > 0) list.push(extension(OID.subjectAltName, seq(...names)));
  return list;
}

function hostName(host: string): Asn1 {
  const bytes = addressBytes.bytesFromIP(host);
  return bytes === null
    ? primitive(GENERAL_NAME.dns, Buffer.from(host, "ascii"))
    : primitive(GENERAL_NAME.ip, Buffer.from(bytes, "binary"));
}

/** Leftmost 160 bits of SHA-256 of the key bits, RFC 7093 §2 method 1. */
function keyIdentifier(key: KeyObject): Buffer {
  // An uncompressed P-256 point is the last 65 bytes of its SPKI.
  return createHash("sha256").update(spki(key).subarray(-65)).digest().subarray(0, 20);
}

function spki(key: KeyObject): Buffer {
  return key.export({ type: "spki", format: "der" });
}

/** 16 random bytes, positive and without a leading zero byte (RFC 5280 §4.1.2.2). */
function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes;
}

function name(commonName: string): Asn1 {
  return seq(rdn(OID.organization, utf8("Lightferry")), rdn(OID.commonName, utf8(commonName)));
}
