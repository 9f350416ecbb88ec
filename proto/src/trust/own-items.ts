/**
 * Guarantee: what a bundle passes on of its own zone is within the format's
 * limits, public, and enough for the other side to follow a rotation or a
 * revocation: lists first, so that they are the last to be left out.
 */

import type { ErrorCode } from "../errors/index.ts";
import {
  type Certificate,
  type RevocationList,
  TRUST_ITEM_MAX_BYTES,
  TRUST_ITEMS_MAX,
} from "../pki/index.ts";
import { newestFirst } from "./use.ts";

interface Known {
  readonly certificates: readonly Certificate[];
  readonly revocationLists: readonly RevocationList[];
  faultOf(certificate: Certificate, usedMs: number): ErrorCode | undefined;
  readonly root: Certificate;
}

/**
 * Revocation lists of the zone's CAs and of the root, the zone's issuing CAs, then its node
 * certificates in force or announced, newest first: at most 32 items of at most 64 KiB. A longer list
 * travels by medium.
 */
export function ownItems(store: Known, zone: string, nowMs: number): Uint8Array[] {
  const live = store.certificates
    .filter((certificate) => certificate.zone === zone && isLive(store, certificate, nowMs))
    .sort(newestFirst);
  const issuers = live.filter(({ role }) => role === "issuer");
  const signers = new Set(
    store.certificates
      .filter(({ role, zone: of }) => role === "root" || (role === "issuer" && of === zone))
      .map(({ subjectKeyId }) => subjectKeyId),
  );
  const lists = store.revocationLists.filter(({ authorityKeyId }) => signers.has(authorityKeyId));
  return [...lists, ...issuers, ...live.filter(({ role }) => role === "node")]
    .map(({ der }) => der)
    .filter(({ length }) => length <= TRUST_ITEM_MAX_BYTES)
    .slice(0, TRUST_ITEMS_MAX);
}

/** In force, or announced for later and not revoked until then. */
function isLive(store: Known, certificate: Certificate, nowMs: number): boolean {
  const atMs = Math.max(nowMs, certificate.notBeforeMs);
  return store.faultOf(certificate, atMs) === undefined;
}
