/**
 * Guarantee: true only for a certificate or list that this CA signed and was
 * allowed to sign: name, key identifier, role, zone and the SM2 signature over
 * the exact bytes, with the user id 1234567812345678 (GB/T 35276).
 */
import { DEFAULT_USER_ID, type SmProvider } from "../sm/index.ts";
import type { Certificate, RevocationList } from "./types.ts";

/**
 * Whether `issuer` issued `certificate` and may have: a root issues itself and issuing CAs, an issuing
 * CA nodes of its own zone. Time, revocation and demonstration marks are judged by the trust store.
 */
export function verifyCertificateSignature(
  provider: SmProvider,
  certificate: Certificate,
  issuer: Certificate,
): boolean {
  return mayIssue(issuer, certificate) && isSignedBy(provider, certificate, issuer);
}

/** Whether the signature of that CA is on it, be it allowed to or not. */
export function isSignedBy(
  provider: SmProvider,
  certificate: Certificate,
  issuer: Certificate,
): boolean {
  return (
    certificate.authorityKeyId === issuer.subjectKeyId &&
    Buffer.compare(certificate.issuerName, issuer.subjectName) === 0 &&
    provider.sm2Verify(issuer.publicKey, certificate.tbs, certificate.signature, DEFAULT_USER_ID)
  );
}

/** Whether `issuer`, a CA, signed this list. */
export function verifyRevocationList(
  provider: SmProvider,
  list: RevocationList,
  issuer: Certificate,
): boolean {
  return (
    issuer.role !== "node" &&
    list.authorityKeyId === issuer.subjectKeyId &&
    Buffer.compare(list.issuerName, issuer.subjectName) === 0 &&
    provider.sm2Verify(issuer.publicKey, list.tbs, list.signature, DEFAULT_USER_ID)
  );
}

/** Role and zone; the signature is another question. */
export function mayIssue(issuer: Certificate, certificate: Certificate): boolean {
  if (certificate.role === "root") return issuer.digest === certificate.digest;
  if (certificate.role === "issuer") return issuer.role === "root";
  return issuer.role === "issuer" && issuer.zone === certificate.zone;
}
