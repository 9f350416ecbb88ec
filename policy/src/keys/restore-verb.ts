/** Guarantee: `keys restore` opens a backup with what opens it, and overwrites nothing. */
import { basename } from "node:path";
import {
  type CliContext,
  type CliInput,
  type CliVerb,
  EXIT,
  type ExitCode,
  readUpTo,
} from "@lightferry/proto/cli";
import type { GivenShare } from "@lightferry/proto/keystore";
import { restoreAuthority } from "@lightferry/proto/pki";
import { withCa } from "./ca-access.ts";
import {
  answered,
  CA_OPTIONS,
  example,
  manyOf,
  NODE_OPTIONS,
  needed,
  OPTIONS,
  tell,
  valued,
} from "./options.ts";
import { withSecret } from "./terminal.ts";
import { assertRestorable, BACKUP_SECRET, restoreZone } from "./zone-backup.ts";
import { onRecord, zoneKeys } from "./zone-keys.ts";

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
  const about = { shares: String(shares.length) };
  const work = { verb: "restore", about, fresh: true };
  const state = await withCa(context, input, work, async (ca, action) => {
    const restored = await restoreAuthority(ca, backup, { shares });
    const floor = String(restored.nextNumber);
    action.note({ keys: [restored.keyId], about: { "next-list": floor } });
    return restored;
  });
  const subject = state.certificate?.subject ?? state.keyId;
  const { dir, keyId, nextNumber } = state;
  return answered(
    context,
    { dir, keyId, subject, nextNumber },
    {
      zh: `${subject} 已恢复到 ${dir}；下一份吊销列表编号 ${nextNumber}。备份之后签发的证书不在记录中，吊销时用 --certificate`,
      en: `${subject} is restored in ${dir}; its next list is number ${nextNumber}. Certificates issued after the backup are not in its journal: revoke them with --certificate`,
    },
  );
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
    backup: valued("FILE", "备份文件", "the backup"),
    share: {
      ...valued("FILE", "份额文件，可多次给出", "file of a share, given several times"),
      multiple: true,
    },
    "backup-passphrase-file": OPTIONS["backup-passphrase-file"],
    "unlock-dir": NODE_OPTIONS["unlock-dir"],
  },
  examples: [
    example(
      "keys restore --ca ca/root --backup root.backup --share share-1-of-3.txt --share share-3-of-3.txt",
      "两位保管人恢复根密钥",
      "two custodians restore the root",
    ),
  ],
  run: async (context, input) => {
    const backup = readUpTo(needed(input, "backup"), MAX_FILE_BYTES);
    if (input.text("ca") !== undefined) return restoreCa(context, input, backup);
    const keys = zoneKeys(context, input.text("unlock-dir"));
    assertRestorable(keys, backup);
    const restored = await withSecret(context, input, BACKUP_SECRET, (unlock) =>
      onRecord(input, keys, "restore", {}, async (action) => {
        const made = await restoreZone(keys, backup, unlock);
        action.note({ keys: made.map(({ keyId }) => keyId) });
        return made;
      }),
    );
    context.emitJson({ zone: keys.zone, keys: restored });
    for (const { use, keyId } of restored) {
      tell(context, { zh: `已恢复 ${use} ${keyId}`, en: `restored ${use} ${keyId}` });
    }
    return EXIT.done;
  },
};
