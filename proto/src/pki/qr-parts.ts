/**
 * Guarantee: a certificate, request or list goes through QR codes whole or not
 * at all. Every part names the whole by digest, its place and the number of
 * parts, so that parts may be scanned in any order and more than once, and parts
 * of two sets never mix. The digest shows damage; trust is decided elsewhere.
 *
 * `LF1:<index>/<count>:<first 16 bytes of SM3 of the whole, hex>:<base 45>`
 */
import { GatewayError } from "../errors/index.ts";
import { constantTimeEqual, loadProvider } from "../sm/index.ts";
import { fromBase45, toBase45 } from "./base45.ts";

/** 64 codes are five minutes of scanning; what is longer travels by medium. */
export const QR_PARTS_MAX = 64;
/**
 * Bytes per part: 435 characters of base 45 and at most 43 before them fit version 13 at error
 * correction M (483 characters), whose 69 modules and margin fit a terminal of 80 columns.
 */
const PART_BYTES = 290;
export const QR_MAX_BYTES = QR_PARTS_MAX * PART_BYTES;
/** Longest text of a part; a longer one is not looked at. */
const PART_CHARACTERS_MAX = 480;
const DIGEST_BYTES = 16;
const PART_FORM = /^LF1:([1-9][0-9]?)\/([1-9][0-9]?):([0-9A-F]{32}):([0-9A-Z $%*+\-./:]+)$/;

function digestOf(der: Uint8Array): Uint8Array {
  return loadProvider().sm3(der).subarray(0, DIGEST_BYTES);
}

/**
 * The texts of the QR codes of one item.
 * @throws GatewayError `trust.too-large` over 18,560 bytes (64 codes).
 */
export function qrParts(der: Uint8Array): string[] {
  if (der.length === 0 || der.length > QR_MAX_BYTES) {
    throw new GatewayError("trust.too-large", { detail: `${der.length} of ${QR_MAX_BYTES} bytes` });
  }
  const count = Math.ceil(der.length / PART_BYTES);
  const digest = Buffer.from(digestOf(der)).toString("hex").toUpperCase();
  return Array.from({ length: count }, (_, i) => {
    const part = der.subarray(i * PART_BYTES, (i + 1) * PART_BYTES);
    return `LF1:${i + 1}/${count}:${digest}:${toBase45(part)}`;
  });
}

interface Part {
  readonly index: number;
  readonly count: number;
  readonly digest: string;
  readonly bytes: Uint8Array;
}

/** Puts the parts of one set together again. */
export class QrCollector {
  readonly #parts = new Map<number, Part>();
  #first: Part | undefined;

  /**
   * Takes the text of one code; a part that is there already changes nothing.
   * @returns how many parts are there, of how many.
   * @throws GatewayError `trust.qr-invalid` for a text that is no part, `trust.qr-mixed` for a part of
   * another set; neither changes what was collected.
   */
  add(text: string): { readonly have: number; readonly count: number } {
    const part = parsePart(text);
    const first = this.#first ?? part;
    const same = this.#parts.get(part.index);
    if (
      part.digest !== first.digest ||
      part.count !== first.count ||
      (same !== undefined && !constantTimeEqual(same.bytes, part.bytes))
    ) {
      throw new GatewayError("trust.qr-mixed", { detail: `part ${part.index}/${part.count}` });
    }
    this.#first = first;
    this.#parts.set(part.index, part);
    return { have: this.#parts.size, count: first.count };
  }

  /** Places of the parts still to be scanned, from 1; empty before the first part and when complete. */
  missing(): number[] {
    const places = Array.from({ length: this.#first?.count ?? 0 }, (_, i) => i + 1);
    return places.filter((index) => !this.#parts.has(index));
  }

  /**
   * The item, or undefined while parts are missing.
   * @throws GatewayError `trust.qr-invalid` when the whole does not have its digest.
   */
  result(): Uint8Array | undefined {
    const first = this.#first;
    if (first === undefined || this.#parts.size < first.count) return undefined;
    const parts = [...this.#parts.values()].sort((a, b) => a.index - b.index);
    const der = Uint8Array.from(Buffer.concat(parts.map(({ bytes }) => bytes)));
    if (!constantTimeEqual(digestOf(der), Buffer.from(first.digest, "hex"))) {
      throw new GatewayError("trust.qr-invalid", { detail: "the whole has another digest" });
    }
    return der;
  }
}

function parsePart(text: string): Part {
  const fault = (why: string) => new GatewayError("trust.qr-invalid", { detail: why });
  if (text.length > PART_CHARACTERS_MAX) throw fault("too long");
  const [, index, count, digest, content] = PART_FORM.exec(text) ?? [];
  if (digest === undefined || content === undefined) throw fault("not a part");
  const part: Part = {
    index: Number(index),
    count: Number(count),
    digest,
    bytes: fromBase45(content),
  };
  if (part.count > QR_PARTS_MAX || part.index > part.count) throw fault("place out of range");
  // Every part but the last is full.
  const full = part.bytes.length === PART_BYTES;
  if (part.index < part.count ? !full : part.bytes.length > PART_BYTES) throw fault("length");
  return part;
}
