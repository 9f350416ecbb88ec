/** Guarantee: every limit of receipts stands here with its reason (proto/SPEC.md §17). */

/**
 * Receipts in a list: one signature for many, and 512 of them with their certificates still fit the
 * 64 QR codes of one set.
 */
export const RECEIPTS_MAX = 512;

/** Refused bundles in a list: of some seventy bytes each, they leave two thirds of it to receipts. */
export const BUNDLES_MAX = 64;

/** Bytes of a list: 512 receipts of 27 bytes and some sixty groups. */
export const LIST_MAX = 15 * 1024;

/** Bytes of a signed list: with the framing of a file, what 64 QR codes carry (proto/src/pki/qr-parts.ts). */
export const SIGNED_MAX = 18_500;

/** Of the signing key and its issuer. */
export const RECEIPT_CERTIFICATES_MAX = 2;

/** Certificates of 700 bytes; the profile's own limit (SPEC §14.2). */
export const RECEIPT_CERTIFICATE_MAX = 2 * 1024;

/** Lists in a file: 131,072 receipts, a day of a busy lane in an hour's signing. */
export const FILE_LISTS_MAX = 256;

/** Bytes of a file: as many full lists, and half of what one message between services may hold. */
export const FILE_MAX = 4 * 1024 * 1024;

/** Error codes are up to 40 characters; a later version may have longer ones. */
export const CODE_MAX = 64;

/** As for bundles (SPEC §9): beyond it the clocks need attention. */
export const CLOCK_ALLOWANCE_MS = 5 * 60 * 1000;

/** As long as a bundle may live at most: older lists speak of nothing that could still be open. */
export const AGE_MAX_MS = 366 * 86_400_000;
