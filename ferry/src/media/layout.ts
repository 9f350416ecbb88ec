/**
 * Guarantee: what may lie on a medium and how large it may be stands here once
 * (MEDIA.md §2); a name that is not one of these is foreign.
 */

/** Signed, written last: without it the rest counts for nothing. */
export const MANIFEST_NAME = "manifest.lfm";
/** The manifest until it is whole. */
export const MANIFEST_NEW_NAME = "manifest.lfm.new";
/** The printable sheet; nothing in it is ever read. */
export const SHEET_NAME = "交接单.html";
/** Says that an export of this node began here, until its manifest is durable. */
export const MARK_NAME = "begun.lfx";

const BUNDLE_NAME = /^[0-9a-f]{32}\.lfb$/;

/** Bundles of one medium: a day of a busy counter; their manifest stays near a megabyte. */
export const MAX_BUNDLES = 10_000;
/** 10,000 entries with the longest stream names of the format (about 310 bytes each). */
export const MAX_MANIFEST_BYTES = 4 << 20;
/** Persons named on a sheet: it has one page. */
export const MAX_CUSTODIANS = 8;
/** Characters of a name: 单位、姓名 with room. */
export const MAX_CUSTODIAN_CHARS = 64;
/** "<lane>/<sender>/<priority>": three names and two strokes (proto/SPEC.md §9). */
export const MAX_STREAM_CHARS = 191;
/** Entries looked at in a folder before it is called foreign: the bundles and whatever systems leave. */
export const MAX_ENTRIES = MAX_BUNDLES + 64;
/** Kept free for manifest, its new copy, the sheet and the folder itself. */
export const RESERVE_BYTES = 2 * MAX_MANIFEST_BYTES + (1 << 20);
/**
 * How long a medium may be on its way: the freshness limit of a media lane. A ferry key that ended longer ago
 * signs nothing, whatever time its holder names.
 */
export const TRANSIT_MS = 30 * 86_400_000;

/** What operating systems leave on media; never opened. */
const LITTER: readonly RegExp[] = [
  /^System Volume Information$/i,
  /^\$RECYCLE\.BIN$/i,
  /^(desktop\.ini|thumbs\.db)$/i,
  /^\.(DS_Store|Spotlight-V100|fseventsd|Trashes|TemporaryItems|DocumentRevisions-V100)$/,
  /^\.Trash-\d+$/,
  /^\._/,
  /^lost\+found$/,
];

export function bundleName(bundleId: Uint8Array): string {
  return `${Buffer.from(bundleId).toString("hex")}.lfb`;
}

export function isBundleName(name: string): boolean {
  return BUNDLE_NAME.test(name);
}

export function isLitter(name: string): boolean {
  return LITTER.some((pattern) => pattern.test(name));
}

/** A foreign name for a message: short, and nothing that a terminal would obey. */
export function shownName(name: string): string {
  const plain = name.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, "?");
  return plain.length > MAX_CUSTODIAN_CHARS ? `${plain.slice(0, MAX_CUSTODIAN_CHARS)}…` : plain;
}
