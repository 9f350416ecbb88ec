/**
 * Guarantee: one message has one encoding. Encoding leaves out defaults;
 * decoding refuses bytes that would not be written again exactly so (unknown
 * fields, other order, written defaults, trailing bytes).
 */
import type { Reader, Writer } from "protobufjs/minimal.js";
import { GatewayError } from "./errors/index.ts";

/** A message type of `gen`, seen from outside. */
export interface MessageType<Properties extends object, Message extends Properties = Properties> {
  encode(message: Properties, writer?: Writer): Writer;
  decode(reader: Reader | Uint8Array, length?: number): Message;
}

/** Canonical bytes of a message. */
export function encodeCanonical<P extends object>(type: MessageType<P>, message: P): Uint8Array {
  return type.encode(withoutDefaults(message) as P).finish();
}

/**
 * Reads canonical bytes. The result shares memory with `bytes`.
 * @throws GatewayError `rpc.bad-message` when the bytes are malformed or not canonical.
 */
export function decodeCanonical<P extends object, M extends P>(
  type: MessageType<P, M>,
  bytes: Uint8Array,
): M {
  let message: M;
  try {
    message = type.decode(bytes);
  } catch (cause) {
    throw new GatewayError("rpc.bad-message", { detail: "malformed protobuf", cause });
  }
  // What was just decoded holds no defaults: written as it is, it is canonical.
  const again = type.encode(message).finish();
  if (Buffer.compare(again, bytes) !== 0) {
    throw new GatewayError("rpc.bad-message", { detail: "not the canonical encoding" });
  }
  return message;
}

function isDefault(value: unknown): boolean {
  switch (typeof value) {
    case "string":
      return value === "";
    case "number":
      return value === 0;
    case "object":
      return (
        value === null ||
        ((value instanceof Uint8Array || Array.isArray(value)) && value.length === 0)
      );
    default:
      return value === undefined || value === false;
  }
}

// Runs for every event and verdict: `for in` over plain objects and no intermediate arrays.
function withoutDefaults(message: object): object {
  const source = message as Record<string, unknown>;
  const out: Record<string, unknown> = {};
  for (const key in source) {
    if (!Object.hasOwn(source, key)) continue;
    const value = source[key];
    if (isDefault(value)) continue;
    out[key] = typeof value === "object" ? nested(value as object) : value;
  }
  return out;
}

function nested(value: object): object {
  if (value instanceof Uint8Array) return value;
  if (!Array.isArray(value)) return withoutDefaults(value);
  // Lists of names and of bytes, by far the most, are taken as they are.
  return value.some(isNested)
    ? value.map((element: unknown) => (isNested(element) ? withoutDefaults(element) : element))
    : value;
}

function isNested(value: unknown): value is object {
  return typeof value === "object" && value !== null && !(value instanceof Uint8Array);
}
