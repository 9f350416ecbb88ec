/**
 * Guarantee: Merkle trees exactly as RFC 6962 §2.1 defines them, with SM3 in
 * place of SHA-256: leaf = SM3(0x00 || data), node = SM3(0x01 || left || right).
 */

export { leafHash, nodeHash, type Sm3Function, splitPoint } from "./hash.ts";
export { MerkleTree, merkleRoot } from "./tree.ts";
export { rootFromInclusion, verifyConsistency, verifyInclusion } from "./verify.ts";
