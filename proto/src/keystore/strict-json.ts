/**
 * Guarantee: a document at rest is one JSON object without unknown fields, and
 * its byte fields are lower-case hex of exactly their length.
 */
import { GatewayError } from "../errors/index.ts";

/**
 * Reads a document; `path` only names it in errors, which never repeat content.
 * @param known every field that may stand in it.
 * @throws GatewayError `sm.key-invalid`
 */
export function readStrictJson(
  path: string,
  bytes: Uint8Array,
  known: readonly string[],
): Record<string, unknown> {
  let fields: unknown;
  try {
    fields = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    // The parser's message quotes the text.
    throw new GatewayError("sm.key-invalid", { detail: `${path}: not JSON` });
  }
  if (typeof fields !== "object" || fields === null || Array.isArray(fields)) {
    throw new GatewayError("sm.key-invalid", { detail: `${path}: not an object` });
  }
  for (const name of Object.keys(fields)) {
    if (!known.includes(name)) {
      throw new GatewayError("sm.key-invalid", { detail: `${path}: unknown field` });
    }
  }
  return fields as Record<string, unknown>;
}

/** @throws GatewayError `sm.key-invalid` */
export function readHex(path: string, value: unknown, name: string, bytes: number): Uint8Array {
  if (typeof value !== "string" || value.length !== 2 * bytes || !/^[0-9a-f]*$/.test(value)) {
    throw new GatewayError("sm.key-invalid", {
      detail: `${path}: ${name} is not ${bytes} bytes in lower-case hex`,
    });
  }
  return Uint8Array.from(Buffer.from(value, "hex"));
}
