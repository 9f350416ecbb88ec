/**
 * Guarantee: a {@link CheckedVerdict} is canonical, lies in a batch, and that
 * batch is signed by the given policy key (proto/SPEC.md §7.2). Whether it
 * covers a certain item is `assertVerdictCovers`.
 */
import { decodeCanonical } from "../canonical.ts";
import { GatewayError } from "../errors/index.ts";
import { lightferry } from "../gen/index.js";
import { leafHash, type Sm3Function } from "../merkle/index.ts";
import { type Grade, isGrade } from "../registry/grades.ts";
import type { Sm2PublicKey, SmProvider } from "../sm/index.ts";
import { BatchTree } from "./batch-tree.ts";
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
  return new BatchVerifier(provider, proof.batch, policyKey).verify(proof);
}

/** Checks the verdicts of one batch, sharing the signature and the nodes of the tree among them. */
export class BatchVerifier {
  readonly #provider: SmProvider;
  readonly #batch: lightferry.bundle.v1.VerdictBatch;
  readonly #policyKey: Sm2PublicKey;
  readonly #sm3: Sm3Function;
  readonly #tree: BatchTree;
  #signed = false;

  constructor(
    provider: SmProvider,
    batch: lightferry.bundle.v1.VerdictBatch,
    policyKey: Sm2PublicKey,
  ) {
    this.#provider = provider;
    this.#batch = batch;
    this.#policyKey = policyKey;
    this.#sm3 = (...parts) => provider.sm3(...parts);
    this.#tree = new BatchTree(this.#sm3, batch.size, batch.root);
  }

  /** As {@link verifyVerdict}. */
  verify(proof: Omit<VerdictProof, "batch">): CheckedVerdict {
    const { verdictBytes, leaf, path } = proof;
    // 1. limits and path
    if (verdictBytes.length === 0 || verdictBytes.length > VERDICT_MAX_BYTES) {
      throw new GatewayError("verdict.malformed", { detail: `${verdictBytes.length} bytes` });
    }
    const { size } = this.#batch;
    const within = size >= 1 && size <= VERDICT_BATCH_MAX && path.length <= VERDICT_PATH_MAX;
    if (!within || !this.#tree.includes(leafHash(this.#sm3, verdictBytes), leaf, path)) {
      throw new GatewayError("verdict.path-invalid", { detail: `leaf ${leaf} of ${size}` });
    }
    // 2. signature of the batch
    this.#signed ||= batchSignatureHolds(this.#provider, this.#batch, this.#policyKey);
    if (!this.#signed) {
      throw new GatewayError("verdict.signature-invalid", { detail: `key ${this.#batch.keyId}` });
    }
    // 3. canonical form and fields. decodeVerdict looked at every one, the grade among them.
    return decodeVerdict(verdictBytes) as unknown as CheckedVerdict;
  }
}

/**
 * SPEC §7.2 step 3: canonical bytes and well-formed fields; no signature is checked here.
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
