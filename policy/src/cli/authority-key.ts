/**
 * Guarantee: the authority's key is made once, and opened only while something
 * is signed, by a passphrase or an unlock file.
 */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { CliContext, CliInput, CliOption } from "@lightferry/proto/cli";
import { generateKeyFile, type LoadedKey, loadKeyFile } from "@lightferry/proto/keystore";
import { assertFree, needed, OPTIONS, writeNew } from "../keys/options.ts";
import { withSecret } from "../keys/terminal.ts";

/** Options of every verb that signs with the authority's key. */
export const AUTHORITY_OPTIONS = {
  key: {
    type: "string",
    value: "FILE",
    summary: { zh: "签发机构密钥文件", en: "key file of the authority" },
  },
  unlock: {
    type: "string",
    value: "FILE",
    summary: { zh: "以解锁密钥文件代替口令", en: "unlock key file instead of a passphrase" },
  },
  "passphrase-file": OPTIONS["passphrase-file"],
  out: {
    type: "string",
    value: "FILE",
    summary: { zh: "签名写入此文件（64 字节）", en: "where the signature goes (64 bytes)" },
  },
} as const satisfies Record<string, CliOption>;

const SECRET = {
  passphraseFile: "passphrase-file",
  unlockFile: "unlock",
  what: { zh: "签发机构口令", en: "Passphrase of the authority" },
} as const;

/** @throws GatewayError `cli.usage`, `sm.key-*`, `key.passphrase-missing` */
export function withAuthorityKey<T>(
  context: CliContext,
  input: CliInput,
  body: (loaded: LoadedKey) => T,
): Promise<T> {
  const path = needed(input, "key");
  return withSecret(context, input, SECRET, (unlock) => {
    const loaded = loadKeyFile(path, unlock, "authority-sign");
    try {
      return body(loaded);
    } finally {
      loaded.key.destroy();
    }
  });
}

/** Makes the key and the anchor by which every zone knows its signatures. */
export function makeAuthority(
  context: CliContext,
  input: CliInput,
): Promise<{ key: string; anchor: string; keyId: string }> {
  const dir = needed(input, "dir");
  const key = assertFree(join(dir, "authority.key.json"));
  const anchor = assertFree(join(dir, "anchor.json"));
  return withSecret(context, input, { ...SECRET, fresh: true }, (unlock) => {
    if (!existsSync(dir)) mkdirSync(dir, { recursive: true, mode: 0o700 });
    const { keyId, publicKey } = generateKeyFile(key, unlock, "authority-sign", { demo: false });
    const hex = Buffer.from(publicKey).toString("hex");
    writeNew(anchor, `${JSON.stringify({ publicKey: hex, demo: false })}\n`);
    return { key, anchor, keyId };
  });
}
