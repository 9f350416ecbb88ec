/** Guarantee: files that an operator names are there, or are written without overwriting any. */
import { closeSync, existsSync, fsyncSync, openSync, statSync, writeSync } from "node:fs";
import { GatewayError } from "../src/errors/index.ts";

/** Content of a bundle may be in it: for its owner only. */
const OWNER_ONLY = 0o600;

/** The path, when there is such a file. @throws GatewayError `cli.usage`. */
export function fileOf(path: string): string {
  if (!existsSync(path) || !statSync(path).isFile()) {
    throw new GatewayError("cli.usage", { detail: `${path}: no such file` });
  }
  return path;
}

/**
 * A new file of mode 0600, synced.
 * @throws GatewayError `export.file` when it exists or cannot be written.
 */
export function writeNew(path: string, pieces: readonly Uint8Array[]): void {
  try {
    const file = openSync(path, "wx", OWNER_ONLY);
    try {
      for (const piece of pieces) {
        for (let at = 0; at < piece.length; ) at += writeSync(file, piece, at);
      }
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    const why = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown fault";
    throw new GatewayError("export.file", { detail: `${path}: ${why}`, cause });
  }
}
