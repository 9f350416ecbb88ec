/**
 * Guarantee: how often each key was used stands on the disk and only ever
 * grows. The file is replaced whole (written beside, fsynced, renamed, folder
 * fsynced); one that cannot be read stops the start instead of counting from 0.
 */
import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { GatewayError } from "../errors/index.ts";

export const KEY_OPERATIONS = ["sign", "decrypt"] as const;
export type KeyOperation = (typeof KEY_OPERATIONS)[number];

/** Uses of one key for one operation, since the state folder began. */
export interface KeyUses {
  readonly keyId: string;
  readonly operation: KeyOperation;
  /** No more uses than this have happened, whatever was killed when. */
  readonly reserved: number;
  /** At least these have happened; equal to `reserved` after an orderly end. */
  readonly used: number;
  /** Uses that a `key.used` in the journal has told already. */
  readonly reported: number;
}

const FORMAT = 1;
const KEY_ID = /^[0-9a-f]{32}$/;
/** Keys are changed monthly at most: centuries. Bounds the file and what a damaged one may cost. */
const MAX_ROWS = 8_192;
/** Above the longest possible row (key id, operation, three numbers of 16 digits). */
const MAX_BYTES = MAX_ROWS * 192;
const OWNER_ONLY = 0o600;

function corrupt(path: string, what: string, cause?: unknown): GatewayError {
  return new GatewayError("sm.key-count-corrupt", { detail: `${path}: ${what}`, cause });
}

/**
 * The counts of a state folder; none when there is no file yet.
 * @throws GatewayError `sm.key-count-corrupt`
 */
export function readKeyUses(path: string): KeyUses[] {
  let text: string;
  try {
    if (statSync(path).size > MAX_BYTES) throw corrupt(path, `over ${MAX_BYTES} bytes`);
    text = readFileSync(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return [];
    if (cause instanceof GatewayError) throw cause;
    throw corrupt(path, "cannot be read", cause);
  }
  let value: { format?: unknown; keys?: unknown };
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw corrupt(path, "not JSON", cause);
  }
  if (value?.format !== FORMAT || !Array.isArray(value.keys) || value.keys.length > MAX_ROWS) {
    throw corrupt(path, "another format");
  }
  const seen = new Set<string>();
  return value.keys.map((row: Partial<KeyUses> | null) => {
    const { keyId, operation, reserved, used, reported } = row ?? {};
    const whole = (number: unknown): number is number =>
      Number.isSafeInteger(number) && (number as number) >= 0;
    const known = KEY_OPERATIONS.find((name) => name === operation);
    const fits = typeof keyId === "string" && KEY_ID.test(keyId) && known !== undefined;
    if (!fits || !whole(reserved) || !whole(used) || !whole(reported)) throw corrupt(path, "a row");
    if (reported > used || used > reserved) throw corrupt(path, "a row");
    if (seen.has(`${keyId}/${known}`)) throw corrupt(path, "a row stands twice");
    seen.add(`${keyId}/${known}`);
    return { keyId, operation: known, reserved, used, reported };
  });
}

/**
 * Replaces the file durably. Blocks for two fsyncs, so it is called once per block of uses.
 * @throws GatewayError `sm.key-use-unrecorded` when the disk refuses or there are too many rows
 */
export function writeKeyUses(path: string, rows: readonly KeyUses[]): void {
  if (rows.length > MAX_ROWS) {
    throw new GatewayError("sm.key-use-unrecorded", { detail: `more than ${MAX_ROWS} keys` });
  }
  const bytes = Buffer.from(`${JSON.stringify({ format: FORMAT, keys: rows })}\n`, "utf8");
  try {
    const beside = openSync(`${path}.new`, "w", OWNER_ONLY);
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(beside, bytes, at);
      fsyncSync(beside);
    } finally {
      closeSync(beside);
    }
    renameSync(`${path}.new`, path);
    const folder = openSync(dirname(path), "r");
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  } catch (cause) {
    const detail = `${path}: ${(cause as NodeJS.ErrnoException).code ?? "unknown fault"}`;
    throw new GatewayError("sm.key-use-unrecorded", { detail, cause });
  }
}
