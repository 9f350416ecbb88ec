/**
 * Guarantee: a key file is read strictly: every field present and of its form,
 * none unknown. Nothing in it is secret but the sealed scalar, and every other
 * field is bound to that by the AAD.
 */
import { GatewayError } from "../errors/index.ts";
import { domainSeparated, formatKeyId, loadProvider, type Sm2PublicKey } from "../sm/index.ts";

/** What a key may be used for; a key file of one use does not load for another. */
export const KEY_USES = [
  "node-sign",
  "node-encrypt",
  "policy-sign",
  "audit-sign",
  "ferry-sign",
  "authority-sign",
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
  /** 16 bytes. */
  readonly salt: Uint8Array;
  /** 32-byte scalar and 16-byte tag. */
  readonly sealed: Uint8Array;
}

const FORMAT = "lightferry-key/1";
const FIELDS = ["format", "use", "keyId", "publicKey", "demo", "salt", "sealed"];
export const SALT_BYTES = 16;
const SEALED_BYTES = 48;

/** The bytes bound to the sealed scalar: id, use, mark and public key. */
export function keyFileAad(info: KeyInfo): Uint8Array {
  const text = `${info.keyId}\0${info.use}\0${info.demo ? "demo" : "real"}\0`;
  return domainSeparated("key-file/1", Buffer.from(text, "ascii"), info.publicKey);
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

export function formatKeyDocument(document: KeyDocument): Uint8Array {
  const text = JSON.stringify(
    {
      format: FORMAT,
      use: document.use,
      keyId: document.keyId,
      publicKey: hex(document.publicKey),
      demo: document.demo,
      salt: hex(document.salt),
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

function readHex(path: string, value: unknown, name: string, bytes: number): Uint8Array {
  if (typeof value !== "string" || value.length !== 2 * bytes || !/^[0-9a-f]*$/.test(value)) {
    throw invalid(path, `${name} is not ${bytes} bytes in lower-case hex`);
  }
  return Uint8Array.from(Buffer.from(value, "hex"));
}

/**
 * Parses a key file. `path` only names it in errors.
 * @throws GatewayError `sm.key-invalid`
 */
export function parseKeyDocument(path: string, bytes: Uint8Array): KeyDocument {
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (cause) {
    throw new GatewayError("sm.key-invalid", { detail: `${path}: not JSON`, cause });
  }
  if (typeof fields !== "object" || fields === null || Array.isArray(fields)) {
    throw invalid(path, "not an object");
  }
  for (const name of Object.keys(fields)) {
    if (!FIELDS.includes(name)) throw invalid(path, "unknown field");
  }
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
    salt: readHex(path, fields.salt, "salt", SALT_BYTES),
    sealed: readHex(path, fields.sealed, "sealed", SEALED_BYTES),
  };
}
