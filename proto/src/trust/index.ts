/**
 * Guarantee: everything other modules may use of the trust store; see README.md.
 */
export * from "./folder.ts";
export { type FollowOptions, followTrust, type TrustPeer, type TrustSource } from "./follow.ts";
export { readTrustRoot } from "./root.ts";
export { type TrustInput, TrustStore } from "./store.ts";
export type {
  EncryptKey,
  Judgement,
  KeyDirectory,
  KeyUsage,
  RejectedItem,
  ZoneOfNode,
} from "./types.ts";
