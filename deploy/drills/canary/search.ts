/**
 * Guarantee: every place of a file where one of many needles stands is found in
 * one reading of it, however large the file is.
 */
import { closeSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import type { Needle } from "./needles.ts";

const BLOCK_BYTES = 8 * 1024 * 1024;
/** Two bytes at a time are looked up before a needle is compared. */
const PAIRS = 65_536;

export class NeedleSearch {
  readonly #byPair: (Needle[] | undefined)[] = new Array(PAIRS);
  readonly #overlap: number;

  constructor(needles: readonly Needle[]) {
    let longest = 0;
    for (const needle of needles) {
      longest = Math.max(longest, needle.bytes.length);
      const pair = needle.bytes.readUInt16BE(0);
      const known = this.#byPair[pair];
      if (known === undefined) this.#byPair[pair] = [needle];
      else known.push(needle);
    }
    this.#overlap = Math.max(0, longest - 1);
  }

  /** The needles that stand in these bytes. */
  inBytes(bytes: Buffer): Set<Needle> {
    const found = new Set<Needle>();
    let pair = bytes[0] ?? 0;
    for (let at = 1; at < bytes.length; at += 1) {
      pair = ((pair & 0xff) << 8) | (bytes[at] ?? 0);
      const candidates = this.#byPair[pair];
      if (candidates === undefined) continue;
      for (const needle of candidates) {
        const start = at - 1;
        const end = start + needle.bytes.length;
        if (end <= bytes.length && needle.bytes.compare(bytes, start, end) === 0) found.add(needle);
      }
    }
    return found;
  }

  inFile(path: string): Set<Needle> {
    const found = new Set<Needle>();
    const file = openSync(path, "r");
    try {
      const block = Buffer.allocUnsafe(this.#overlap + BLOCK_BYTES);
      let kept = 0;
      for (;;) {
        const read = readSync(file, block, kept, BLOCK_BYTES, null);
        if (read === 0) return found;
        const filled = block.subarray(0, kept + read);
        for (const needle of this.inBytes(filled)) found.add(needle);
        kept = Math.min(this.#overlap, filled.length);
        block.copyWithin(0, filled.length - kept, filled.length);
      }
    } finally {
      closeSync(file);
    }
  }
}

/** Every regular file below a folder in which nothing changes meanwhile. */
export function filesBelow(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesBelow(path);
    return entry.isFile() ? [path] : [];
  });
}
