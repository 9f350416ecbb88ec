/**
 * Guarantee: one exchange of a bundle can be proved to whoever holds the root
 * certificate, without the bundle and without the content of any other; see proto/SPEC.md §16.
 */
export {
  checkContent,
  checkProof,
  type ProvenExchange,
  presentedBy,
} from "./check.ts";
export { decodeProof, type ExchangeProof, encodeProof, PROOF_MAX } from "./format.ts";
export { proveItem, provePermission } from "./make.ts";
