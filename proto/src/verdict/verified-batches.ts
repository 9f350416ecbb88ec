/**
 * Guarantee: a batch signature that verified once is not computed again, and
 * the memory for that is bounded. Only success is remembered, under a digest of
 * the key, the signed bytes and the signature, so a hit means the very same check.
 */
import type { lightferry } from "../gen/index.js";
import type { Sm2PublicKey, SmProvider } from "../sm/index.ts";
import { verdictBatchMessage } from "./batch.ts";
import { VERIFIED_BATCH_CACHE_MAX } from "./limits.ts";

/** Insertion order is age: a Set keeps it. */
const verified = new Set<string>();

/** True when the batch is signed by the key; SM2 runs only for batches not seen before. */
export function batchSignatureHolds(
  provider: SmProvider,
  batch: lightferry.bundle.v1.VerdictBatch,
  policyKey: Sm2PublicKey,
): boolean {
  const message = verdictBatchMessage(batch);
  // All three have fixed lengths but the message, which stands last: no ambiguity.
  const digest = provider.sm3(policyKey, batch.signature, message);
  const name = Buffer.from(digest).toString("base64");
  if (batch.signature.length === 64 && verified.has(name)) return true;
  if (!provider.sm2Verify(policyKey, message, batch.signature)) return false;
  if (verified.size >= VERIFIED_BATCH_CACHE_MAX) {
    const oldest = verified.values().next();
    if (!oldest.done) verified.delete(oldest.value);
  }
  verified.add(name);
  return true;
}
