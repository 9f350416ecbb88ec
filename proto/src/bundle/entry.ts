/**
 * Guarantee: a manifest entry that passes says completely and within its limits
 * what an item is and where it goes (proto/SPEC.md §6.2); a file name is never a path.
 */
import { GatewayError } from "../errors/index.ts";
import { lightferry } from "../gen/index.js";
import { isId } from "../ids.ts";
import { isGrade } from "../registry/grades.ts";
import { assertCanonical, decodeAs } from "./decode.ts";
import {
  DIGEST_BYTES,
  ENTRY_MAX,
  ENTRY_TEXT_MAX,
  FILE_NAME_MAX,
  HTTP_HEADERS_MAX,
  HTTP_PATH_MAX,
} from "./limits.ts";

const { ManifestEntry } = lightferry.bundle.v1;

/** A decoded entry of which {@link decodeEntry} checked every field. */
export type ItemEntry = Readonly<lightferry.bundle.v1.ManifestEntry>;

const METHOD = /^[A-Z]{3,10}$/;
const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const CONTROL = /\p{Cc}/u;

/**
 * @param bytes canonical `lightferry.bundle.v1.ManifestEntry`.
 * @throws GatewayError `bundle.manifest-invalid` naming the field, `bundle.not-canonical`.
 */
export function decodeEntry(bytes: Uint8Array): ItemEntry {
  if (bytes.length > ENTRY_MAX) throw invalid("entry length");
  const entry = decodeAs(ManifestEntry, bytes, "bundle.manifest-invalid");
  assertCanonical(ManifestEntry, entry, bytes);
  const field = badField(entry) ?? badTarget(entry);
  if (field !== undefined) throw invalid(field);
  return entry;
}

function badField(entry: ItemEntry): string | undefined {
  if (!isId(entry.exchangeId)) return "exchange_id";
  if (!isGrade(entry.grade)) return "grade";
  if (entry.service === "") return "service";
  for (const name of ["service", "caller", "grant", "purpose", "orderingKey"] as const) {
    if (entry[name].length > ENTRY_TEXT_MAX) return name;
  }
  if (!Number.isSafeInteger(entry.size) || entry.size < 0) return "size";
  if (entry.digest.length !== DIGEST_BYTES) return "digest";
  if (!Number.isSafeInteger(entry.submittedMs) || entry.submittedMs < 0) return "submitted_ms";
  return undefined;
}

function badTarget(entry: ItemEntry): string | undefined {
  const { http, file } = entry;
  if (entry.kind === "request") {
    if (file !== null && file !== undefined) return "file";
    return http === null || http === undefined ? "http" : badRequest(http);
  }
  if (entry.kind === "file") {
    if (http !== null && http !== undefined) return "http";
    return file === null || file === undefined ? "file" : badFile(file);
  }
  // Receipts have one target, which the lane's far end knows.
  if (entry.kind === "receipt") {
    if (http !== null && http !== undefined) return "http";
    return file === null || file === undefined ? undefined : "file";
  }
  return "kind";
}

function badRequest(http: lightferry.bundle.v1.HttpRequest.$Properties): string | undefined {
  const path = http.path ?? "";
  if (!METHOD.test(http.method ?? "")) return "http.method";
  if (!path.startsWith("/") || path.length > HTTP_PATH_MAX || CONTROL.test(path)) {
    return "http.path";
  }
  const headers = http.headers ?? [];
  if (headers.length > HTTP_HEADERS_MAX) return "http.headers";
  let before = "";
  for (const header of headers) {
    const name = header.name ?? "";
    const value = header.value ?? "";
    if (!HEADER_NAME.test(name) || CONTROL.test(value)) return "http.headers";
    // U+0000 sorts below every character of a name, so "a" + value never passes "a-b".
    const place = `${name}\u0000${value}`;
    if (place < before) return "http.headers";
    before = place;
  }
  return undefined;
}

function badFile(file: lightferry.bundle.v1.FileInfo.$Properties): string | undefined {
  const name = file.name ?? "";
  if (name === "" || name === "." || name === "..") return "file.name";
  if (Buffer.byteLength(name) > FILE_NAME_MAX) return "file.name";
  if (/[/\\]/.test(name) || CONTROL.test(name)) return "file.name";
  const type = file.contentType ?? "";
  return type.length > ENTRY_TEXT_MAX || CONTROL.test(type) ? "file.content_type" : undefined;
}

function invalid(detail: string): GatewayError {
  return new GatewayError("bundle.manifest-invalid", { detail });
}
