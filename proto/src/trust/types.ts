/**
 * Guarantee: the shapes in which trust is asked for and told; the rules are in
 * store.ts and judge.ts.
 */
import type { ErrorCode } from "../errors/index.ts";
import type { Certificate } from "../pki/index.ts";
import type { Sm2PublicKey } from "../sm/index.ts";

/** What a directory may take into account about a key. */
export interface KeyUsage {
  /** X.509 DER that came with the message; counts only when it leads to the pinned root. */
  readonly presented?: readonly Uint8Array[];
  /** Unix milliseconds: when the key was used; without it now. */
  readonly usedMs?: number;
}

/** Zone of a registered node; undefined when the registry has no such node. */
export type ZoneOfNode = (nodeId: string) => string | undefined;

/**
 * Public keys by node. A key without a certificate is undefined; for one that is known and must not be
 * used these throw `certificate.expired`, `.not-yet-valid`, `.revoked`, `.denied`, `.wrong-use`,
 * `.wrong-zone`.
 */
export interface KeyDirectory {
  signKey(nodeId: string, keyId: string, usage?: KeyUsage): Sm2PublicKey | undefined;
  policyKey(nodeId: string, keyId: string, usage?: KeyUsage): Sm2PublicKey | undefined;
  auditKey(nodeId: string, keyId: string, usage?: KeyUsage): Sm2PublicKey | undefined;
  ferryKey(nodeId: string, keyId: string, usage?: KeyUsage): Sm2PublicKey | undefined;
  /** Key to seal to: of the newest encryption certificate in force. @param atMs without it now. */
  encryptKey(nodeId: string, atMs?: number): EncryptKey | undefined;
}

export interface EncryptKey {
  readonly keyId: string;
  readonly publicKey: Sm2PublicKey;
  readonly certificate: Certificate;
}

/** An item that the store does not use, and why. */
export interface RejectedItem {
  readonly item: Uint8Array;
  readonly code: ErrorCode;
  readonly detail: string;
}

/** What an import does with one item; fields as in `ImportResult`. */
export interface Judgement {
  readonly kind: "certificate" | "revocation-list" | "unknown";
  readonly status: "new" | "known" | "stale" | "refused";
  readonly code?: ErrorCode;
  /** Identity URI of a certificate (of a root its name), issuer of a list. */
  readonly subject: string;
  /** Serial or list number, hexadecimal. */
  readonly number: string;
}
