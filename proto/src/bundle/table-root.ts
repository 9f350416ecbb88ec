/**
 * Guarantee: the RFC 6962 root over the digest table in memory that does not grow
 * with it: a table of 2^20 entries needs 20 kept nodes, not two million.
 */
import { nodeHash, type Sm3Function } from "../merkle/index.ts";
import { DIGEST_BYTES } from "./limits.ts";

/** @param table one or more leaf hashes of 32 bytes, end to end. */
export function tableRoot(sm3: Sm3Function, table: Uint8Array): Uint8Array {
  // Roots of complete subtrees, left to right, their heights falling: the binary form of the count.
  const kept: Uint8Array[] = [];
  for (let index = 0; index * DIGEST_BYTES < table.length; index += 1) {
    let node = table.subarray(index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES);
    for (let count = index; count % 2 === 1; count = Math.floor(count / 2)) {
      const left = kept.pop();
      if (left !== undefined) node = nodeHash(sm3, left, node);
    }
    kept.push(node);
  }
  return kept.reduceRight((right, left) => nodeHash(sm3, left, right));
}
