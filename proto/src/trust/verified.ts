/**
 * Guarantee: an item is parsed, and a signature checked, once in a while and not
 * once per message. What verified and what did not is remembered by digest of
 * the exact bytes, each apart from the other, and never more than a fixed number.
 */
import {
  CERTIFICATE_MAX_BYTES,
  type Certificate,
  parseCertificate,
  parseRevocationList,
  REVOCATION_LIST_MAX_BYTES,
  type RevocationList,
  verifyRevocationList,
} from "../pki/index.ts";
import { isSignedBy, mayIssue } from "../pki/verify.ts";
import type { SmProvider } from "../sm/index.ts";

/** Both zones' certificates over decades, plus those that bundles present; about 2 KiB each. */
const REMEMBERED_MAX = 4096;
/** The lists of a root and two zones, and the ones before them; up to 256 KiB each. */
const LISTS_MAX = 16;

/** Remembers the newest `limit` keys. */
export class Bounded<T> {
  readonly #limit: number;
  readonly #values = new Map<string, T>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#values.size;
  }

  get(key: string): T | undefined {
    const value = this.#values.get(key);
    if (value !== undefined) {
      this.#values.delete(key);
      this.#values.set(key, value);
    }
    return value;
  }

  set(key: string, value: T): void {
    this.#values.delete(key);
    this.#values.set(key, value);
    if (this.#values.size > this.#limit) {
      const [oldest] = this.#values.keys();
      if (oldest !== undefined) this.#values.delete(oldest);
    }
  }
}

const parsed = new Bounded<Certificate>(REMEMBERED_MAX);
const lists = new Bounded<RevocationList>(LISTS_MAX);
const signatures = new Bounded<true>(REMEMBERED_MAX);
/** Apart, so that forgeries never drive out what is good: who repeats one pays for it once. */
const forgeries = new Bounded<true>(REMEMBERED_MAX);

/** As `parseCertificate`, once per exact bytes. @throws GatewayError `certificate.malformed` */
export function readCertificate(provider: SmProvider, der: Uint8Array): Certificate {
  // Too long for a certificate: refused there, before anything is computed over it.
  if (der.length > CERTIFICATE_MAX_BYTES) return parseCertificate(der);
  const digest = Buffer.from(provider.sm3(der)).toString("hex");
  const before = parsed.get(digest);
  if (before !== undefined) return before;
  const certificate = parseCertificate(der);
  parsed.set(digest, certificate);
  return certificate;
}

/** As `parseRevocationList`, likewise. @throws GatewayError `certificate.malformed` */
export function readList(provider: SmProvider, der: Uint8Array): RevocationList {
  if (der.length > REVOCATION_LIST_MAX_BYTES) return parseRevocationList(der);
  const digest = Buffer.from(provider.sm3(der)).toString("hex");
  const before = lists.get(digest);
  if (before !== undefined) return before;
  const list = parseRevocationList(der);
  lists.set(digest, list);
  return list;
}

/** As `verifyCertificateSignature`; a check is remembered for this pair of bytes. */
export function isIssuedBy(
  provider: SmProvider,
  certificate: Certificate,
  issuer: Certificate,
): boolean {
  return mayIssue(issuer, certificate) && carriesSignature(provider, certificate, issuer);
}

/** Whether the signature of that CA is on it, be it allowed to or not; remembered likewise. */
export function carriesSignature(
  provider: SmProvider,
  certificate: Certificate,
  issuer: Certificate,
): boolean {
  return once(certificate.digest, issuer.digest, () => isSignedBy(provider, certificate, issuer));
}

/** As `verifyRevocationList`; remembered likewise. */
export function isListOf(provider: SmProvider, list: RevocationList, issuer: Certificate): boolean {
  return once(list.digest, issuer.digest, () => verifyRevocationList(provider, list, issuer));
}

function once(item: string, issuer: string, check: () => boolean): boolean {
  const key = `${item}/${issuer}`;
  if (signatures.get(key) === true) return true;
  if (forgeries.get(key) === true) return false;
  const good = check();
  (good ? signatures : forgeries).set(key, true);
  return good;
}
