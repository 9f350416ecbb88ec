/**
 * Guarantee: the authority's key is made once, and opened only while something
 * is signed, by a passphrase or an unlock file; each time is on record beside it.
 */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { CliContext, CliInput, CliOption } from "@lightferry/proto/cli";
import { generateKeyFile, type LoadedKey, loadKeyFile } from "@lightferry/proto/keystore";
import { type KeyAction, withKeyAction } from "@lightferry/proto/service";
import { assertFree, CA_OPTIONS, needed, valued, writeNew } from "../keys/options.ts";
import { withSecret } from "../keys/terminal.ts";

/** Options of every verb that signs with the authority's key. */
export const AUTHORITY_OPTIONS = {
  key: valued("FILE", "签发机构密钥文件", "key file of the authority"),
  unlock: valued("FILE", "以解锁密钥文件代替口令", "unlock key file instead of a passphrase"),
  "passphrase-file": CA_OPTIONS["passphrase-file"],
  operator: CA_OPTIONS.operator,
  out: valued("FILE", "签名写入此文件（64 字节）", "where the signature goes (64 bytes)"),
} as const satisfies Record<string, CliOption>;

const SECRET = {
  passphraseFile: "passphrase-file",
  unlockFile: "unlock",
  what: { zh: "签发机构口令", en: "Passphrase of the authority" },
} as const;

/** Where the record of the authority's key lies: in the key's own folder, which is made for it. */
const recordOf = (input: CliInput, verb: string, keyPath: string) => ({
  ...{ keyFolder: keyPath, verb: `policy ${verb}`, operator: input.text("operator") },
});

/**
 * @param signed which document, for the record.
 * @param body signs with the action's provider, which counts.
 * @throws GatewayError `cli.usage`, `sm.key-*`, `key.passphrase-missing`, `key.action-unrecorded`
 */
export function withAuthorityKey<T>(
  context: CliContext,
  input: CliInput,
  signed: { readonly verb: string; readonly about: Readonly<Record<string, string>> },
  body: (loaded: LoadedKey, action: KeyAction) => T,
): Promise<T> {
  const path = needed(input, "key");
  const wish = { ...recordOf(input, signed.verb, path), about: signed.about };
  return withSecret(context, input, SECRET, (unlock) =>
    withKeyAction(wish, (action) => {
      const loaded = loadKeyFile(path, unlock, "authority-sign");
      try {
        action.note({ keys: [loaded.keyId] });
        return body(loaded, action);
      } finally {
        loaded.key.destroy();
      }
    }),
  );
}

/** Makes the key and the anchor by which every zone knows its signatures. */
export function makeAuthority(
  context: CliContext,
  input: CliInput,
): Promise<{ key: string; anchor: string; keyId: string }> {
  const dir = needed(input, "dir");
  const key = assertFree(join(dir, "authority.key.json"));
  const anchor = assertFree(join(dir, "anchor.json"));
  const wish = { ...recordOf(input, "init-authority", key), about: { anchor } };
  return withSecret(context, input, { ...SECRET, fresh: true }, (unlock) =>
    withKeyAction(wish, (action) => {
      if (!existsSync(dir)) mkdirSync(dir, { recursive: true, mode: 0o700 });
      const { keyId, publicKey } = generateKeyFile(key, unlock, "authority-sign", { demo: false });
      action.note({ keys: [keyId] });
      const hex = Buffer.from(publicKey).toString("hex");
      writeNew(anchor, `${JSON.stringify({ publicKey: hex, demo: false })}\n`);
      return { key, anchor, keyId };
    }),
  );
}
