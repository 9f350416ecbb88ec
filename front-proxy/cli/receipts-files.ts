/**
 * Guarantee: a file of receipts is created whole and durable, never over
 * another; one that is read is an ordinary file no longer than it can be, or
 * the complete texts of its QR codes.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { readUpTo } from "@lightferry/proto/cli";
import { GatewayError } from "@lightferry/proto/errors";
import { QrCollector, writeQrFiles } from "@lightferry/proto/pki";
import { decodeReceiptFile, encodeReceiptFile, FILE_MAX } from "@lightferry/proto/receipt";

const QR_BEGIN = "LF1:";

/** @throws GatewayError `cli.usage` when it exists or cannot be written. */
export function writeNew(path: string, content: string | Uint8Array): void {
  if (existsSync(path)) throw new GatewayError("cli.usage", { detail: `${path} exists` });
  const draft = `${path}.part`;
  try {
    writeFileSync(draft, content, { flag: "wx", mode: 0o644, flush: true });
    renameSync(draft, path);
    syncFolder(dirname(path));
  } catch (cause) {
    rmSync(draft, { force: true });
    throw new GatewayError("cli.usage", { detail: `${path} cannot be written`, cause });
  }
}

function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/**
 * One set of codes for each list: an SVG a code, and the texts of all, one a line.
 * @returns the paths. @throws GatewayError `cli.usage`, `receipt.*`
 */
export function writeCodes(
  dir: string,
  file: Uint8Array,
  lists: readonly { readonly lane: string; readonly number: number }[],
): string[] {
  return decodeReceiptFile(file).flatMap((signed, place) => {
    const { lane, number } = lists[place] ?? { lane: "lane", number: place };
    return writeQrFiles(dir, `receipts-${lane}-${number}`, encodeReceiptFile([signed]), writeNew);
  });
}

/**
 * The files of receipts that a path holds: one, or as many as there are sets of scanned codes.
 * @throws GatewayError `cli.usage`, `receipt.too-large`, `receipt.malformed`
 */
export function readReceipts(path: string): readonly Uint8Array[] {
  const bytes = readUpTo(path, FILE_MAX, "receipt.too-large");
  const text = Buffer.from(bytes).toString("latin1");
  return text.trimStart().startsWith(QR_BEGIN) ? scanned(text) : [bytes];
}

/** Texts of codes, one a line, of any number of sets in any order. */
function scanned(text: string): readonly Uint8Array[] {
  const sets = new Map<string, QrCollector>();
  try {
    for (const line of text.split(/\r?\n/)) {
      if (line.trim() === "") continue;
      const digest = line.split(":")[2] ?? "";
      const collector = sets.get(digest) ?? new QrCollector();
      sets.set(digest, collector);
      collector.add(line.trim());
    }
    return [...sets.values()].map((collector) => {
      const file = collector.result();
      if (file !== undefined) return file;
      const missing = collector.missing().join(", ");
      throw new GatewayError("receipt.malformed", { detail: `parts missing: ${missing}` });
    });
  } catch (cause) {
    if (!(cause instanceof GatewayError) || cause.code === "receipt.malformed") throw cause;
    throw new GatewayError("receipt.malformed", { detail: `QR: ${cause.detail}`, cause });
  }
}
