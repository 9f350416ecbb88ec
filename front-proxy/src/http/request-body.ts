/**
 * Guarantee: an HTTP request for the far side is taken only in a form that can
 * be repeated there exactly: checked method, path and headers, bounded content.
 */
import { GatewayError } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";

/**
 * A request is held in memory on both sides; whatever is larger is a file. base64 and JSON
 * escaping make the body larger than its content, hence two figures.
 */
export const MAX_REQUEST_CONTENT = 2 * 1_048_576;
export const MAX_REQUEST_BODY = 3 * 1_048_576;
/** Ordinary APIs need a handful; the total fits a quarter of the usual server limit twice over. */
const MAX_HEADERS = 64;
const MAX_HEADER_BYTES = 8_192;

const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]{1,64}$/;
/** Visible ASCII, space and tab; no line ends, so nothing can be smuggled. */
const HEADER_VALUE = /^[\t\x20-\x7e]{0,4096}$/;
/** RFC 3986 path and query; no fragment, no raw control characters or spaces. */
const PATH = /^\/[\x21\x22\x24-\x7e]{0,2047}$/;
const BASE64 = /^(?:[0-9A-Za-z+/]{4})*(?:[0-9A-Za-z+/]{2}==|[0-9A-Za-z+/]{3}=)?$/;

/** Belong to one connection or are set by the dispatching side itself. */
const NOT_CARRIED = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "idempotency-key",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

export interface RequestBody {
  readonly lane: string;
  readonly service: string;
  readonly grade?: string;
  readonly purpose?: string;
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly bodyBase64?: string;
  readonly orderingKey?: string;
}

/** @throws GatewayError `api.bad-request`, `api.body-too-large`. */
export function readContent(body: RequestBody): {
  readonly content: Uint8Array;
  /** What the content is when the caller did not say. */
  readonly impliedType: string | undefined;
} {
  if (body.body !== undefined && body.bodyBase64 !== undefined) {
    throw bad("body and bodyBase64 exclude each other");
  }
  const read = contentOf(body);
  if (read.content.length > MAX_REQUEST_CONTENT) {
    throw new GatewayError("api.body-too-large", { detail: `limit ${MAX_REQUEST_CONTENT} bytes` });
  }
  return read;
}

function contentOf(body: RequestBody): { content: Uint8Array; impliedType: string | undefined } {
  if (body.bodyBase64 !== undefined) {
    if (!BASE64.test(body.bodyBase64)) throw bad("bodyBase64 is not base64");
    return { content: Buffer.from(body.bodyBase64, "base64"), impliedType: undefined };
  }
  if (body.body === undefined) return { content: new Uint8Array(), impliedType: undefined };
  if (typeof body.body === "string") {
    return { content: Buffer.from(body.body), impliedType: "text/plain; charset=utf-8" };
  }
  return { content: Buffer.from(JSON.stringify(body.body)), impliedType: "application/json" };
}

/** @throws GatewayError `api.bad-request` naming the part. */
export function readHttp(
  body: RequestBody,
  impliedType: string | undefined,
): lightferry.bundle.v1.HttpRequest.$Properties {
  if (!PATH.test(body.path) || climbs(body.path)) throw bad("path");
  const headers = new Map<string, string>();
  let bytes = 0;
  for (const [rawName, value] of Object.entries(body.headers ?? {})) {
    const name = rawName.toLowerCase();
    if (!HEADER_NAME.test(name)) throw bad(`header name ${JSON.stringify(rawName.slice(0, 64))}`);
    if (!HEADER_VALUE.test(value)) throw bad(`value of header ${name}`);
    if (NOT_CARRIED.has(name)) throw bad(`header ${name} cannot be carried`);
    if (headers.has(name)) throw bad(`header ${name} twice`);
    headers.set(name, value);
    bytes += name.length + value.length;
  }
  if (headers.size > MAX_HEADERS || bytes > MAX_HEADER_BYTES) throw bad("too many headers");
  if (impliedType !== undefined && !headers.has("content-type")) {
    headers.set("content-type", impliedType);
  }
  const sorted = [...headers].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    method: body.method,
    path: body.path,
    headers: sorted.map(([name, value]) => ({ name, value })),
  };
}

/** Dot segments, also percent-encoded: the far side must see the path that policy saw. */
function climbs(path: string): boolean {
  const [pathname = ""] = path.split("?", 1);
  return pathname.split("/").some((part) => /^(?:\.|%2e){1,2}$/i.test(part));
}

function bad(detail: string): GatewayError {
  return new GatewayError("api.bad-request", { detail });
}
