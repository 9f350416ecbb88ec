/**
 * Guarantee: which reader a content gets is decided from what the caller
 * declared and what the first bytes show; where the two do not fit, or nothing
 * is known, the answer is that nobody could look.
 */
import { hasControls, Utf8Stream } from "../text/utf8.ts";

export const FORMATS = ["json", "csv", "text"] as const;
export type Format = (typeof FORMATS)[number];
/** As a pack names them: `receipts` stands alone, for services of that kind. */
export const PACK_FORMATS = [...FORMATS, "receipts"] as const;
export type PackFormat = (typeof PACK_FORMATS)[number];

export interface DeclaredContent {
  /** Content type as submitted; may be empty. */
  readonly contentType: string;
  /** Kind "request" only: the header of this name, if there is one. */
  readonly contentEncoding?: string;
  /** Kind "file" only; may be empty. */
  readonly fileName: string;
}

const BY_TYPE: readonly (readonly [RegExp, Format])[] = [
  [/^application\/(?:json|[a-z0-9.-]+\+json)$/, "json"],
  [/^(?:text\/csv|application\/csv|application\/vnd\.ms-excel)$/, "csv"],
  [/^text\/[a-z0-9.+-]+$/, "text"],
];
const BY_EXTENSION: Readonly<Record<string, Format>> = {
  json: "json",
  geojson: "json",
  csv: "csv",
  txt: "text",
  text: "text",
  md: "text",
  log: "text",
};

const CHARSET = /;\s*charset\s*=\s*["']?([^;"'\s]*)/gi;
/** UTF-8 and its subset. */
const UTF8_NAMES = /^(?:utf-?8|us-ascii|ascii)$/i;

/** First bytes of packed or paged files that could otherwise be taken for text. */
const PACKED: readonly Uint8Array[] = [
  Buffer.from("PK\x03\x04", "latin1"),
  Buffer.from("%PDF-", "latin1"),
  Buffer.from("\x1f\x8b", "latin1"),
  Buffer.from("7z\xbc\xaf\x27\x1c", "latin1"),
  Buffer.from("Rar!", "latin1"),
  Buffer.from("\xd0\xcf\x11\xe0", "latin1"),
];

/** Bytes looked at before a reader is chosen. */
export const HEAD_BYTES = 64 * 1024;

/** What the caller says: one format, nothing known, or two that exclude each other. */
export function declaredFormat(declared: DeclaredContent): Format | "unknown" | "conflict" {
  // Its reader would see other characters than the inspectors, which read UTF-8; of several it may take any.
  for (const [, charset = ""] of declared.contentType.matchAll(CHARSET)) {
    if (!UTF8_NAMES.test(charset)) return "conflict";
  }
  const type = (declared.contentType.split(";")[0] ?? "").trim().toLowerCase();
  const extension = /\.([A-Za-z0-9]+)$/.exec(declared.fileName)?.[1]?.toLowerCase() ?? "";
  const byType = BY_TYPE.find(([pattern]) => pattern.test(type))?.[1];
  const byName = BY_EXTENSION[extension];
  if (byType === undefined || byName === undefined) return byType ?? byName ?? "unknown";
  if (byType === byName || byType === "text") return byName;
  return byName === "text" ? byType : "conflict";
}

/** True when whoever reads the content will first undo a coding (RFC 9110 §8.4). */
export function isCoded({ contentEncoding = "" }: DeclaredContent): boolean {
  return !/^\s*(?:identity)?\s*$/i.test(contentEncoding);
}

export function isPacked(head: Uint8Array): boolean {
  return PACKED.some((magic) => Buffer.compare(head.subarray(0, magic.length), magic) === 0);
}

/** True when the first bytes are UTF-8 text without control characters. */
export function looksLikeText(head: Uint8Array): boolean {
  if (isPacked(head)) return false;
  const text = new Utf8Stream().push(head.subarray(0, HEAD_BYTES));
  return text !== undefined && !hasControls(text);
}

/** The reader for content of unknown type among those a service takes. */
export function guessFormat(head: Uint8Array, taken: readonly PackFormat[]): Format | undefined {
  if (!looksLikeText(head)) return undefined;
  const first = /^[\s\ufeff]*(\S)/u.exec(Buffer.from(head.subarray(0, 256)).toString("utf8"))?.[1];
  if ((first === "{" || first === "[") && taken.includes("json")) return "json";
  return FORMATS.find((format) => format !== "json" && taken.includes(format));
}
