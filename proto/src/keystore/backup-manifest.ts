/**
 * Guarantee: the manifest of a key backup is read strictly and bounded before
 * anything is derived or allocated; file names in it cannot leave a folder.
 */
import { GatewayError } from "../errors/index.ts";
import { formatLock, KEY_USES, type KeyUse, parseLock } from "./key-document.ts";
import type { KeyLock } from "./key-lock.ts";
import { assertShareCounts, type ShareSet } from "./shares.ts";
import { readStrictJson } from "./strict-json.ts";

/** A CA's journal with some 10,000 certificates; a passphrase or share must not buy more memory. */
export const MAX_BACKUP_BYTES = 16 * 1024 * 1024;
export const SCALAR_BYTES = 32;
/** Five rings of a node at their limit. */
const MAX_KEYS = 5 * 256;
/** A CA folder has a handful beside its numbered lists, which the journal holds. */
const MAX_FILES = 64;
const FORMAT = "lightferry-key-backup/1";
const FIELDS = ["format", "kind", "subject", "createdMs", "keys", "files", "kdf", "shares"];
const FILE_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/;
const RING = /^[a-z]{1,16}$/;
const MAX_SUBJECT_CHARACTERS = 256;

export interface BackupManifest {
  /** `authority`: a CA folder; `zone`: the rings of a node. */
  readonly kind: "authority" | "zone";
  readonly subject: string;
  /** Unix milliseconds. */
  readonly createdMs: number;
  readonly keys: readonly {
    readonly ring: string;
    readonly use: KeyUse;
    readonly demo: boolean;
    readonly keyId: string;
  }[];
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
  readonly lock: KeyLock;
  /** Absent when it opens with a passphrase. */
  readonly shares?: ShareSet;
}

export function formatManifest(manifest: BackupManifest): Uint8Array {
  const { lock, ...rest } = manifest;
  return Buffer.from(JSON.stringify({ format: FORMAT, ...rest, kdf: formatLock(lock) }), "utf8");
}

function bad(what: string): GatewayError {
  return new GatewayError("key.backup-invalid", { detail: what });
}

function object(value: unknown, names: string, what: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw bad(what);
  if (Object.keys(value).sort().join() !== names) throw bad(what);
  return value as Record<string, unknown>;
}

function list(value: unknown, limit: number, what: string): unknown[] {
  if (!Array.isArray(value) || value.length > limit) throw bad(what);
  return value;
}

function count(value: unknown, limit: number, what: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0 || (value as number) > limit) {
    throw bad(what);
  }
  return value as number;
}

function text(value: unknown, form: RegExp, what: string): string {
  if (typeof value !== "string" || !form.test(value)) throw bad(what);
  return value;
}

function readKey(value: unknown): BackupManifest["keys"][number] {
  const key = object(value, "demo,keyId,ring,use", "keys");
  const use = KEY_USES.find((known) => known === key.use);
  if (use === undefined || typeof key.demo !== "boolean") throw bad("keys");
  return {
    ring: text(key.ring, RING, "ring"),
    use,
    demo: key.demo,
    keyId: text(key.keyId, /^[0-9a-f]{32}$/, "keyId"),
  };
}

function readFile(value: unknown): BackupManifest["files"][number] {
  const file = object(value, "bytes,name", "files");
  return {
    name: text(file.name, FILE_NAME, "file name"),
    bytes: count(file.bytes, MAX_BACKUP_BYTES, "file length"),
  };
}

function readShares(value: unknown): ShareSet {
  const shares = object(value, "digests,k,n,set", "shares");
  const k = count(shares.k, 255, "k");
  const n = count(shares.n, 255, "n");
  assertShareCounts(k, n);
  const digests = list(shares.digests, n, "digests").map((digest) =>
    text(digest, /^[0-9a-f]{64}$/, "digest"),
  );
  if (digests.length !== n) throw bad("digests");
  return { set: text(shares.set, /^[0-9a-f]{16}$/, "set"), k, n, digests };
}

/** @throws GatewayError `key.backup-invalid`, `key.derivation-refused`, `key.share-invalid` */
export function parseManifest(bytes: Uint8Array): BackupManifest {
  let fields: Record<string, unknown>;
  let lock: KeyLock;
  try {
    fields = readStrictJson("backup", bytes, FIELDS);
    if (fields.format !== FORMAT) throw bad("unknown format");
    lock = parseLock("backup", fields.kdf);
  } catch (error) {
    if (error instanceof GatewayError && error.code === "sm.key-invalid") throw bad(error.detail);
    throw error;
  }
  const { kind, subject } = fields;
  if (kind !== "authority" && kind !== "zone") throw bad("unknown kind");
  if (typeof subject !== "string" || subject.length > MAX_SUBJECT_CHARACTERS) throw bad("subject");
  return {
    kind,
    subject,
    createdMs: count(fields.createdMs, Number.MAX_SAFE_INTEGER, "createdMs"),
    keys: list(fields.keys, MAX_KEYS, "keys").map(readKey),
    files: list(fields.files, MAX_FILES, "files").map(readFile),
    lock,
    ...(fields.shares === undefined ? {} : { shares: readShares(fields.shares) }),
  };
}
