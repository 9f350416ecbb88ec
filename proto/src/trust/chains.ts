/**
 * Guarantee: a certificate gets an issuer only when the chain leads by checked
 * signatures to the pinned root, each step allowed by role and zone.
 */
import { type ErrorCode, GatewayError } from "../errors/index.ts";
import type { Certificate, RevocationList } from "../pki/index.ts";
import type { Mode } from "../registry/index.ts";
import type { SmProvider } from "../sm/index.ts";
import { carriesSignature, isIssuedBy, isListOf } from "./verified.ts";

/** An untrusted, unfit or demonstration certificate; the reason is its code. */
export function refusal(code: ErrorCode, certificate: { readonly subject: string }): GatewayError {
  return new GatewayError(code, { detail: certificate.subject });
}

/** The CAs of one root: the root and the issuing CAs it issued. */
export class Chains {
  readonly root: Certificate;
  readonly #provider: SmProvider;
  readonly #mode: Mode;
  /** By key identifier; a CA renewed under its old key has two certificates. */
  readonly #authorities = new Map<string, Certificate[]>();

  /** @throws GatewayError `certificate.untrusted`, `certificate.demo-in-production` */
  constructor(provider: SmProvider, root: Certificate, mode: Mode) {
    this.#provider = provider;
    this.#mode = mode;
    this.root = root;
    if (root.role !== "root" || !isIssuedBy(provider, root, root)) {
      throw refusal("certificate.untrusted", root);
    }
    this.#checkDemo(root);
    this.#authorities.set(root.subjectKeyId, [root]);
  }

  /** The same CAs and those of `presented` that the root issued; the rest is left out. */
  with(presented: readonly Certificate[]): Chains {
    const chains = new Chains(this.#provider, this.root, this.#mode);
    for (const list of this.#authorities.values()) {
      for (const authority of list) if (authority.role === "issuer") chains.#keep(authority);
    }
    for (const certificate of presented) {
      if (certificate.role === "issuer" && this.#isFrom(certificate, this.root)) {
        chains.#keep(certificate);
      }
    }
    return chains;
  }

  /** Adds an issuing CA. @throws as {@link issuersOf} */
  add(authority: Certificate): void {
    this.issuersOf(authority);
    this.#keep(authority);
  }

  /**
   * The CA certificates under which this one stands: one, or more after a renewal under one key.
   * @throws GatewayError `certificate.untrusted`, `certificate.wrong-zone`, `certificate.demo-in-production`
   */
  issuersOf(certificate: Certificate): readonly Certificate[] {
    this.#checkDemo(certificate);
    const named = this.#authorities.get(certificate.authorityKeyId) ?? [];
    const issuers = named.filter((authority) => this.#isFrom(certificate, authority));
    if (issuers.length > 0) return issuers;
    const foreign = named.some(
      (authority) =>
        authority.role === "issuer" &&
        certificate.role === "node" &&
        authority.zone !== certificate.zone &&
        carriesSignature(this.#provider, certificate, authority),
    );
    throw refusal(foreign ? "certificate.wrong-zone" : "certificate.untrusted", certificate);
  }

  /** Whether one of these CAs signed it, rightly or not: what none did says nothing about any key. */
  vouchesFor(certificate: Certificate): boolean {
    const named = this.#authorities.get(certificate.authorityKeyId) ?? [];
    return named.some((authority) => carriesSignature(this.#provider, certificate, authority));
  }

  /** The CA that signed this list. @throws GatewayError `certificate.untrusted` */
  signerOf(list: RevocationList): Certificate {
    const named = this.#authorities.get(list.authorityKeyId) ?? [];
    const signer = named.find((authority) => isListOf(this.#provider, list, authority));
    if (signer === undefined) {
      throw new GatewayError("certificate.untrusted", { detail: `list of ${list.issuer}` });
    }
    return signer;
  }

  #isFrom(certificate: Certificate, authority: Certificate): boolean {
    return (
      certificate.demo === authority.demo && isIssuedBy(this.#provider, certificate, authority)
    );
  }

  #keep(authority: Certificate): void {
    const list = this.#authorities.get(authority.subjectKeyId) ?? [];
    if (!list.some(({ digest }) => digest === authority.digest)) list.push(authority);
    this.#authorities.set(authority.subjectKeyId, list);
  }

  #checkDemo(certificate: Certificate): void {
    if (certificate.demo && this.#mode === "production") {
      throw refusal("certificate.demo-in-production", certificate);
    }
  }
}
