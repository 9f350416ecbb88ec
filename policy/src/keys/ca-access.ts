/** Guarantee: a verb works on a CA folder with the key unlocked only while it works. */
import type { CliContext, CliInput } from "@lightferry/proto/cli";
import type { CaAccess } from "@lightferry/proto/pki";
import { needed, OPTIONS } from "./options.ts";
import { withSecret } from "./terminal.ts";

/** Options of every verb that needs a CA's key. */
export const CA_OPTIONS = {
  ca: OPTIONS.ca,
  "passphrase-file": OPTIONS["passphrase-file"],
  "unlock-file": OPTIONS["unlock-file"],
} as const;

/** @param fresh the passphrase is being set. */
export async function withCa<T>(
  context: CliContext,
  input: CliInput,
  body: (ca: CaAccess) => T | Promise<T>,
  fresh = false,
): Promise<T> {
  const dir = needed(input, "ca");
  return withSecret(
    context,
    input,
    {
      passphraseFile: "passphrase-file",
      unlockFile: "unlock-file",
      what: { zh: `签发机构 ${dir} 的口令`, en: `Passphrase of the authority ${dir}` },
      fresh,
    },
    (unlock) => body({ dir, unlock }),
  );
}
