/**
 * Guarantee: a root, issuing CAs, nodes, lists and denials with exactly the times
 * a test names; a store of them is built anew at every call.
 */
import {
  type Certificate,
  type CertificateUse,
  createRequest,
  type Issuer,
  issueCertificate,
  issueRevocationList,
  parseCertificate,
  type RevocationReason,
  selfSignRoot,
  type Validity,
} from "@lightferry/proto/pki";
import type { Sm2PrivateKey } from "@lightferry/proto/sm";
import { loadProvider } from "@lightferry/proto/sm";
import { TrustStore } from "@lightferry/proto/trust";

export const provider = loadProvider();
export const DAY = 24 * 60 * 60 * 1000;
export const YEAR = 365 * DAY;
/** The day everything in these tests begins. */
export const T0 = Date.UTC(2026, 0, 1);

interface Authority extends Issuer {
  readonly entries: { serial: string; revokedMs: number; reason: RevocationReason }[];
}

export interface WorldOptions {
  readonly demo?: boolean;
  readonly mode?: "demo" | "production";
}

export class TrustWorld {
  readonly mode: "demo" | "production";
  readonly root: Authority;
  readonly certificates: Uint8Array[] = [];
  readonly lists: Uint8Array[] = [];
  readonly denied: string[] = [];
  readonly #demo: boolean;
  #number = 0;

  constructor(options: WorldOptions = {}) {
    this.#demo = options.demo ?? false;
    this.mode = options.mode ?? "production";
    const key = provider.generateSm2();
    const naming = { organisation: "org", commonName: "root", demo: this.#demo };
    const validity = { notBeforeMs: T0, notAfterMs: T0 + 20 * YEAR };
    const der = selfSignRoot(provider, key, { ...naming, ...validity });
    this.root = { certificate: parseCertificate(der), key, entries: [] };
  }

  /** An issuing CA for five years, or as told. */
  ca(zone: string, validity: Partial<Validity> & { readonly key?: Sm2PrivateKey } = {}): Authority {
    const key = validity.key ?? provider.generateSm2();
    const subject = { zone, ca: true, organisation: "org", demo: this.#demo } as const;
    const der = issueCertificate(provider, this.root, createRequest(provider, key, subject), {
      notBeforeMs: validity.notBeforeMs ?? T0,
      notAfterMs: validity.notAfterMs ?? T0 + 5 * YEAR,
    });
    this.certificates.push(der);
    return { certificate: parseCertificate(der), key, entries: [] };
  }

  /** A node certificate for a year, or as told. */
  node(
    ca: Issuer,
    node: string,
    use: CertificateUse,
    told: Partial<Validity> & { readonly key?: Sm2PrivateKey; readonly keep?: boolean } = {},
  ): Certificate {
    const key = told.key ?? provider.generateSm2();
    const identity = { zone: ca.certificate.zone ?? "", node, use };
    const subject = { identity, organisation: "org", demo: this.#demo };
    const der = issueCertificate(provider, ca, createRequest(provider, key, subject), {
      notBeforeMs: told.notBeforeMs ?? T0,
      notAfterMs: told.notAfterMs ?? T0 + YEAR,
    });
    if (told.keep !== false) this.certificates.push(der);
    return parseCertificate(der);
  }

  /** Puts a certificate on the next list of that CA. */
  revoke(
    ca: Authority,
    certificate: Certificate,
    reason: RevocationReason,
    revokedMs: number,
  ): Uint8Array {
    ca.entries.push({ serial: certificate.serial, revokedMs, reason });
    return this.list(ca);
  }

  list(
    ca: Authority,
    told: {
      readonly number?: number;
      readonly thisUpdateMs?: number;
      readonly keep?: boolean;
    } = {},
  ): Uint8Array {
    this.#number += 1;
    const thisUpdateMs = told.thisUpdateMs ?? T0;
    const der = issueRevocationList(provider, ca, {
      number: told.number ?? this.#number,
      thisUpdateMs,
      nextUpdateMs: thisUpdateMs + 30 * DAY,
      entries: ca.entries,
    });
    if (told.keep !== false) this.lists.push(der);
    return der;
  }

  store(mode = this.mode): TrustStore {
    return TrustStore.build(provider, {
      root: this.root.certificate.der,
      set: {
        version: 1,
        certificates: [...this.certificates],
        // A real set holds the newest of each CA alone; the oldest first is the harder order.
        revocationLists: [...this.lists],
        denials: this.denied.map((keyId) => ({ keyId, deniedMs: T0, reason: "", actor: "" })),
      },
      mode,
    });
  }
}
