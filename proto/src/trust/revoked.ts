/**
 * Guarantee: what lists and denials say about a key at a time. A compromised or
 * denied key is refused whenever it was used, for whoever stole it sets the time
 * as he likes; any other revocation refuses use from its time on.
 */
import type { ErrorCode } from "../errors/index.ts";
import type { Certificate, RevocationList, RevocationReason, RevokedEntry } from "../pki/index.ts";

const COMPROMISE: readonly RevocationReason[] = ["keyCompromise", "cACompromise"];

export class Revocations {
  /** By key identifier of the CA, then by serial. */
  readonly #entries = new Map<string, ReadonlyMap<string, RevokedEntry>>();
  readonly #compromisedKeys = new Set<string>();
  readonly #deniedKeys: ReadonlySet<string>;

  /** @param certificates all that are known: a compromise goes for the key, in whatever certificate. */
  constructor(
    lists: readonly RevocationList[],
    certificates: readonly Certificate[],
    deniedKeys: ReadonlySet<string>,
  ) {
    this.#deniedKeys = deniedKeys;
    for (const list of lists) {
      const bySerial = new Map(list.entries.map((entry) => [entry.serial, entry]));
      this.#entries.set(list.authorityKeyId, bySerial);
    }
    for (const certificate of certificates) {
      const entry = this.entry(certificate);
      if (entry !== undefined && COMPROMISE.includes(entry.reason)) {
        this.#compromisedKeys.add(certificate.keyId);
      }
    }
  }

  /** What the list of its CA says of this certificate. */
  entry(certificate: Certificate): RevokedEntry | undefined {
    return this.#entries.get(certificate.authorityKeyId)?.get(certificate.serial);
  }

  isDenied(keyId: string): boolean {
    return this.#deniedKeys.has(keyId);
  }

  /** Why this certificate must not be used at `usedMs`, as far as revocation goes. */
  fault(certificate: Certificate, usedMs: number): ErrorCode | undefined {
    if (this.isDenied(certificate.keyId)) return "certificate.denied";
    if (this.#compromisedKeys.has(certificate.keyId)) return "certificate.revoked";
    const entry = this.entry(certificate);
    if (entry === undefined) return undefined;
    const always = COMPROMISE.includes(entry.reason);
    return always || usedMs >= entry.revokedMs ? "certificate.revoked" : undefined;
  }
}
