/**
 * Guarantee: a file of receipts is created whole and durable, never over
 * another; one that is read is an ordinary file no longer than it can be, or
 * the complete texts of its QR codes.
 */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { GatewayError } from "@lightferry/proto/errors";
import { QrCollector, qrParts, qrSvg } from "@lightferry/proto/pki";
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
  mkdirSync(dir, { recursive: true });
  return decodeReceiptFile(file).flatMap((signed, place) => {
    const parts = qrParts(encodeReceiptFile([signed]));
    const { lane, number } = lists[place] ?? { lane: "lane", number: place };
    const name = join(dir, `receipts-${lane}-${number}`);
    const codes = parts.map((part, at) => {
      const path = `${name}-${at + 1}-of-${parts.length}.svg`;
      writeNew(path, qrSvg(part));
      return path;
    });
    writeNew(`${name}.txt`, `${parts.join("\n")}\n`);
    return [...codes, `${name}.txt`];
  });
}

/**
 * The files of receipts that a path holds: one, or as many as there are sets of scanned codes.
 * @throws GatewayError `cli.usage`, `receipt.too-large`, `receipt.malformed`
 */
export function readReceipts(path: string): readonly Uint8Array[] {
  const bytes = readBounded(path);
  const text = Buffer.from(bytes).toString("latin1");
  return text.trimStart().startsWith(QR_BEGIN) ? scanned(text) : [bytes];
}

function readBounded(path: string): Uint8Array {
  const fault = (why: string, cause?: unknown) =>
    new GatewayError("cli.usage", { detail: `${path} ${why}`, cause });
  let file: number;
  try {
    // Not blocking: to open a pipe waits for its other end.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    throw fault("cannot be read", cause);
  }
  try {
    const status = fstatSync(file);
    if (!status.isFile()) throw fault("is no ordinary file");
    if (status.size > FILE_MAX) {
      const detail = `${path}: ${status.size} of ${FILE_MAX} bytes`;
      throw new GatewayError("receipt.too-large", { detail });
    }
    const bytes = new Uint8Array(status.size);
    for (let at = 0; at < bytes.length; ) {
      const read = readSync(file, bytes, at, bytes.length - at, at);
      if (read === 0) throw fault("ended while it was read");
      at += read;
    }
    return bytes;
  } finally {
    closeSync(file);
  }
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
