/**
 * Guarantee: a header as people and scripts see it, whole or damaged: every
 * value is shown as it stands, nothing here says that it is true.
 */
import type { BundleHeader } from "../src/bundle/index.ts";
import { decodeCanonical } from "../src/canonical.ts";
import { asGatewayError } from "../src/errors/index.ts";
import { lightferry } from "../src/gen/index.js";
import { parseCertificate } from "../src/pki/index.ts";
import { hex, idText, timeJson } from "./words.ts";

const { Verdict, Decision, Direction } = lightferry.policy.v1;

export interface CertificateView {
  readonly subject: string;
  /** Use of a node's certificate, `issuer` or `root`; empty when it cannot be read. */
  readonly use: string;
  readonly identity: string;
  readonly keyId: string;
  readonly serial: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly demo: boolean;
  /** Why it cannot be read. */
  readonly fault?: string;
}

export interface VerdictView {
  readonly verdictId: string;
  readonly decision: string;
  readonly direction: string;
  readonly grade: string;
  readonly policyVersion: string;
  readonly decidedMs: number;
  readonly expiresMs: number;
  readonly rules: readonly string[];
  readonly obligations: readonly string[];
  readonly recipients: readonly string[];
}

export interface ItemView {
  readonly item: number;
  readonly commitment: string;
  readonly batch: number;
  readonly leaf: number;
  /** Undefined when it cannot be read. */
  readonly verdict: VerdictView | undefined;
}

/** X.509 DER out of a header. */
export function viewCertificate(der: Uint8Array): CertificateView {
  try {
    const certificate = parseCertificate(der);
    const { subject, identity, role, keyId, serial, notBeforeMs, notAfterMs, demo } = certificate;
    const named = identity && `lightferry://${identity.zone}/${identity.node}/${identity.use}`;
    const issuer = certificate.zone === undefined ? "" : `lightferry://${certificate.zone}/ca`;
    const use = identity?.use ?? role;
    return {
      ...{ subject, use, identity: named ?? issuer, keyId, serial, notBeforeMs, notAfterMs, demo },
    };
  } catch (error) {
    const { code, detail } = asGatewayError(error);
    const none = { subject: "", use: "", identity: "", keyId: "", serial: "" };
    return { ...none, notBeforeMs: 0, notAfterMs: 0, demo: false, fault: `${code} ${detail}` };
  }
}

/** Canonical verdict bytes; undefined when they are none. */
export function viewVerdict(bytes: Uint8Array): VerdictView | undefined {
  try {
    const verdict = decodeCanonical(Verdict, bytes);
    return {
      verdictId: idText(verdict.verdictId),
      decision: nameOf(Decision, verdict.decision, "DECISION_"),
      direction: nameOf(Direction, verdict.direction, "DIRECTION_"),
      grade: verdict.grade,
      policyVersion: verdict.policyVersion,
      decidedMs: verdict.decidedMs,
      expiresMs: verdict.expiresMs,
      rules: verdict.ruleIds,
      obligations: verdict.obligations,
      recipients: verdict.recipients,
    };
  } catch {
    return undefined;
  }
}

export function viewItems(header: BundleHeader): ItemView[] {
  return header.items.map(({ commitment, batch, leaf, verdict }, item) => ({
    ...{ item, commitment: hex(commitment), batch, leaf, verdict: viewVerdict(verdict) },
  }));
}

/** Origin, size and root of a checkpoint note: its first three lines. */
export function viewCheckpoint(
  header: BundleHeader,
): { origin: string; size: string; root: string; oldSize: number; hashes: number } | undefined {
  const { checkpoint } = header;
  if (checkpoint === null || checkpoint === undefined) return undefined;
  const [origin = "", size = "", root = ""] = Buffer.from(checkpoint.note).toString().split("\n");
  return { origin, size, root, oldSize: checkpoint.oldSize, hashes: checkpoint.consistency.length };
}

/** The header for scripts: bytes in hexadecimal, times in UTC. */
export function headerJson(header: BundleHeader): object {
  const { version, lane, stream, sequence, sender, signKeyId, grade, policyVersion } = header;
  const certificates = header.certificates.map(viewCertificate);
  return {
    ...{ version, bundle: idText(header.bundleId), lane, stream, sequence },
    previousDigest: hex(header.previousDigest),
    ...{ sender, signKeyId, grade, policyVersion },
    created: timeJson(header.createdMs),
    expires: timeJson(header.expiresMs),
    chunkSize: header.chunkSize,
    chunkCount: header.chunkCount,
    plaintextSize: header.plaintextSize,
    ciphertextRoot: hex(header.ciphertextRoot),
    itemRoot: hex(header.itemRoot),
    keyCommitment: hex(header.keyCommitment),
    recipients: header.recipients.map(({ nodeId, keyId, wrappedSecret }) => ({
      ...{ node: nodeId, keyId, wrappedSecretBytes: wrappedSecret.length },
    })),
    batches: header.verdictBatches.map(({ policyNode, keyId, root, size }) => ({
      ...{ policyNode, keyId, root: hex(root), size },
    })),
    items: viewItems(header).map(({ verdict, ...item }) => ({
      ...item,
      verdict: verdict && {
        ...verdict,
        decidedMs: timeJson(verdict.decidedMs),
        expiresMs: timeJson(verdict.expiresMs),
      },
    })),
    checkpoint: viewCheckpoint(header) ?? null,
    certificates: certificates.map(({ notBeforeMs, notAfterMs, ...certificate }) => ({
      ...certificate,
      notBefore: timeJson(notBeforeMs),
      notAfter: timeJson(notAfterMs),
    })),
  };
}

function nameOf(names: object, value: number, prefix: string): string {
  const found = Object.entries(names).find(([name, number]) => number === value && name !== "");
  return found?.[0].replace(prefix, "").toLowerCase() ?? String(value);
}
