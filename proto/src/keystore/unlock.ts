/**
 * Guarantee: the unlock file is the one secret from which a node's key files
 * open: 8 bytes of magic and 32 random bytes, owner-only, or handed over by the
 * service manager as a credential of the same form. In production it lies on
 * another medium than the key files; without it they are noise.
 */
import { join } from "node:path";
import { GatewayError } from "../errors/index.ts";
import { freshBytes, SECRET_BYTES } from "./derived-key.ts";
import { createSecretFile, OTHERS, readSecretFile } from "./secret-file.ts";

/** Where the secret comes from that opens key files. */
export type UnlockSource =
  /** Path of an unlock file. */
  | { readonly file: string }
  /** Name of a credential in `$CREDENTIALS_DIRECTORY` (systemd `LoadCredential=`). */
  | { readonly credential: string }
  /** Operators' commands only: PBKDF2 takes about half a second for each key file. */
  | { readonly passphrase: Uint8Array };

/** An unlock source without a person behind it: what services are configured with. */
export type UnattendedUnlock = Exclude<UnlockSource, { readonly passphrase: Uint8Array }>;

const MAGIC = Buffer.from("LFUNLOC1", "ascii");
/** What systemd accepts as a credential's name, without a way out of the folder. */
const CREDENTIAL_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
/**
 * systemd gives the service's user its right by an access control list, which shows as the group's
 * read bit; the folder itself is closed to all others.
 */
const CREDENTIAL_OTHERS = 0o037;

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
  return readSecret(path, OTHERS);
}

function readSecret(path: string, forbidden: number): Uint8Array {
  const file = readSecretFile(path, MAGIC.length + SECRET_BYTES, "sm.key-locked", forbidden);
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

/**
 * The file behind an unattended unlock source.
 * @throws GatewayError `sm.key-locked` when there is no credential folder or the name is none.
 */
export function unlockPath(
  source: UnattendedUnlock,
  environment: NodeJS.ProcessEnv = process.env,
): string {
  if ("file" in source) return source.file;
  const folder = environment.CREDENTIALS_DIRECTORY;
  if (folder === undefined || folder === "") {
    throw new GatewayError("sm.key-locked", {
      detail: `credential ${source.credential}: the service manager passed none`,
    });
  }
  if (!CREDENTIAL_NAME.test(source.credential)) {
    throw new GatewayError("sm.key-locked", { detail: "not a credential's name" });
  }
  return join(folder, source.credential);
}

/**
 * The 32 bytes of an unattended unlock source; the caller wipes them.
 * @throws GatewayError as {@link readUnlockFile} and {@link unlockPath}.
 */
export function readUnlockSecret(source: UnattendedUnlock): Uint8Array {
  return readSecret(unlockPath(source), "file" in source ? OTHERS : CREDENTIAL_OTHERS);
}
