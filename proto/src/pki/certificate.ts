/**
 * Guarantee: a {@link Certificate} exists only for bytes that follow the SM2
 * profile in full: version 3, one encoding, a key on the curve, known extensions
 * alone, and key usages, names and identity that fit each other.
 */
import { formatKeyId, loadProvider } from "../sm/index.ts";
import { malformed } from "./asn1-read.ts";
import { CERTIFICATE_MAX_BYTES, SERIAL_MAX_BYTES } from "./limits.ts";
import {
  extensionValue,
  keyIdentifierText,
  readAuthorityKeyId,
  readExtensions,
  readIdentity,
  readKeyUsage,
  readName,
  readPublicKey,
  readSigned,
  readSm2WithSm3,
} from "./parts.ts";
import { keyIdentifier, keyUsageOf, OID, PATH_LENGTH } from "./profile.ts";
import type { Certificate, CertificateRole } from "./types.ts";

/** Version 3 is written as 2. */
const VERSION_3 = 2;

const KNOWN_EXTENSIONS = {
  [OID.basicConstraints]: "critical",
  [OID.keyUsage]: "critical",
  [OID.subjectAltName]: "plain",
  [OID.subjectKeyIdentifier]: "plain",
  [OID.authorityKeyIdentifier]: "plain",
} as const;

/**
 * Reads a certificate. Its signature is not checked here.
 * @param bytes DER, at most 2 KiB; copied.
 * @throws GatewayError `certificate.malformed`
 */
export function parseCertificate(bytes: Uint8Array): Certificate {
  const provider = loadProvider();
  const { body, tbs, signature } = readSigned(bytes, CERTIFICATE_MAX_BYTES, "certificate");
  const fields = body.sequence("certificate");
  const version = fields.next().context(0, "version");
  if (version.next().wholeNumber("version") !== VERSION_3) throw malformed("certificate: version");
  version.end();
  const serial = fields.next().unsigned(SERIAL_MAX_BYTES, "serial number");
  if (serial.every((byte) => byte === 0)) throw malformed("certificate: serial number is zero");
  readSm2WithSm3(fields.next());
  const issuer = readName(fields.next());
  const validity = fields.next().sequence("validity");
  const notBeforeMs = validity.next().time("not before");
  const notAfterMs = validity.next().time("not after");
  validity.end();
  if (notBeforeMs >= notAfterMs) throw malformed("certificate: ends before it begins");
  const subject = readName(fields.next());
  const publicKey = readPublicKey(provider, fields.next());
  const explicit = fields.next().context(3, "extensions");
  const extensions = readExtensions(explicit.next(), KNOWN_EXTENSIONS);
  explicit.end();
  fields.end();

  const subjectKeyId = keyIdentifierText(
    extensionValue(extensions, OID.subjectKeyIdentifier, "subject key identifier").octets("bytes"),
  );
  if (subjectKeyId !== keyIdentifier(provider, publicKey).toString("hex")) {
    throw malformed("certificate: subject key identifier of another key");
  }
  const authorityKeyId = readAuthorityKeyId(extensions);
  const selfIssued = issuer.der.equals(subject.der);
  if (selfIssued !== (authorityKeyId === subjectKeyId)) {
    throw malformed("certificate: half self-issued");
  }
  const uri = extensions.has(OID.subjectAltName) ? readIdentity(extensions) : undefined;
  if (selfIssued !== (uri === undefined)) {
    throw malformed("certificate: exactly a root has no identity");
  }
  const role: CertificateRole = uri?.role ?? "root";
  checkConstraints(extensions, role);
  const keyUsage = readKeyUsage(extensions);
  if (keyUsage.join() !== keyUsageOf(role, uri?.identity?.use).join()) {
    throw malformed("certificate: key usage does not fit its use");
  }
  return Object.freeze({
    der: Uint8Array.from(bytes),
    digest: Buffer.from(provider.sm3(bytes)).toString("hex"),
    serial: serial.toString("hex"),
    subject: subject.text,
    issuer: issuer.text,
    subjectName: subject.der,
    issuerName: issuer.der,
    publicKey,
    keyId: formatKeyId(publicKey),
    authorityKeyId,
    subjectKeyId,
    notBeforeMs,
    notAfterMs,
    role,
    zone: uri?.zone,
    identity: uri?.identity,
    keyUsage,
    organisation: subject.organisation,
    demo: subject.demo,
    tbs,
    signature,
  });
}

/** cA TRUE and the path length of its level for a CA; an empty sequence for a node. */
function checkConstraints(extensions: ReadonlyMap<string, Buffer>, role: CertificateRole): void {
  const what = "basic constraints";
  const members = extensionValue(extensions, OID.basicConstraints, what).sequence(what);
  if (role !== "node") {
    members.next().true("certificate authority");
    if (members.next().wholeNumber("path length") !== PATH_LENGTH[role]) {
      throw malformed(`${what}: path length`);
    }
  }
  members.end();
}
