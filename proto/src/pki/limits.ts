/** Guarantee: every limit of certificates, requests, lists and their QR codes stands here once, with its reason. */

const KIB = 1024;

/** An SM2 certificate of the profile has about 700 bytes; the same limit as in a bundle header. */
export const CERTIFICATE_MAX_BYTES = 2 * KIB;
/** A request has about 500 bytes. */
export const REQUEST_MAX_BYTES = 2 * KIB;
/** Some 6,000 entries: a zone whose CA revoked more needs a new CA. One of over 64 KiB travels by medium. */
export const REVOCATION_LIST_MAX_BYTES = 256 * KIB;
/** As in a bundle's manifest: items a bundle carries, and the size of each. */
export const TRUST_ITEMS_MAX = 32;
export const TRUST_ITEM_MAX_BYTES = 64 * KIB;

/** A file of certificates and lists: the items of both zones over many years. */
export const PKI_FILE_MAX_BYTES = 1024 * KIB;
/** 64 items go into one import call; a file may be split over sixteen of them. */
export const PKI_FILE_MAX_ITEMS = 1024;

/** RFC 5280 §4.1.2.2. */
export const SERIAL_MAX_BYTES = 20;
/** Names of zones and nodes, as in the registry. */
export const NAME_FORM = /^[a-z0-9][a-z0-9-]{0,62}$/;
/** RFC 5280 upper bounds ub-organization-name and ub-common-name, in characters. */
export const NAME_TEXT_MAX = 64;
/** The deepest structure of the profile has 7 levels (an extension inside a certificate); 12 leaves room. */
export const ASN1_DEPTH_MAX = 12;
