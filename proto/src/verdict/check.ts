/**
 * Guarantee: a {@link CheckedVerdict} is canonical, lies in a batch, and that
 * batch is signed by the given policy key (proto/SPEC.md §7.2). Whether it
 * covers a certain item is `assertVerdictCovers`.
 */
import { decodeCanonical } from "../canonical.ts";
import { GatewayError } from "../errors/index.ts";
import { lightferry } from "../gen/index.js";
import { leafHash, rootFromInclusion } from "../merkle/index.ts";
import { type Grade, isGrade } from "../registry/grades.ts";
import type { Sm2PublicKey, SmProvider } from "../sm/index.ts";
import { VERDICT_BATCH_MAX, VERDICT_MAX_BYTES, VERDICT_PATH_MAX } from "./limits.ts";
import { batchSignatureHolds } from "./verified-batches.ts";

/** A verdict whose signature and form were checked; made only here. */
export type CheckedVerdict = Readonly<Omit<lightferry.policy.v1.Verdict, "grade">> & {
  readonly grade: Grade;
  readonly __brand: "CheckedVerdict";
};

export interface VerdictProof {
  /** Canonical `lightferry.policy.v1.Verdict`. */
  readonly verdictBytes: Uint8Array;
  readonly leaf: number;
  readonly path: readonly Uint8Array[];
  readonly batch: lightferry.bundle.v1.VerdictBatch;
}

/**
 * SPEC §7.2, in its order.
 * @throws GatewayError `verdict.path-invalid`, `verdict.signature-invalid`, `verdict.malformed`.
 */
export function verifyVerdict(
  provider: SmProvider,
  proof: VerdictProof,
  policyKey: Sm2PublicKey,
): CheckedVerdict {
  assertVerdictPath(provider, proof);
  if (!batchSignatureHolds(provider, proof.batch, policyKey)) {
    throw new GatewayError("verdict.signature-invalid", { detail: `key ${proof.batch.keyId}` });
  }
  // decodeVerdict looked at every field, the grade among them.
  return decodeVerdict(proof.verdictBytes) as unknown as CheckedVerdict;
}

/**
 * SPEC §7.2 steps 1–2: the verdict is a leaf of the batch.
 * @throws GatewayError `verdict.malformed`, `verdict.path-invalid`.
 */
function assertVerdictPath(provider: SmProvider, proof: VerdictProof): void {
  const { verdictBytes, leaf, path, batch } = proof;
  if (verdictBytes.length === 0 || verdictBytes.length > VERDICT_MAX_BYTES) {
    throw new GatewayError("verdict.malformed", { detail: `${verdictBytes.length} bytes` });
  }
  if (batch.size < 1 || batch.size > VERDICT_BATCH_MAX || path.length > VERDICT_PATH_MAX) {
    throw new GatewayError("verdict.path-invalid", {
      detail: `path of ${path.length} in ${batch.size}`,
    });
  }
  const sm3 = (...parts: readonly Uint8Array[]) => provider.sm3(...parts);
  const root = rootFromInclusion(sm3, leafHash(sm3, verdictBytes), leaf, batch.size, path);
  if (root === undefined || Buffer.compare(root, batch.root) !== 0) {
    throw new GatewayError("verdict.path-invalid", { detail: `leaf ${leaf} of ${batch.size}` });
  }
}

/**
 * SPEC §7.2 step 4: canonical bytes and well-formed fields; no signature is checked here.
 * @throws GatewayError `verdict.malformed`.
 */
function decodeVerdict(bytes: Uint8Array): lightferry.policy.v1.Verdict {
  let verdict: lightferry.policy.v1.Verdict;
  try {
    verdict = decodeCanonical(lightferry.policy.v1.Verdict, bytes);
  } catch (cause) {
    throw new GatewayError("verdict.malformed", { detail: "encoding", cause });
  }
  const wrong = malformedField(verdict);
  if (wrong !== undefined) throw new GatewayError("verdict.malformed", { detail: wrong });
  return verdict;
}

function malformedField(verdict: lightferry.policy.v1.Verdict): string | undefined {
  if (verdict.verdictId.length !== 16) return "verdict_id";
  if (verdict.commitment.length !== 32) return "commitment";
  if (verdict.recipients.length === 0 || !isAscending(verdict.recipients)) return "recipients";
  if (!isGrade(verdict.grade)) return "grade";
  if (!Number.isSafeInteger(verdict.decidedMs) || verdict.decidedMs <= 0) return "decided_ms";
  if (!Number.isSafeInteger(verdict.expiresMs) || verdict.expiresMs <= verdict.decidedMs) {
    return "expires_ms";
  }
  return undefined;
}

function isAscending(names: readonly string[]): boolean {
  return names.every((name, index) => index === 0 || (names[index - 1] ?? "") < name);
}
