/**
 * Guarantee: a CA issues only what the profile and its own certificate allow: a
 * root issuing CAs, an issuing CA nodes of its own zone, both inside their own
 * validity, and a demonstration CA demonstration certificates alone.
 */
import { randomBytes } from "node:crypto";
import { GatewayError } from "../errors/index.ts";
import {
  constantTimeEqual,
  DEFAULT_USER_ID,
  type Sm2PrivateKey,
  type Sm2PublicKey,
  type SmProvider,
} from "../sm/index.ts";
import {
  type Asn1,
  boolean,
  context,
  extension,
  fromBytes,
  integer,
  octets,
  primitive,
  seq,
  time,
  wholeNumber,
} from "./asn1-write.ts";
import {
  identityUri,
  issuerUri,
  keyIdentifier,
  keyUsage,
  keyUsageOf,
  nameOf,
  OID,
  PATH_LENGTH,
  publicKeyInfo,
  signatureAlgorithm,
  signed,
  subjectAltName,
} from "./profile.ts";
import { commonNameOf, parseRequest } from "./request.ts";
import type { Certificate, CertificateRole, Issuer, NodeIdentity, Validity } from "./types.ts";

const VERSION_3 = 2;
const SERIAL_BYTES = 16;
/** The last second that the four-digit years of RFC 5280 can say. */
const LATEST_MS = Date.UTC(9999, 11, 31, 23, 59, 59);

interface Plan {
  readonly role: CertificateRole;
  readonly publicKey: Sm2PublicKey;
  readonly subject: Asn1;
  readonly issuerName: Asn1;
  readonly issuerKey: Sm2PublicKey;
  readonly uri: string | undefined;
  readonly identity: NodeIdentity | undefined;
  readonly validity: Validity;
}

/**
 * A self-signed root. It exists once, offline; the gateways pin it by file.
 * @returns DER
 * @throws GatewayError `request.invalid` for names or times out of form.
 */
export function selfSignRoot(
  provider: SmProvider,
  key: Sm2PrivateKey,
  subject: {
    readonly organisation: string;
    readonly commonName: string;
    readonly demo: boolean;
  } & Validity,
): Uint8Array {
  const name = nameOf(subject);
  return sign(provider, key, {
    role: "root",
    publicKey: key.publicKey,
    subject: name,
    issuerName: name,
    issuerKey: key.publicKey,
    uri: undefined,
    identity: undefined,
    validity: subject,
  });
}

/**
 * Issues what a request asks for, with a random serial of 16 bytes.
 * @param request PKCS#10 DER; its proof of possession is checked here again.
 * @param vouchers see {@link parseRequest}
 * @returns DER
 * @throws GatewayError `certificate.malformed`, `request.invalid`, `certificate.wrong-zone`.
 */
export function issueCertificate(
  provider: SmProvider,
  issuer: Issuer,
  request: Uint8Array,
  validity: Validity,
  vouchers: readonly Certificate[] = [],
): Uint8Array {
  const parsed = parseRequest(provider, request, vouchers);
  const ca = issuer.certificate;
  checkIssuerKey(issuer);
  if (ca.role !== (parsed.role === "issuer" ? "root" : "issuer")) {
    throw new GatewayError("request.invalid", { detail: `a ${ca.role} issues no ${parsed.role}` });
  }
  if (ca.role === "issuer" && ca.zone !== parsed.zone) {
    throw new GatewayError("certificate.wrong-zone", { detail: `${ca.zone} for ${parsed.zone}` });
  }
  if (ca.demo !== parsed.demo) {
    throw new GatewayError("request.invalid", { detail: "demonstration and real do not mix" });
  }
  if (
    parsed.publicKey.length === ca.publicKey.length &&
    constantTimeEqual(parsed.publicKey, ca.publicKey)
  ) {
    throw new GatewayError("request.invalid", { detail: "a CA does not certify its own key" });
  }
  if (validity.notBeforeMs < ca.notBeforeMs || validity.notAfterMs > ca.notAfterMs) {
    throw new GatewayError("request.invalid", { detail: "it would outlive its issuer" });
  }
  return sign(provider, issuer.key, {
    role: parsed.role,
    publicKey: parsed.publicKey,
    subject: nameOf({ ...parsed, commonName: commonNameOf(parsed.zone, parsed.identity) }),
    issuerName: fromBytes(ca.subjectName),
    issuerKey: ca.publicKey,
    uri: parsed.identity === undefined ? issuerUri(parsed.zone) : identityUri(parsed.identity),
    identity: parsed.identity,
    validity,
  });
}

/** @throws GatewayError `request.invalid` when the key is not that of the certificate, or it is no CA. */
export function checkIssuerKey({ certificate, key }: Issuer): void {
  if (certificate.role === "node") {
    throw new GatewayError("request.invalid", { detail: "a node certificate issues nothing" });
  }
  if (!constantTimeEqual(certificate.publicKey, key.publicKey)) {
    throw new GatewayError("request.invalid", { detail: "the key is not that of the issuer" });
  }
}

/** 16 random bytes, positive and without a leading zero byte (RFC 5280 §4.1.2.2). */
export function serialNumber(): Buffer {
  const bytes = randomBytes(SERIAL_BYTES);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes;
}

/** @throws GatewayError `request.invalid` for a time that a certificate cannot say. */
export function wholeSecond(ms: number): Date {
  // Before 1970 no clock of this system runs; UTCTime would begin in 1950.
  if (!Number.isFinite(ms) || ms < 0 || ms > LATEST_MS) {
    throw new GatewayError("request.invalid", { detail: `not a time: ${ms}` });
  }
  return new Date(Math.floor(ms / 1000) * 1000);
}

function sign(provider: SmProvider, key: Sm2PrivateKey, plan: Plan): Uint8Array {
  const notBefore = wholeSecond(plan.validity.notBeforeMs);
  const notAfter = wholeSecond(plan.validity.notAfterMs);
  if (notBefore >= notAfter) {
    throw new GatewayError("request.invalid", { detail: "it ends before it begins" });
  }
  const tbs = seq(
    context(0, wholeNumber(VERSION_3)),
    integer(serialNumber()),
    signatureAlgorithm(),
    plan.issuerName,
    seq(time(notBefore), time(notAfter)),
    plan.subject,
    publicKeyInfo(plan.publicKey),
    context(3, seq(...extensions(provider, plan))),
  );
  return signed(tbs, (message) => provider.sm2Sign(key, message, DEFAULT_USER_ID));
}

function extensions(provider: SmProvider, plan: Plan): Asn1[] {
  const { role } = plan;
  const constraints = role === "node" ? seq() : seq(boolean(true), wholeNumber(PATH_LENGTH[role]));
  return [
    extension(OID.subjectKeyIdentifier, octets(keyIdentifier(provider, plan.publicKey))),
    extension(
      OID.authorityKeyIdentifier,
      seq(primitive(0, keyIdentifier(provider, plan.issuerKey))),
    ),
    extension(OID.basicConstraints, constraints, true),
    keyUsage(keyUsageOf(role, plan.identity?.use)),
    ...(plan.uri === undefined ? [] : [subjectAltName(plan.uri)]),
  ];
}
