/**
 * Guarantee: bytes as text of the QR code's alphanumeric set (RFC 9285), read in
 * exactly one form: what decodes encodes to the same text again.
 */
import { GatewayError } from "../errors/index.ts";

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
const BASE = ALPHABET.length;

/** Two bytes are three characters, a last odd byte two. */
export function toBase45(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 2) {
    const [high, low] = bytes.subarray(at, at + 2);
    const value = low === undefined ? (high ?? 0) : (high ?? 0) * 256 + low;
    text += digits(value, low === undefined ? 2 : 3);
  }
  return text;
}

/** @throws GatewayError `trust.qr-invalid` for a text that {@link toBase45} does not make. */
export function fromBase45(text: string): Uint8Array {
  const bytes: number[] = [];
  for (let at = 0; at < text.length; at += 3) {
    const group = text.slice(at, at + 3);
    const value = [...group].reduceRight((sum, c) => sum * BASE + ALPHABET.indexOf(c), 0);
    const whole = group.length === 3;
    const known = [...group].every((c) => ALPHABET.includes(c));
    if (!known || group.length === 1 || value > (whole ? 0xffff : 0xff)) {
      throw new GatewayError("trust.qr-invalid", { detail: "not base 45" });
    }
    bytes.push(...(whole ? [value >> 8, value & 0xff] : [value]));
  }
  return Uint8Array.from(bytes);
}

/** Least significant digit first. */
function digits(value: number, count: number): string {
  let text = "";
  let rest = value;
  for (let i = 0; i < count; i += 1) {
    text += ALPHABET[rest % BASE] ?? "";
    rest = Math.floor(rest / BASE);
  }
  return text;
}
