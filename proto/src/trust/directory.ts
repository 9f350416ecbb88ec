/**
 * Guarantee: a public key comes out only with a certificate for this node and
 * use, under the pinned root, in force when the key was used. Certificates that
 * a message presents count like those that are known, and no more.
 */
import { type ErrorCode, GatewayError } from "../errors/index.ts";
import type { Certificate, CertificateUse } from "../pki/index.ts";
import type { Sm2PublicKey, SmProvider } from "../sm/index.ts";
import type { Chains } from "./chains.ts";
import { subjectOf } from "./judge.ts";
import type { Revocations } from "./revoked.ts";
import type { KeyDirectory, KeyUsage, ZoneOfNode } from "./types.ts";
import { graver, newestFirst, useFault } from "./use.ts";
import { readCertificate } from "./verified.ts";

/** As many as a bundle's header may hold; what lies beyond is not looked at. */
const PRESENTED_MAX = 8;

export interface DirectoryParts {
  readonly provider: SmProvider;
  readonly chains: Chains;
  readonly revocations: Revocations;
  readonly zoneOf: ZoneOfNode | undefined;
  /** Verified certificates of that key, newest first. */
  known(keyId: string): readonly Certificate[];
  active(
    node: string,
    use: CertificateUse,
    atMs: number,
    zone: string | undefined,
  ): Certificate | undefined;
}

export function directoryOf(parts: DirectoryParts): KeyDirectory {
  const keyOf =
    (use: CertificateUse) =>
    (nodeId: string, keyId: string, usage: KeyUsage = {}) =>
      find(parts, use, nodeId, keyId, usage);
  return {
    signKey: keyOf("sign"),
    policyKey: keyOf("policy"),
    auditKey: keyOf("audit"),
    ferryKey: keyOf("ferry"),
    encryptKey: (nodeId, atMs = Date.now()) => {
      const zone = parts.zoneOf?.(nodeId);
      if (parts.zoneOf !== undefined && zone === undefined) return undefined;
      const certificate = parts.active(nodeId, "encrypt", atMs, zone);
      if (certificate === undefined) return undefined;
      return { keyId: certificate.keyId, publicKey: certificate.publicKey, certificate };
    },
  };
}

function find(
  parts: DirectoryParts,
  use: CertificateUse,
  nodeId: string,
  keyId: string,
  { presented = [], usedMs = Date.now() }: KeyUsage,
): Sm2PublicKey | undefined {
  if (parts.revocations.isDenied(keyId)) {
    throw new GatewayError("certificate.denied", { detail: `${nodeId} ${keyId}` });
  }
  const known = parts.known(keyId);
  const first = judgeAll(parts, parts.chains, known, use, nodeId, usedMs);
  if (first.key !== undefined) return first.key;
  const shown = readPresented(parts.provider, presented);
  const named = shown.filter((certificate) => certificate.keyId === keyId).sort(newestFirst);
  // Of the CAs shown only those that are asked for are looked at: each costs a signature check.
  const chains = parts.chains.with(
    shown.filter((ca) => named.some((one) => one.authorityKeyId === ca.subjectKeyId)),
  );
  // What no CA signed could be anybody's words; it must not even choose how the key is refused.
  const more = named.filter((certificate) => chains.vouchesFor(certificate));
  const second = more.length === 0 ? first : judgeAll(parts, chains, more, use, nodeId, usedMs);
  if (second.key !== undefined) return second.key;
  const fault = graver(first.fault, second.fault);
  // A presented certificate of nobody's is as good as none: the key is unknown.
  if (fault === undefined || (known.length === 0 && fault === "certificate.untrusted")) {
    return undefined;
  }
  const subject = [...known, ...more].map(subjectOf)[0] ?? "";
  throw new GatewayError(fault, { detail: `${nodeId} ${keyId}: ${subject}` });
}

interface Found {
  readonly key?: Sm2PublicKey;
  readonly fault?: ErrorCode | undefined;
}

function judgeAll(
  parts: DirectoryParts,
  chains: Chains,
  candidates: readonly Certificate[],
  use: CertificateUse,
  nodeId: string,
  usedMs: number,
): Found {
  let fault: ErrorCode | undefined;
  for (const certificate of candidates) {
    const found = graver(
      identityFault(certificate, use, nodeId, parts.zoneOf),
      useFault(chains, parts.revocations, certificate, usedMs),
    );
    if (found === undefined) return { key: certificate.publicKey };
    fault = graver(fault, found);
  }
  return { fault };
}

function identityFault(
  { identity }: Certificate,
  use: CertificateUse,
  nodeId: string,
  zoneOf: ZoneOfNode | undefined,
): ErrorCode | undefined {
  if (identity === undefined || identity.node !== nodeId || identity.use !== use) {
    return "certificate.wrong-use";
  }
  return zoneOf === undefined || zoneOf(nodeId) === identity.zone
    ? undefined
    : "certificate.wrong-zone";
}

/** Those that are certificates at all: a message may carry anything. */
function readPresented(provider: SmProvider, items: readonly Uint8Array[]): Certificate[] {
  return items.slice(0, PRESENTED_MAX).flatMap((item) => {
    try {
      return [readCertificate(provider, item)];
    } catch (error) {
      if (error instanceof GatewayError) return [];
      throw error;
    }
  });
}
