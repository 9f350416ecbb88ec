/**
 * Guarantee: a bundle is sealed, read, verified and opened exactly as
 * proto/SPEC.md says. The types are the road: ReceivedBundle → VerifiedHeader →
 * OpenedItem, each made only by the check that earns it.
 */
export { isSendersOwn } from "./after-signature.ts";
export { decodeEntry, type ItemEntry } from "./entry.ts";
export type { BundleHeader } from "./header-shape.ts";
export { BundleItemError } from "./item-error.ts";
export {
  CERTIFICATE_MAX,
  CERTIFICATES_MAX,
  CHUNK_COUNT_MAX,
  CHUNK_SIZE,
  CLOCK_SKEW_MS,
  ENTRY_MAX,
  ENTRY_TEXT_MAX,
  FILE_NAME_MAX,
  HEADER_MAX,
  HTTP_HEADERS_MAX,
  HTTP_PATH_MAX,
  ITEMS_MAX,
  LIFETIME_MAX_MS,
  MANIFEST_MAX,
  RECIPIENTS_MAX,
  SENDER_CLOCK_ROOM_MS,
  TRAIL_EVENT_MAX,
  TRAIL_EVENTS_MAX,
  TRUST_ITEM_MAX,
  TRUST_ITEMS_MAX,
} from "./limits.ts";
export { type DecryptKeys, type OpenedItem, type OpenOptions, openBundle } from "./open.ts";
export { type ReceivedBundle, readHeader } from "./read.ts";
export { type SealedBundle, sealBundle } from "./seal.ts";
export type { SealInput, SealItem, SealRecipient } from "./seal-plan.ts";
export { type JudgedTimes, judgedTimes, type SenderTime } from "./sender-time.ts";
export { type ByteReader, type ByteSource, bufferSource, fileSource } from "./source.ts";
export {
  type BundleKeys,
  type KeyUsage,
  type VerifiedHeader,
  type VerifyContext,
  verifyChunks,
  verifyHeader,
} from "./verify.ts";
export { closeBundleWorkers, openBundleWorkers } from "./workers/pool.ts";
