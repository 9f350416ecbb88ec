/**
 * Guarantee: the unlock file is the one secret from which a node's key files
 * open: 8 bytes of magic and 32 random bytes, owner-only. In production it lies
 * on another medium than the key files; without it they are noise.
 */
import { GatewayError } from "../errors/index.ts";
import { freshBytes, SECRET_BYTES } from "./derived-key.ts";
import { createSecretFile, readSecretFile } from "./secret-file.ts";

const MAGIC = Buffer.from("LFUNLOC1", "ascii");

/**
 * Creates an unlock file of mode 0600 and returns its 32 bytes; the caller wipes them.
 * @throws GatewayError `sm.key-file` when it exists or cannot be written.
 */
export function createUnlockFile(path: string): Uint8Array {
  const secret = freshBytes(SECRET_BYTES);
  const file = new Uint8Array(MAGIC.length + SECRET_BYTES);
  file.set(MAGIC);
  file.set(secret, MAGIC.length);
  try {
    createSecretFile(path, file);
    return secret;
  } finally {
    file.fill(0);
  }
}

/**
 * The 32 bytes of an unlock file; the caller wipes them.
 * @throws GatewayError `sm.key-locked` when missing or not an unlock file,
 * `sm.key-exposed` when others may read it.
 */
export function readUnlockFile(path: string): Uint8Array {
  const file = readSecretFile(path, MAGIC.length + SECRET_BYTES, "sm.key-locked");
  try {
    if (
      file.length !== MAGIC.length + SECRET_BYTES ||
      !MAGIC.equals(file.subarray(0, MAGIC.length))
    ) {
      throw new GatewayError("sm.key-locked", { detail: `${path}: not an unlock file` });
    }
    return Uint8Array.from(file.subarray(MAGIC.length));
  } finally {
    file.fill(0);
  }
}
