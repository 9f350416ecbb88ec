/** Guarantee: `keys restore` opens a backup with what opens it, and overwrites nothing. */
import { basename } from "node:path";
import {
  type CliContext,
  type CliInput,
  type CliVerb,
  EXIT,
  type ExitCode,
} from "@lightferry/proto/cli";
import type { GivenShare } from "@lightferry/proto/keystore";
import { restoreAuthority } from "@lightferry/proto/pki";
import { readUpTo } from "./bounded-file.ts";
import { CA_OPTIONS, withCa } from "./ca-access.ts";
import { manyOf, needed, OPTIONS, tell } from "./options.ts";
import { withSecret } from "./terminal.ts";
import { BACKUP_SECRET, restoreZone } from "./zone-backup.ts";
import { zoneKeys } from "./zone-keys.ts";

/** As in the keystore: a backup is at most this large. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;
const MAX_SHARE_BYTES = 4096;

async function restoreCa(
  context: CliContext,
  input: CliInput,
  backup: Uint8Array,
): Promise<ExitCode> {
  const shares = manyOf(input, "share").map(
    (path): GivenShare => ({
      name: basename(path),
      text: Buffer.from(readUpTo(path, MAX_SHARE_BYTES)).toString("utf8"),
    }),
  );
  const state = await withCa(
    context,
    input,
    (ca) => restoreAuthority(ca, backup, { shares }),
    true,
  );
  const subject = state.certificate?.subject ?? state.keyId;
  context.emitJson({ dir: state.dir, keyId: state.keyId, subject, nextNumber: state.nextNumber });
  tell(context, {
    zh: `${subject} 已恢复到 ${state.dir}；下一份吊销列表编号 ${state.nextNumber}。备份之后签发的证书不在记录中，吊销时用 --certificate`,
    en: `${subject} is restored in ${state.dir}; its next list is number ${state.nextNumber}. Certificates issued after the backup are not in its journal: revoke them with --certificate`,
  });
  return EXIT.done;
}

export const restoreVerb: CliVerb = {
  name: "restore",
  summary: {
    zh: "从备份恢复；不覆盖任何已有的密钥",
    en: "restore from a backup; nothing that is there is overwritten",
  },
  usage: "--backup FILE [--zone ZONE] [--ca DIR --share FILE…]",
  args: [],
  options: {
    ...CA_OPTIONS,
    backup: { type: "string", value: "FILE", summary: { zh: "备份文件", en: "the backup" } },
    share: {
      type: "string",
      value: "FILE",
      multiple: true,
      summary: { zh: "份额文件，可多次给出", en: "file of a share, given several times" },
    },
    "backup-passphrase-file": OPTIONS["backup-passphrase-file"],
    "unlock-dir": OPTIONS["unlock-dir"],
  },
  examples: [
    {
      command:
        "keys restore --ca ca/root --backup root.backup --share share-1-of-3.txt --share share-3-of-3.txt",
      summary: { zh: "两位保管人恢复根密钥", en: "two custodians restore the root" },
    },
  ],
  run: async (context, input) => {
    const backup = readUpTo(needed(input, "backup"), MAX_FILE_BYTES);
    if (input.text("ca") !== undefined) return restoreCa(context, input, backup);
    const keys = zoneKeys(context, input.text("unlock-dir"));
    const restored = await withSecret(context, input, BACKUP_SECRET, (unlock) =>
      restoreZone(keys, backup, unlock),
    );
    context.emitJson({ zone: keys.zone, keys: restored });
    for (const { use, keyId } of restored) {
      tell(context, { zh: `已恢复 ${use} ${keyId}`, en: `restored ${use} ${keyId}` });
    }
    return EXIT.done;
  },
};
