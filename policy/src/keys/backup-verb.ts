/**
 * Guarantee: `keys backup` writes one file: a CA's, openable by k of n custodians
 * together, or a node's rings under a passphrase. `keys restore` puts it into
 * new places only.
 */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import {
  type CliContext,
  type CliInput,
  type CliVerb,
  EXIT,
  type ExitCode,
} from "@lightferry/proto/cli";
import { GatewayError } from "@lightferry/proto/errors";
import { createSecretFile } from "@lightferry/proto/keystore";
import { backupAuthority, qrSvg, readAuthority } from "@lightferry/proto/pki";
import { withCa } from "./ca-access.ts";
import {
  answered,
  assertFree,
  CA_OPTIONS,
  example,
  NODE_OPTIONS,
  needed,
  OPTIONS,
  outFile,
  valued,
} from "./options.ts";
import { withSecret } from "./terminal.ts";
import { BACKUP_SECRET, backupZone } from "./zone-backup.ts";
import { onRecord, zoneKeys } from "./zone-keys.ts";

function countsOf(text: string): { k: number; n: number } {
  const [, k, n] = /^([0-9]{1,2})\/([0-9]{1,2})$/.exec(text) ?? [];
  if (k === undefined || n === undefined) {
    throw new GatewayError("cli.usage", { detail: "--shares 2/3" });
  }
  return { k: Number(k), n: Number(n) };
}

/** What a custodian gets: a file to keep and the same as a code to print. */
function writeShares(dir: string, lines: readonly string[], k: number): string[] {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  return lines.flatMap((line, at) => {
    const name = join(dir, `share-${at + 1}-of-${lines.length}`);
    const text = [
      `# 光渡密钥备份份额 ${at + 1}/${lines.length}，恢复需要其中 ${k} 份。请单独保管，不得复制给他人。`,
      `# Lightferry key backup, share ${at + 1} of ${lines.length}; ${k} restore. Keep it apart, give no copy away.`,
      line,
      "",
    ].join("\n");
    createSecretFile(`${name}.txt`, Buffer.from(text, "utf8"));
    createSecretFile(`${name}.svg`, Buffer.from(qrSvg(line), "utf8"));
    return [`${name}.txt`, `${name}.svg`];
  });
}

async function backupCa(context: CliContext, input: CliInput, out: string): Promise<ExitCode> {
  const counts = countsOf(needed(input, "shares"));
  const sharesDir = needed(input, "shares-dir");
  if (existsSync(sharesDir)) assertFree(join(sharesDir, `share-1-of-${counts.n}.txt`));
  const work = { verb: "backup", about: { out, shares: `${counts.k}/${counts.n}` } };
  const shares = await withCa(context, input, work, async (ca, action) => {
    action.note({ keys: [readAuthority(ca.dir).keyId] });
    const { bytes, shareLines } = await backupAuthority(ca, counts);
    createSecretFile(out, bytes);
    return writeShares(sharesDir, shareLines, counts.k);
  });
  answered(
    context,
    { backup: out, shares, ...counts },
    {
      zh: `备份写入 ${out}。${counts.n} 份份额写入 ${sharesDir}，任意 ${counts.k} 份可恢复；请分交不同保管人后删除此目录中的文件`,
      en: `backup written to ${out}. ${counts.n} shares are in ${sharesDir}, any ${counts.k} restore: give each to another custodian, then delete them here`,
    },
  );
  for (const share of shares) context.out(share);
  return EXIT.done;
}

async function backupNode(context: CliContext, input: CliInput, out: string): Promise<ExitCode> {
  const keys = zoneKeys(context, input.text("unlock-dir"));
  const held = await withSecret(context, input, { ...BACKUP_SECRET, fresh: true }, (unlock) =>
    onRecord(input, keys, "backup", { out }, async (action) => {
      const { bytes, manifest } = await backupZone(keys, unlock);
      createSecretFile(out, bytes);
      action.note({ keys: manifest.keys.map(({ keyId }) => keyId) });
      return manifest.keys.map(({ ring, keyId }) => ({ use: ring, keyId }));
    }),
  );
  return answered(
    context,
    { backup: out, zone: keys.zone, keys: held },
    {
      zh: `${held.length} 把密钥备份写入 ${out}`,
      en: `${held.length} keys backed up to ${out}`,
    },
  );
}

export const backupVerb: CliVerb = {
  name: "backup",
  summary: {
    zh: "备份签发机构密钥（k/n 份额）或节点全部密钥（口令）",
    en: "back up an authority's key (k of n shares) or all keys of a node (passphrase)",
  },
  usage: "--out FILE [--zone ZONE] [--ca DIR --shares K/N]",
  args: [],
  options: {
    ...CA_OPTIONS,
    shares: valued("K/N", "共 N 份，任意 K 份可恢复", "N shares of which any K restore"),
    "shares-dir": valued("DIR", "份额文件写入此目录", "folder for the shares"),
    "backup-passphrase-file": OPTIONS["backup-passphrase-file"],
    "unlock-dir": NODE_OPTIONS["unlock-dir"],
    out: OPTIONS.out,
  },
  examples: [
    example(
      "keys backup --ca ca/root --shares 2/3 --shares-dir /media/shares --out root.backup",
      "根密钥，三份中任意两份可恢复",
      "the root, any two of three restore it",
    ),
    example("keys backup --zone extranet --out node.backup", "节点全部密钥", "all keys of a node"),
  ],
  run: async (context, input) => {
    const out = outFile(input);
    const work = input.text("ca") === undefined ? backupNode : backupCa;
    return work(context, input, out);
  },
};
