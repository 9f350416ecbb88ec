/**
 * Guarantee: what opens a key file is either an unlock key through HMAC-SM3 or
 * a passphrase through PBKDF2-HMAC-SM3 (GM/T 0091-2020) of at least 600,000
 * rounds over a 16-byte salt. The recorded parameters are bounded before any
 * work is done, and are bound to the sealed scalar. Derived bytes are wiped.
 */
import { pbkdf2Sync } from "node:crypto";
import { GatewayError } from "../errors/index.ts";
import type { SmProvider } from "../sm/index.ts";
import { freshBytes, SECRET_BYTES, withDerivedKey } from "./derived-key.ts";
import { readUnlockSecret, type UnlockSource } from "./unlock.ts";

/** How a sealed secret is opened; written beside it. */
export type KeyLock =
  | { readonly name: "hmac-sm3"; readonly salt: Uint8Array }
  | { readonly name: "pbkdf2-hmac-sm3"; readonly rounds: number; readonly salt: Uint8Array };

export const SALT_BYTES = 16;
/** About half a second of one core: what a guess costs whoever found the file. */
export const MIN_ROUNDS = 600_000;
/** Eight seconds of one core: an altered file must not hold a start up for hours. */
export const MAX_ROUNDS = 10_000_000;
/** One factor alone guards a key file that was carried away; NIST SP 800-63B-4 asks 15 of such. */
const MIN_PASSPHRASE_CHARACTERS = 15;
/** Longer is a wrong file, not a passphrase. */
const MAX_PASSPHRASE_BYTES = 1024;

/** An unlock source, or the 32 bytes of an unlock file already read; their owner wipes them. */
export type Opener = UnlockSource | Uint8Array;

type Passphrase = Extract<UnlockSource, { readonly passphrase: Uint8Array }>;

function isPassphrase(unlock: Opener): unlock is Passphrase {
  return !(unlock instanceof Uint8Array) && "passphrase" in unlock;
}

/** The lock a new file gets under this source. */
export function freshLock(unlock: Opener): KeyLock {
  const salt = freshBytes(SALT_BYTES);
  return isPassphrase(unlock)
    ? { name: "pbkdf2-hmac-sm3", rounds: MIN_ROUNDS, salt }
    : { name: "hmac-sm3", salt };
}

/** @throws GatewayError `key.passphrase-weak` */
export function assertStrong(unlock: Opener): void {
  if (!isPassphrase(unlock)) return;
  const { passphrase } = unlock;
  // Code points, counted without making a string of the secret.
  let characters = 0;
  for (const byte of passphrase) if ((byte & 0xc0) !== 0x80) characters++;
  if (characters < MIN_PASSPHRASE_CHARACTERS || passphrase.length > MAX_PASSPHRASE_BYTES) {
    throw new GatewayError("key.passphrase-weak", {
      detail: `${MIN_PASSPHRASE_CHARACTERS} characters to ${MAX_PASSPHRASE_BYTES} bytes`,
    });
  }
}

/** @throws GatewayError `key.derivation-refused` */
export function assertRounds(rounds: unknown): number {
  if (typeof rounds !== "number" || !Number.isSafeInteger(rounds)) {
    throw new GatewayError("key.derivation-refused", { detail: "rounds is no whole number" });
  }
  if (rounds < MIN_ROUNDS || rounds > MAX_ROUNDS) {
    throw new GatewayError("key.derivation-refused", {
      detail: `${rounds} rounds, allowed are ${MIN_ROUNDS} to ${MAX_ROUNDS}`,
    });
  }
  return rounds;
}

/** Bytes that bind the parameters to what they open. */
export function lockAad(lock: KeyLock): Uint8Array {
  const rounds = lock.name === "hmac-sm3" ? 0 : lock.rounds;
  return Buffer.concat([Buffer.from(`${lock.name}\0${rounds}\0`, "ascii"), lock.salt]);
}

function openingSecret(lock: KeyLock, unlock: Opener): Uint8Array {
  if (lock.name === "hmac-sm3") {
    if (isPassphrase(unlock)) {
      throw new GatewayError("sm.key-locked", {
        detail: "it opens with an unlock file, not with a passphrase",
      });
    }
    return unlock instanceof Uint8Array ? Uint8Array.from(unlock) : readUnlockSecret(unlock);
  }
  if (!isPassphrase(unlock)) {
    throw new GatewayError("sm.key-locked", { detail: "it opens with a passphrase" });
  }
  assertRounds(lock.rounds);
  return pbkdf2Sync(unlock.passphrase, lock.salt, lock.rounds, SECRET_BYTES, "sm3");
}

/**
 * Runs `body` with the SM4 key and nonce of one lock, then wipes both.
 * @param label what is sealed, so that no key serves two purposes.
 * @throws GatewayError `sm.key-locked`, `sm.key-exposed`, `key.derivation-refused`
 */
export function withLockKey<T>(
  provider: SmProvider,
  lock: KeyLock,
  unlock: Opener,
  label: string,
  body: (key: Uint8Array, nonce: Uint8Array) => T,
): T {
  const secret = openingSecret(lock, unlock);
  try {
    return withDerivedKey(provider, secret, label, lock.salt, body);
  } finally {
    secret.fill(0);
  }
}
