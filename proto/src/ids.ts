/**
 * Guarantee: identifiers are UUIDv7 (RFC 9562 §5.7): 16 bytes, ascending within
 * one process even when the clock stands still or steps back.
 */
import { randomFillSync } from "node:crypto";
import { GatewayError } from "./errors/index.ts";

export const ID_BYTES = 16;

/** Random bytes are drawn for this many ids at once: one system call in place of 256. */
const POOL_IDS = 256;
const pool = Buffer.alloc(POOL_IDS * ID_BYTES);
let poolAt = pool.length;
let lastMs = 0;
let counter = 0;

/** A new identifier. Ids made later by this process sort after earlier ones. */
export function newId(nowMs: number = Date.now()): Uint8Array {
  if (poolAt >= pool.length) {
    randomFillSync(pool);
    poolAt = 0;
  }
  const id = new Uint8Array(pool.subarray(poolAt, poolAt + ID_BYTES));
  poolAt += ID_BYTES;
  if (nowMs > lastMs) {
    lastMs = nowMs;
    counter = 0;
  } else {
    // RFC 9562 §6.2 method 1: a 12-bit counter in rand_a; overflow borrows from the future.
    counter += 1;
    if (counter > 0xfff) {
      lastMs += 1;
      counter = 0;
    }
  }
  const view = new DataView(id.buffer);
  view.setUint16(0, Math.floor(lastMs / 2 ** 32));
  view.setUint32(2, lastMs % 2 ** 32);
  view.setUint16(6, 0x7000 | counter);
  view.setUint8(8, 0x80 | (view.getUint8(8) & 0x3f));
  return id;
}

/** Lower-case 8-4-4-4-12 form. */
export function formatId(id: Uint8Array): string {
  const hex = Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

const ID_FORM = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** @throws GatewayError `id.invalid` when the text is not a lower-case UUIDv7. */
export function parseId(text: string): Uint8Array {
  if (!ID_FORM.test(text)) throw new GatewayError("id.invalid");
  return new Uint8Array(Buffer.from(text.replaceAll("-", ""), "hex"));
}

/** True when the bytes have the shape of a UUIDv7. */
export function isId(bytes: Uint8Array): boolean {
  return (
    bytes.length === ID_BYTES &&
    ((bytes[6] ?? 0) & 0xf0) === 0x70 &&
    ((bytes[8] ?? 0) & 0xc0) === 0x80
  );
}

/** Unix milliseconds that the id was made at, by its maker's clock. */
export function idTimeMs(id: Uint8Array): number {
  return Buffer.from(id.buffer, id.byteOffset, id.byteLength).readUIntBE(0, 6);
}
