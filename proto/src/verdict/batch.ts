/**
 * Guarantee: one SM2 signature covers a whole decision batch, and each verdict
 * proves its place in it with a path of at most ten hashes (proto/SPEC.md §7.1).
 */
import { encodeCanonical } from "../canonical.ts";
import { GatewayError } from "../errors/index.ts";
import { lightferry } from "../gen/index.js";
import { leafHash, MerkleTree } from "../merkle/index.ts";
import { domainSeparated, type Sm2PrivateKey, type SmProvider } from "../sm/index.ts";
import { VERDICT_BATCH_MAX } from "./limits.ts";

const { Verdict } = lightferry.policy.v1;
const { VerdictBatch } = lightferry.bundle.v1;

export interface SignedVerdict {
  /** Canonical `lightferry.policy.v1.Verdict`. */
  readonly verdict: Uint8Array;
  /** Leaf index in the batch. */
  readonly leaf: number;
  /** Inclusion path, leaf to root. */
  readonly path: Uint8Array[];
}

export interface SignedVerdictBatch {
  readonly batch: lightferry.bundle.v1.VerdictBatch;
  /** In the order of the verdicts given. */
  readonly items: readonly SignedVerdict[];
}

/** The bytes that a batch signature is over: the batch without its signature, domain-separated. */
export function verdictBatchMessage(
  batch: Pick<lightferry.bundle.v1.VerdictBatch, "policyNode" | "keyId" | "root" | "size">,
): Uint8Array {
  const { policyNode, keyId, root, size } = batch;
  return domainSeparated(
    "verdict-batch/1",
    encodeCanonical(VerdictBatch, { policyNode, keyId, root, size }),
  );
}

/**
 * Signs up to 1,024 verdicts with one signature.
 * @throws GatewayError `verdict.malformed` for an empty or oversized batch.
 */
export function signVerdictBatch(
  provider: SmProvider,
  key: Sm2PrivateKey,
  signer: { readonly policyNode: string; readonly keyId: string },
  verdicts: readonly lightferry.policy.v1.Verdict.$Properties[],
): SignedVerdictBatch {
  if (verdicts.length === 0 || verdicts.length > VERDICT_BATCH_MAX) {
    throw new GatewayError("verdict.malformed", {
      detail: `${verdicts.length} verdicts in a batch`,
    });
  }
  const sm3 = (...parts: readonly Uint8Array[]) => provider.sm3(...parts);
  const tree = new MerkleTree(sm3);
  const encoded = verdicts.map((verdict) => encodeCanonical(Verdict, verdict));
  for (const bytes of encoded) tree.append(leafHash(sm3, bytes));
  const unsigned = {
    policyNode: signer.policyNode,
    keyId: signer.keyId,
    root: tree.root(),
    size: encoded.length,
  };
  const signature = provider.sm2Sign(key, verdictBatchMessage(unsigned));
  return {
    batch: new VerdictBatch({ ...unsigned, signature }),
    items: encoded.map((verdict, leaf) => ({ verdict, leaf, path: tree.inclusionPath(leaf) })),
  };
}
