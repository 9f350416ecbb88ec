/**
 * Guarantee: what a certificate, request or revocation list of the profile says,
 * as plain values. Being parsed proves form only: signatures are checked by
 * verify.ts, trust is decided by the trust store.
 */
import type { Sm2PrivateKey, Sm2PublicKey } from "../sm/index.ts";

/** One SM2 key and one certificate for each. */
export const CERTIFICATE_USES = ["sign", "encrypt", "policy", "audit", "ferry"] as const;
export type CertificateUse = (typeof CERTIFICATE_USES)[number];

export function isCertificateUse(value: string): value is CertificateUse {
  return (CERTIFICATE_USES as readonly string[]).includes(value);
}

/** What a node certificate is for; its SAN is `lightferry://<zone>/<node>/<use>`. */
export interface NodeIdentity {
  readonly zone: string;
  readonly node: string;
  readonly use: CertificateUse;
}

export type CertificateRole = "root" | "issuer" | "node";

export interface Certificate {
  readonly der: Uint8Array;
  /** SM3 of the DER, lower-case hex. */
  readonly digest: string;
  /** Lower-case hex, 32 characters for serials that this system issues. */
  readonly serial: string;
  /** For reading: `C=CN, O=…, CN=…`. */
  readonly subject: string;
  readonly issuer: string;
  /** DER of both names: what is compared. */
  readonly subjectName: Uint8Array;
  readonly issuerName: Uint8Array;
  /** On the curve. */
  readonly publicKey: Sm2PublicKey;
  /** As `formatKeyId(publicKey)`. */
  readonly keyId: string;
  /** Lower-case hex of 20 bytes; of a root its own. */
  readonly authorityKeyId: string;
  readonly subjectKeyId: string;
  /** Unix milliseconds, whole seconds: valid from `notBeforeMs` on and before `notAfterMs`. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly role: CertificateRole;
  /** Zone of an issuer or node; a root has none. */
  readonly zone: string | undefined;
  /** Of a node certificate alone. */
  readonly identity: NodeIdentity | undefined;
  readonly keyUsage: readonly KeyUsageName[];
  readonly organisation: string;
  /** OU 演示: refused in production mode. */
  readonly demo: boolean;
  /** The signed bytes. */
  readonly tbs: Uint8Array;
  /** 64 bytes r || s over `tbs`. */
  readonly signature: Uint8Array;
}

/** In the order of their bits, RFC 5280 §4.2.1.3. */
export const KEY_USAGE_NAMES = [
  "digitalSignature",
  "nonRepudiation",
  "keyEncipherment",
  "dataEncipherment",
  "keyAgreement",
  "keyCertSign",
  "cRLSign",
] as const;
export type KeyUsageName = (typeof KEY_USAGE_NAMES)[number];

/** Whom a request asks a certificate for. */
export type RequestSubject = { readonly organisation: string; readonly demo: boolean } & (
  | { readonly identity: NodeIdentity }
  | { readonly zone: string; readonly ca: true }
);

/** A PKCS#10 request whose proof of possession was checked. */
export interface SigningRequest {
  readonly der: Uint8Array;
  /** SM3 of the DER, lower-case hex: both sides compare it by voice. */
  readonly digest: string;
  readonly publicKey: Sm2PublicKey;
  readonly keyId: string;
  readonly subject: string;
  readonly role: "issuer" | "node";
  readonly zone: string;
  readonly identity: NodeIdentity | undefined;
  readonly organisation: string;
  readonly demo: boolean;
  /** Key id of the node's signing key that signed in the place of an encryption key; undefined: its own did. */
  readonly vouchedBy: string | undefined;
}

/** A CA that signs: its certificate and the key that belongs to it. */
export interface Issuer {
  readonly certificate: Certificate;
  readonly key: Sm2PrivateKey;
}

export interface Validity {
  /** Unix milliseconds; certificates hold whole seconds, so both are rounded down. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** RFC 5280 §5.3.1 without `certificateHold`: a revocation here is final. */
export const REVOCATION_REASONS = {
  unspecified: 0,
  keyCompromise: 1,
  cACompromise: 2,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  privilegeWithdrawn: 9,
} as const;
export type RevocationReason = keyof typeof REVOCATION_REASONS;

export interface RevokedEntry {
  /** Serial as in {@link Certificate.serial}. */
  readonly serial: string;
  /** Unix milliseconds, whole seconds. */
  readonly revokedMs: number;
  readonly reason: RevocationReason;
}

export interface RevocationList {
  readonly der: Uint8Array;
  /** SM3 of the DER, lower-case hex. */
  readonly digest: string;
  readonly issuer: string;
  readonly issuerName: Uint8Array;
  /** Key identifier of the CA that signed, lower-case hex of 20 bytes. */
  readonly authorityKeyId: string;
  /** Rises with every list of that CA. */
  readonly number: number;
  /** Unix milliseconds, whole seconds. */
  readonly thisUpdateMs: number;
  readonly nextUpdateMs: number;
  readonly entries: readonly RevokedEntry[];
  readonly tbs: Uint8Array;
  readonly signature: Uint8Array;
}
