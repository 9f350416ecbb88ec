/**
 * Guarantee: an item commitment binds the canonical manifest entry and hides it:
 * commitment = SM3(0x00 || 32-byte salt || entry) (proto/SPEC.md §6.1).
 */
import type { SmProvider } from "../sm/index.ts";

const LEAF = Uint8Array.of(0x00);

/**
 * @param salt 32 random bytes, drawn by the policy service, kept in the encrypted manifest.
 * @param entryBytes canonical `lightferry.bundle.v1.ManifestEntry`.
 * @returns 32 bytes; itself a leaf hash of the item tree.
 */
export function itemCommitment(
  provider: SmProvider,
  salt: Uint8Array,
  entryBytes: Uint8Array,
): Uint8Array {
  return provider.sm3(LEAF, salt, entryBytes);
}
