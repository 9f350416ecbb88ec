/**
 * Guarantee: a CA's folder comes into being whole or not at all, one command at
 * a time works in it, and no file of it is ever replaced.
 *
 * `ca.key.json` private key · `certificate.der` its own certificate · `root.der` the root ·
 * `index.jsonl` journal · `list-000001.der` … every numbered revocation list
 */
import { randomBytes } from "node:crypto";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { GatewayError } from "../../errors/index.ts";
import { syncFolder } from "../../keystore/index.ts";

export const KEY_FILE = "ca.key.json";
export const CERTIFICATE_FILE = "certificate.der";
export const ROOT_FILE = "root.der";
export const JOURNAL_FILE = "index.jsonl";
const LOCK_FILE = "lock";
const LIST_FILE = /^list-([0-9]{6,15})\.der$/;

export const listFile = (number: number): string => `list-${String(number).padStart(6, "0")}.der`;

/** Numbers of the lists in a folder, rising. */
export function listNumbers(dir: string): number[] {
  return readdirSync(dir)
    .flatMap((name) => LIST_FILE.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

/**
 * Builds a folder beside its place and moves it there when it is complete.
 * @throws GatewayError `key.ca-exists` when there is something; what `build` throws.
 */
export function buildFolder(dir: string, build: (beside: string) => void): void {
  if (existsSync(dir) && readdirSync(dir).length > 0) {
    throw new GatewayError("key.ca-exists", { detail: dir });
  }
  const parent = dirname(dir);
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  const beside = join(parent, `.${basename(dir)}.${randomBytes(6).toString("hex")}`);
  try {
    mkdirSync(beside, { mode: 0o700 });
    build(beside);
    syncFolder(beside);
    renameSync(beside, dir);
    syncFolder(parent);
  } catch (cause) {
    rmSync(beside, { recursive: true, force: true });
    if (cause instanceof GatewayError) throw cause;
    throw new GatewayError("sm.key-file", { detail: dir, cause });
  }
}

/** Undefined when the file is not there. */
export function readPublicFile(dir: string, name: string): Uint8Array | undefined {
  const path = join(dir, name);
  return existsSync(path) ? Uint8Array.from(readFileSync(path)) : undefined;
}

/**
 * Runs `body` while no other command works in the folder.
 * @throws GatewayError `key.ca-missing`, `key.ca-busy`
 */
export async function exclusively<T>(dir: string, body: () => T | Promise<T>): Promise<T> {
  if (!existsSync(join(dir, KEY_FILE))) throw new GatewayError("key.ca-missing", { detail: dir });
  const path = join(dir, LOCK_FILE);
  try {
    const file = openSync(path, "wx", 0o600);
    writeSync(file, `${process.pid}\n`);
    closeSync(file);
  } catch (cause) {
    throw new GatewayError("key.ca-busy", { detail: path, cause });
  }
  try {
    return await body();
  } finally {
    unlinkSync(path);
  }
}
