/**
 * Guarantee: every limit of bundle format v1 (proto/SPEC.md §9) stands here once,
 * with its reason. Sizes are bytes, times are milliseconds.
 */

const KIB = 1024;
const MIB = 1024 * KIB;

/** "LFB1": tells a bundle from anything else before a length is believed. */
export const MAGIC = Uint8Array.of(0x4c, 0x46, 0x42, 0x31);
/** The one version this code reads and writes. */
export const FORMAT_VERSION = 1;

/** Length field before the header: u32, big-endian. */
export const LENGTH_BYTES = 4;
export const SIGNATURE_BYTES = 64;
export const DIGEST_BYTES = 32;
/** SM4-GCM tag, GB/T 36624; never shortened. */
export const TAG_BYTES = 16;

/** 1,024 items with a verdict of ~300 bytes and a path of ten hashes need ~720 KiB. */
export const HEADER_MAX = MIB;

/** Large enough that tag, digest and system call cost < 1 %; small enough to check and retry alone. */
export const CHUNK_SIZE = 256 * KIB;
/** Readers also take smaller powers of two: small bundles then test chunk rules. Below a page nothing is gained. */
export const CHUNK_SIZE_MIN = 4 * KIB;
/** Bounds the digest table to 32 MiB and a bundle to 256 GiB; far below SM4-GCM's 2^32 calls per key. */
export const CHUNK_COUNT_MAX = 2 ** 20;

/** One signature for up to so many exchanges; beyond it the gain per item is under 1 %. */
export const ITEMS_MAX = 1024;
/** The far node, a releaser and room for a few more; each costs ~140 bytes and one SM2 operation. */
export const RECIPIENTS_MAX = 16;
/** SM2Cipher of 32 bytes is at most 141 bytes in DER; double that refuses padding games. */
export const WRAPPED_SECRET_MAX = 256;
/** Wrapped per recipient; twice the SM4 key so that key and commitment share no guess. */
export const SECRET_BYTES = 32;

/** Node, lane and key names; they appear in every item, so they stay short. */
export const NAME_MAX = 63;
/** "<lane>/<sender>/<priority>": three names and two strokes. */
export const STREAM_MAX = 3 * NAME_MAX + 2;
export const POLICY_VERSION_MAX = 128;
/** A checkpoint note is origin, size, root and a few signature lines. */
export const CHECKPOINT_NOTE_MAX = 4 * KIB;
/** RFC 6962 §2.1.2: at most ceil(log2 n) + 1 nodes, n < 2^63. */
export const CONSISTENCY_MAX = 64;

/** Signing, policy and audit certificate, the next of each during a change of keys, two issuers. */
export const CERTIFICATES_MAX = 8;
/** An SM2 certificate of the profile has about 700 bytes. */
export const CERTIFICATE_MAX = 2 * KIB;
/** All certificates of a zone's node in their overlap, its issuer, and its revocation list. */
export const TRUST_ITEMS_MAX = 32;
/** A revocation list of about 1,500 entries; a longer one travels by medium. */
export const TRUST_ITEM_MAX = 64 * KIB;

/** Held in memory by the reader: 1,024 items of 16 KiB (entry and trail) fit. */
export const MANIFEST_MAX = 16 * MIB;
export const SALT_BYTES = 32;
/** An entry carries HTTP headers; common servers refuse more than 16–64 KiB of them. */
export const ENTRY_MAX = 64 * KIB;
export const ENTRY_TEXT_MAX = 512;
export const HTTP_PATH_MAX = 8 * KIB;
export const HTTP_HEADERS_MAX = 128;
/** NAME_MAX of Linux file systems. */
export const FILE_NAME_MAX = 255;
/** The sender's half of one exchange: about eight steps, with room for holds and retries. */
export const TRAIL_EVENTS_MAX = 64;
export const TRAIL_EVENT_MAX = 16 * KIB;

/** A bundle from further ahead is held: the clocks, not the bundle, need attention. */
export const CLOCK_SKEW_MS = 5 * 60 * 1000;
/**
 * How far the sender's clock, as its heartbeats tell it, is believed against our own: a date that is wrong by one,
 * with an hour or two of time zone. Whoever could hold heartbeats back, or make them, gains no more than this.
 */
export const SENDER_CLOCK_ROOM_MS = 26 * 60 * 60 * 1000;
/** An estimate that rests on an older heartbeat is none: a machine that slept has not counted the time. */
export const SENDER_TIME_AGE_MAX_MS = 24 * 60 * 60 * 1000;
/** An expiry that lies further off bounds nothing. */
export const LIFETIME_MAX_MS = 366 * 24 * 60 * 60 * 1000;
/** Beyond the lane's own expiry: a sealer may round it up to whole minutes, not set it itself. */
export const LIFETIME_ALLOWANCE_MS = 5 * 60 * 1000;
