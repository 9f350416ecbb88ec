/** Guarantee: a verb works on a CA folder with the key unlocked only while it works, and on record beside the folder. */
import type { CliContext, CliInput } from "@lightferry/proto/cli";
import type { CaAccess } from "@lightferry/proto/pki";
import { type KeyAction, withKeyAction } from "@lightferry/proto/service";
import { needed } from "./options.ts";
import { withSecret } from "./terminal.ts";

export interface CaWork {
  /** For the record: `keys <verb>`. */
  readonly verb: string;
  readonly about?: Readonly<Record<string, string>>;
  /** The passphrase is being set. */
  readonly fresh?: boolean;
}

/** @throws GatewayError `key.passphrase-missing`, `key.action-unrecorded`; what `body` throws. */
export async function withCa<T>(
  context: CliContext,
  input: CliInput,
  { verb, about = {}, fresh = false }: CaWork,
  body: (ca: CaAccess, action: KeyAction) => T | Promise<T>,
): Promise<T> {
  const dir = needed(input, "ca");
  const secret = {
    passphraseFile: "passphrase-file",
    unlockFile: "unlock-file",
    what: { zh: `签发机构 ${dir} 的口令`, en: `Passphrase of the authority ${dir}` },
    fresh,
  };
  const wish = {
    ...{ keyFolder: dir, verb: `keys ${verb}`, operator: input.text("operator") },
    about: { ca: dir, ...about },
  };
  return withSecret(context, input, secret, (unlock) =>
    withKeyAction(wish, (action) => body({ dir, unlock, provider: action.provider }, action)),
  );
}
