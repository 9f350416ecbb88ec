/**
 * Guarantee: a key file is read strictly: every field present and of its form,
 * none unknown. Nothing in it is secret but the sealed scalar, and every other
 * field is bound to that by the AAD.
 */
import { GatewayError } from "../errors/index.ts";
import { domainSeparated, formatKeyId, loadProvider, type Sm2PublicKey } from "../sm/index.ts";
import { assertRounds, type KeyLock, lockAad, SALT_BYTES } from "./key-lock.ts";
import { readHex, readStrictJson } from "./strict-json.ts";

/** What a key may be used for; a key file of one use does not load for another. */
export const KEY_USES = [
  "node-sign",
  "node-encrypt",
  "policy-sign",
  "audit-sign",
  "ferry-sign",
  "authority-sign",
  "ca-sign",
] as const;

export type KeyUse = (typeof KEY_USES)[number];

/** The public half of a key file. */
export interface KeyInfo {
  /** First half of SM3(public key) as hex, 32 characters. */
  readonly keyId: string;
  readonly use: KeyUse;
  readonly publicKey: Sm2PublicKey;
  /** A demonstration key; production mode refuses it. */
  readonly demo: boolean;
}

export interface KeyDocument extends KeyInfo {
  readonly lock: KeyLock;
  /** 32-byte scalar and 16-byte tag. */
  readonly sealed: Uint8Array;
}

const FORMAT = "lightferry-key/2";
const FIELDS = ["format", "use", "keyId", "publicKey", "demo", "kdf", "sealed"];
const SEALED_BYTES = 48;

/** The bytes bound to the sealed scalar: format, id, use, mark, derivation and public key. */
export function keyFileAad(info: KeyInfo, lock: KeyLock): Uint8Array {
  const text = `${FORMAT}\0${info.keyId}\0${info.use}\0${info.demo ? "demo" : "real"}\0`;
  return domainSeparated("key-file/2", Buffer.from(text, "ascii"), info.publicKey, lockAad(lock));
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** The form of a lock inside a document. */
export function formatLock(lock: KeyLock): object {
  return lock.name === "hmac-sm3"
    ? { name: lock.name, salt: hex(lock.salt) }
    : { name: lock.name, rounds: lock.rounds, salt: hex(lock.salt) };
}

export function formatKeyDocument(document: KeyDocument): Uint8Array {
  const text = JSON.stringify(
    {
      format: FORMAT,
      use: document.use,
      keyId: document.keyId,
      publicKey: hex(document.publicKey),
      demo: document.demo,
      kdf: formatLock(document.lock),
      sealed: hex(document.sealed),
    },
    null,
    2,
  );
  return Buffer.from(`${text}\n`, "utf8");
}

function invalid(path: string, what: string): GatewayError {
  return new GatewayError("sm.key-invalid", { detail: `${path}: ${what}` });
}

/** @throws GatewayError `sm.key-invalid`, `key.derivation-refused` when the rounds are out of bounds. */
export function parseLock(path: string, value: unknown): KeyLock {
  if (typeof value !== "object" || value === null) throw invalid(path, "kdf is no object");
  const fields = value as Record<string, unknown>;
  const names = Object.keys(fields).sort().join();
  if (fields.name === "hmac-sm3" && names === "name,salt") {
    return { name: fields.name, salt: readHex(path, fields.salt, "salt", SALT_BYTES) };
  }
  if (fields.name === "pbkdf2-hmac-sm3" && names === "name,rounds,salt") {
    const salt = readHex(path, fields.salt, "salt", SALT_BYTES);
    return { name: fields.name, rounds: assertRounds(fields.rounds), salt };
  }
  throw invalid(path, "unknown kdf");
}

/**
 * Parses a key file. `path` only names it in errors.
 * @throws GatewayError `sm.key-invalid`, `key.derivation-refused`
 */
export function parseKeyDocument(path: string, bytes: Uint8Array): KeyDocument {
  const fields = readStrictJson(path, bytes, FIELDS);
  if (fields.format !== FORMAT) throw invalid(path, "unknown format");
  const use = KEY_USES.find((known) => known === fields.use);
  if (use === undefined) throw invalid(path, "unknown use");
  if (typeof fields.demo !== "boolean") throw invalid(path, "demo is not a boolean");
  const publicKey = loadProvider().checkPublicKey(readHex(path, fields.publicKey, "publicKey", 65));
  const keyId = formatKeyId(publicKey);
  if (fields.keyId !== keyId) throw invalid(path, "keyId does not belong to publicKey");
  return {
    keyId,
    use,
    publicKey,
    demo: fields.demo,
    lock: parseLock(path, fields.kdf),
    sealed: readHex(path, fields.sealed, "sealed", SEALED_BYTES),
  };
}
