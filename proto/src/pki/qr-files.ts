/**
 * Guarantee: the codes of one item lie in a folder as files to print: an SVG a
 * code, and the texts of all, one a line, for whoever has no scanner at hand.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { qrSvg } from "./qr-image.ts";
import { qrParts } from "./qr-parts.ts";

/**
 * @param dir made where it is missing.
 * @param name what every file's name begins with.
 * @param writeNew writes a file that is not there yet, and throws when it is.
 * @returns the paths, the texts last. @throws GatewayError `trust.too-large`, and what `writeNew` throws
 */
export function writeQrFiles(
  dir: string,
  name: string,
  item: Uint8Array,
  writeNew: (path: string, content: string) => void,
): string[] {
  const parts = qrParts(item);
  mkdirSync(dir, { recursive: true });
  const codes = parts.map((part, at) => {
    const path = join(dir, `${name}-${at + 1}-of-${parts.length}.svg`);
    writeNew(path, qrSvg(part));
    return path;
  });
  const texts = join(dir, `${name}.txt`);
  writeNew(texts, `${parts.join("\n")}\n`);
  return [...codes, texts];
}
