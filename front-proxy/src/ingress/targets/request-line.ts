/**
 * Guarantee: method, path and headers of a call are rebuilt from the verified
 * entry, and only what stands in the allow-list goes on to a target.
 */
import type { ItemEntry } from "@lightferry/proto/bundle";
import { GatewayError } from "@lightferry/proto/errors";

/** Describe the content and what the caller accepts; credentials, cookies and hop-by-hop never pass. */
const FORWARDED: ReadonlySet<string> = new Set([
  "accept",
  "accept-language",
  "content-encoding",
  "content-language",
  "content-type",
  "if-match",
  "if-none-match",
  "traceparent",
]);

const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]);

/** Printable ASCII without space, `#` and backslash; anything else must come percent-encoded. */
const PATH = /^\/(?!\/)[!"$-[\]-~]*$/;
const DOT_SEGMENT = /(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)/i;

export interface RequestLine {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
}

/**
 * @param basePath path of the target's base URL, without a trailing slash.
 * @throws GatewayError `target.request-invalid`, `target.kind-mismatch`.
 */
export function buildRequestLine(entry: ItemEntry, id: string, basePath: string): RequestLine {
  const { http } = entry;
  if (entry.kind !== "request" || http === null || http === undefined) {
    throw new GatewayError("target.kind-mismatch", { detail: entry.kind });
  }
  const method = http.method ?? "";
  const path = http.path ?? "";
  if (!METHODS.has(method)) throw new GatewayError("target.request-invalid", { detail: "method" });
  const [plain = ""] = path.split("?", 1);
  if (!PATH.test(path) || DOT_SEGMENT.test(plain)) {
    throw new GatewayError("target.request-invalid", { detail: "path" });
  }
  const headers: Record<string, string> = {};
  for (const { name, value } of http.headers ?? []) {
    if (typeof name === "string" && typeof value === "string" && FORWARDED.has(name)) {
      headers[name] = value;
    }
  }
  headers["content-length"] = String(entry.size);
  headers["idempotency-key"] = id;
  headers["x-lightferry-exchange"] = id;
  return { method, path: basePath + path, headers };
}
