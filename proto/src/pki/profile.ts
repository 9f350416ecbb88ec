/**
 * Guarantee: the object identifiers, names and key usages of the SM2 profile
 * (GB/T 20518-2018) stand here once; writer and reader use the same table.
 */
import { GatewayError } from "../errors/index.ts";
import { signatureToDer } from "../sm/der.ts";
import type { SmProvider } from "../sm/index.ts";
import {
  type Asn1,
  bitString,
  der,
  extension,
  oid,
  primitive,
  printable,
  rdn,
  seq,
  utf8,
} from "./asn1-write.ts";
import { NAME_FORM, NAME_TEXT_MAX } from "./limits.ts";
import {
  type CertificateRole,
  type CertificateUse,
  isCertificateUse,
  KEY_USAGE_NAMES,
  type KeyUsageName,
  type NodeIdentity,
} from "./types.ts";

export const OID = {
  country: "2.5.4.6",
  organisation: "2.5.4.10",
  organisationalUnit: "2.5.4.11",
  commonName: "2.5.4.3",
  /** GB/T 33560-2017: SM2 signature with SM3. */
  sm2WithSm3: "1.2.156.10197.1.501",
  sm2Curve: "1.2.156.10197.1.301",
  ecPublicKey: "1.2.840.10045.2.1",
  basicConstraints: "2.5.29.19",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  subjectKeyIdentifier: "2.5.29.14",
  authorityKeyIdentifier: "2.5.29.35",
  crlNumber: "2.5.29.20",
  crlReason: "2.5.29.21",
  extensionRequest: "1.2.840.113549.1.9.14",
} as const;

/** uniformResourceIdentifier of GeneralName, RFC 5280 §4.2.1.6. */
export const GENERAL_NAME_URI = 6;
export const COUNTRY = "CN";
/** Organisational unit of every certificate of a demonstration chain. */
export const DEMO_UNIT = "演示";
/** Leftmost 160 bits, RFC 7093 §2 method 1, over SM3 in place of SHA-256. */
const KEY_IDENTIFIER_BYTES = 20;

const SIGNING: readonly KeyUsageName[] = ["digitalSignature", "nonRepudiation"];

/** Exactly these bits of keyUsage (GB/T 20518-2018): 双证书 keeps signing and encryption apart. */
export function keyUsageOf(
  role: CertificateRole,
  use: CertificateUse | undefined,
): readonly KeyUsageName[] {
  if (role !== "node") return ["keyCertSign", "cRLSign"];
  return use === "encrypt" ? ["keyEncipherment", "dataEncipherment", "keyAgreement"] : SIGNING;
}

/** CA certificates a CA may have below it: root → issuing CA → node. */
export const PATH_LENGTH = { root: 1, issuer: 0 } as const;

export function keyIdentifier(provider: SmProvider, publicKey: Uint8Array): Buffer {
  return Buffer.from(provider.sm3(publicKey).subarray(0, KEY_IDENTIFIER_BYTES));
}

/** The SAN of a node certificate, or of an issuing CA. */
export function identityUri(identity: NodeIdentity): string {
  return `lightferry://${identity.zone}/${identity.node}/${identity.use}`;
}

export function issuerUri(zone: string): string {
  return `lightferry://${zone}/ca`;
}

export type ParsedUri =
  | { readonly role: "issuer"; readonly zone: string; readonly identity: undefined }
  | { readonly role: "node"; readonly zone: string; readonly identity: NodeIdentity };

/** Undefined when the text is not one of the two forms. */
export function parseUri(uri: string): ParsedUri | undefined {
  const [, zone, node, use] = /^lightferry:\/\/([^/]+)\/([^/]+)(?:\/([^/]+))?$/.exec(uri) ?? [];
  if (zone === undefined || node === undefined || !NAME_FORM.test(zone)) return undefined;
  if (use === undefined) {
    return node === "ca" ? { role: "issuer", zone, identity: undefined } : undefined;
  }
  if (!NAME_FORM.test(node) || !isCertificateUse(use)) return undefined;
  return { role: "node", zone, identity: { zone, node, use } };
}

export interface NameParts {
  readonly organisation: string;
  readonly demo: boolean;
  readonly commonName: string;
}

/**
 * Name: C=CN, O=organisation, OU=演示 when for demonstration, CN.
 * @throws GatewayError `request.invalid` for an empty or overlong part.
 */
export function nameOf(parts: NameParts): Asn1 {
  for (const text of [parts.organisation, parts.commonName]) {
    const characters = [...text].length;
    if (characters === 0 || characters > NAME_TEXT_MAX || /\p{C}/u.test(text)) {
      throw new GatewayError("request.invalid", {
        detail: `a name of 1..${NAME_TEXT_MAX} characters is needed`,
      });
    }
  }
  return seq(
    rdn(OID.country, printable(COUNTRY)),
    rdn(OID.organisation, utf8(parts.organisation)),
    ...(parts.demo ? [rdn(OID.organisationalUnit, utf8(DEMO_UNIT))] : []),
    rdn(OID.commonName, utf8(parts.commonName)),
  );
}

export function signatureAlgorithm(): Asn1 {
  return seq(oid(OID.sm2WithSm3));
}

export function publicKeyInfo(publicKey: Uint8Array): Asn1 {
  return seq(seq(oid(OID.ecPublicKey), oid(OID.sm2Curve)), bitString(publicKey));
}

export function subjectAltName(uri: string): Asn1 {
  return extension(OID.subjectAltName, seq(primitive(GENERAL_NAME_URI, Buffer.from(uri, "ascii"))));
}

export function keyUsage(names: readonly KeyUsageName[]): Asn1 {
  const bits = names.map((name) => KEY_USAGE_NAMES.indexOf(name));
  const byte = bits.reduce((sum, bit) => sum | (0x80 >> bit), 0);
  return extension(OID.keyUsage, bitString(Buffer.of(byte), 7 - Math.max(...bits)), true);
}

/** `SEQUENCE { tbs, algorithm, signature }`, signed over the DER of `tbs` with the default user id. */
export function signed(tbs: Asn1, sign: (message: Uint8Array) => Uint8Array): Uint8Array {
  const signature = signatureToDer(sign(der(tbs)));
  return Uint8Array.from(der(seq(tbs, signatureAlgorithm(), bitString(signature))));
}
