/**
 * Guarantee: everything other modules may use of the trust store; see README.md.
 */
export { type TrustInput, TrustStore } from "./store.ts";
export type {
  EncryptKey,
  Judgement,
  KeyDirectory,
  KeyUsage,
  RejectedItem,
  ZoneOfNode,
} from "./types.ts";
