/**
 * Guarantee: the number of the pack in use never falls, across restarts and
 * restores of the database: it is kept in a file of its own, durable before a
 * pack is used. One number never means two packs.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { GatewayError } from "@lightferry/proto/errors";
import type { Pack } from "./document.ts";

const FILE = "pack-high-water.json";

/**
 * Raises the mark to this pack.
 * @throws GatewayError `policy.pack-rollback`, `policy.pack-conflict`, or `policy.pack-invalid`
 *   when the mark itself cannot be read: then nobody knows what may be used.
 */
export function raiseHighWater(stateDir: string, pack: Pick<Pack, "number" | "version">): void {
  const path = join(stateDir, FILE);
  const mark = readMark(path);
  if (mark !== undefined) {
    if (pack.number < mark.number) {
      throw new GatewayError("policy.pack-rollback", {
        detail: `${pack.version} < ${mark.version}`,
      });
    }
    if (pack.number === mark.number) {
      if (pack.version === mark.version) return;
      throw new GatewayError("policy.pack-conflict", {
        detail: `${pack.version}, ${mark.version}`,
      });
    }
  }
  writeDurably(path, `${JSON.stringify({ number: pack.number, version: pack.version })}\n`);
}

function readMark(path: string): { number: number; version: string } | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new GatewayError("policy.pack-invalid", { detail: `${FILE} cannot be read`, cause });
  }
  const found = /^\{"number":([1-9][0-9]{0,15}),"version":"([0-9]+-[0-9a-f]{16})"\}\n$/.exec(text);
  if (found === null)
    throw new GatewayError("policy.pack-invalid", { detail: `${FILE} is damaged` });
  return { number: Number(found[1]), version: found[2] ?? "" };
}

function writeDurably(path: string, text: string): void {
  const next = `${path}.next`;
  const file = openSync(next, "w", 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(next, path);
  const folder = openSync(dirname(path), "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
