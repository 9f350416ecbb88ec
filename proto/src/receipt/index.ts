/** Guarantee: what others may use of receipts; the rest is how it is done. */
export { decodeReceiptFile, encodeReceiptFile } from "./file.ts";
export {
  AGE_MAX_MS,
  BUNDLES_MAX,
  FILE_LISTS_MAX,
  FILE_MAX,
  LIST_MAX,
  RECEIPTS_MAX,
} from "./limits.ts";
export {
  decodeReceiptList,
  encodeReceiptList,
  isFinal,
  RECEIPT_STATES,
  type Receipt,
  type ReceiptListFields,
  type ReceiptState,
  type RefusedBundle,
} from "./list.ts";
export {
  decodeSignedReceipts,
  encodeSignedReceipts,
  isReceiptSignature,
  signReceiptList,
  type VerifiedReceipts,
  verifyReceipts,
} from "./signed.ts";
