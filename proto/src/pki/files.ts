/**
 * Guarantee: a file of certificates, requests and lists gives its items whole or
 * none: PEM blocks (RFC 7468) of known labels whose content begins as the label
 * says, or one item of DER. Whoever uses an item reads it with its own reader.
 */
import { malformed } from "./asn1-read.ts";
import { type PkiKind, pkiKind } from "./kind.ts";
import { PKI_FILE_MAX_BYTES, PKI_FILE_MAX_ITEMS } from "./limits.ts";

const LABELS = {
  CERTIFICATE: "certificate",
  "X509 CRL": "revocation-list",
  "CERTIFICATE REQUEST": "request",
} as const satisfies Record<string, PkiKind>;

export type PemLabel = keyof typeof LABELS;

export interface PkiItem {
  readonly label: PemLabel;
  readonly der: Uint8Array;
}

/** The label that goes with a kind. */
export function pemLabel(kind: PkiKind): PemLabel {
  const labels = Object.keys(LABELS) as PemLabel[];
  return labels.find((label) => LABELS[label] === kind) ?? "CERTIFICATE";
}

/** One PEM block with a line end after it. */
export function toPem(label: PemLabel, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

/**
 * The items of a file: one in DER, or any number of PEM blocks. Text around the blocks is skipped, as
 * tools write it there.
 * @param bytes at most 1 MiB and 1,024 items.
 * @throws GatewayError `certificate.malformed` for anything else, a private key among them.
 */
export function readPkiItems(bytes: Uint8Array): PkiItem[] {
  if (bytes.length > PKI_FILE_MAX_BYTES) {
    throw malformed(`file: ${bytes.length} bytes, at most ${PKI_FILE_MAX_BYTES}`);
  }
  const kind = pkiKind(bytes);
  if (kind !== undefined) return [{ label: pemLabel(kind), der: Uint8Array.from(bytes) }];
  return readBlocks(Buffer.from(bytes).toString("latin1"));
}

function readBlocks(text: string): PkiItem[] {
  const items: PkiItem[] = [];
  let label: string | undefined;
  let content: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    const begin = /^-----BEGIN ([A-Z0-9 ]{1,40})-----\s*$/.exec(line)?.[1];
    const end = /^-----END ([A-Z0-9 ]{1,40})-----\s*$/.exec(line)?.[1];
    if (begin !== undefined) {
      if (label !== undefined) throw malformed("file: a block begins inside another");
      label = begin;
      content = [];
    } else if (end !== undefined) {
      if (label !== end) throw malformed("file: a block ends that did not begin");
      items.push(readBlock(label, content.join("")));
      if (items.length > PKI_FILE_MAX_ITEMS) throw malformed("file: too many items");
      label = undefined;
    } else if (label !== undefined) {
      content.push(line.trim());
    }
  }
  if (label !== undefined) throw malformed("file: a block does not end");
  if (items.length === 0) throw malformed("file: neither PEM nor DER of a known kind");
  return items;
}

function readBlock(label: string, base64: string): PkiItem {
  if (!isLabel(label)) throw malformed(`file: a block of ${label} does not belong here`);
  const der = Buffer.from(base64, "base64");
  // Node skips what is no base64; only the way back shows it.
  if (der.toString("base64") !== base64) throw malformed(`file: ${label} is not base64`);
  if (pkiKind(der) !== LABELS[label]) throw malformed(`file: a block is not a ${label}`);
  return { label, der: Uint8Array.from(der) };
}

function isLabel(label: string): label is PemLabel {
  return Object.hasOwn(LABELS, label);
}
