/** Guarantee: times, ids and digests look the same in every bundle command, and no value can break them. */
import type { Words } from "../src/cli/index.ts";
import { formatId, ID_BYTES } from "../src/ids.ts";

/** ECMAScript knows no later time. */
const TIME_MAX_MS = 8.64e15;

/** Local time and UTC: evidence is read in both. Once where they are the same. */
export function timeText(ms: number): string {
  if (!Number.isFinite(ms) || ms <= 0 || ms > TIME_MAX_MS) return String(ms);
  const date = new Date(ms);
  const offset = -date.getTimezoneOffset();
  if (offset === 0) return date.toISOString();
  const local = new Date(ms + offset * 60_000).toISOString().slice(0, -1).replace("T", " ");
  const two = (value: number) => String(Math.floor(value)).padStart(2, "0");
  const size = Math.abs(offset);
  const zone = `${offset < 0 ? "-" : "+"}${two(size / 60)}:${two(size % 60)}`;
  return `${local}${zone} = ${date.toISOString()}`;
}

/** UTC for machines; a number that is no time stays one. */
export function timeJson(ms: number): string | number {
  const valid = Number.isFinite(ms) && ms > 0 && ms <= TIME_MAX_MS;
  return valid ? new Date(ms).toISOString() : ms;
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}

/** An id in its usual form; bytes that are none in hexadecimal. */
export function idText(bytes: Uint8Array): string {
  return bytes.length === ID_BYTES ? formatId(bytes) : hex(bytes);
}

export function sizeText(bytes: number): string {
  return bytes.toLocaleString("en-US");
}

/** Uses of certificates in words. */
export const USE_WORDS: Readonly<Record<string, Words>> = {
  sign: { zh: "节点签名", en: "node signing" },
  encrypt: { zh: "节点加密", en: "node encryption" },
  policy: { zh: "策略签名", en: "policy signing" },
  audit: { zh: "审计签名", en: "audit signing" },
  ferry: { zh: "摆渡签名", en: "ferry signing" },
  issuer: { zh: "签发机构", en: "issuing CA" },
  root: { zh: "根", en: "root" },
};
