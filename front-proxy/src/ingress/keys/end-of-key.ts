/**
 * Guarantee: when a decryption key of this node has done its work is a pure
 * function of certificates, lists and what was sealed for it; an unknown answer
 * is "not yet".
 *
 *   valid ─▶ a successor begins, or it ends ─▶ overlap ─▶ may be destroyed
 */
import type { Certificate } from "@lightferry/proto/pki";
import type { LaneEntry } from "@lightferry/proto/registry";
import type { TrustStore } from "@lightferry/proto/trust";

const DAY_MS = 86_400_000;

export interface KeyFacts {
  readonly zone: string;
  readonly node: string;
  readonly keyId: string;
  /** Is the private key here? */
  readonly has: (keyId: string) => boolean;
  /** When the newest bundle for it was made, by its sender's clock; undefined: none came. */
  readonly lastUsedMs: number | undefined;
}

/**
 * From when on nobody seals for the key. A successor counts from the moment at which senders turned
 * to it, not only from its beginning: where no bundle runs the other way they hear of it late, and
 * what they made until then must open.
 * @returns Unix milliseconds; undefined while it has no certificate, or no end.
 */
export function endOfKey(trust: TrustStore, facts: KeyFacts): number | undefined {
  const own = trust.certificates.filter(
    ({ identity }) =>
      identity?.zone === facts.zone && identity.node === facts.node && identity.use === "encrypt",
  );
  const its = own.filter(({ keyId }) => keyId === facts.keyId);
  if (its.length === 0) return undefined;
  const revoked = revocations(trust);
  const ended = Math.max(...its.map((one) => Math.min(one.notAfterMs, revoked(one))));
  const newest = Math.max(...its.map(({ notBeforeMs }) => notBeforeMs));
  const successors = own.filter(
    (other) =>
      other.keyId !== facts.keyId &&
      other.notBeforeMs > newest &&
      revoked(other) === Number.POSITIVE_INFINITY &&
      trust.faultOf(other, other.notBeforeMs) === undefined &&
      facts.has(other.keyId),
  );
  if (successors.length === 0) return ended;
  const succeeded = Math.min(...successors.map(({ notBeforeMs }) => notBeforeMs));
  return Math.min(ended, Math.max(succeeded, facts.lastUsedMs ?? 0));
}

/** How long a key is kept after that: what was sealed for it may be under way as long as its lane allows. */
export function overlapMs(
  lanes: readonly LaneEntry[],
  zone: string,
  config: { readonly encryptKeyOverlapDays: number },
): number {
  const longest = Math.max(
    0,
    ...lanes.filter(({ to }) => to === zone).map(({ expirySeconds }) => expirySeconds * 1_000),
  );
  // A day for clocks, for the last pass of the gate and for taking up what arrived.
  return Math.max(longest + DAY_MS, config.encryptKeyOverlapDays * DAY_MS);
}

/** When a certificate was revoked, by the list of its CA; infinite: it was not. */
function revocations(trust: TrustStore): (certificate: Certificate) => number {
  return ({ authorityKeyId, serial }) =>
    trust.revocationLists
      .find((list) => list.authorityKeyId === authorityKeyId)
      ?.entries.find((entry) => entry.serial === serial)?.revokedMs ?? Number.POSITIVE_INFINITY;
}
