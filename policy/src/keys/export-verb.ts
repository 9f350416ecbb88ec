/** Guarantee: `keys export` writes what the other zone needs of this one: its lists and live certificates, all public. */
import type { CliVerb } from "@lightferry/proto/cli";
import { pemLabel, pkiKind, toPem } from "@lightferry/proto/pki";
import { answered, example, OPTIONS, outFile, writeNew } from "./options.ts";
import { readTrust } from "./trust-call.ts";

export const exportVerb: CliVerb = {
  name: "export",
  summary: {
    zh: "导出本网络的证书与最新吊销列表（PEM），供介质带往对端",
    en: "write this zone's certificates and newest lists (PEM) for a medium",
  },
  usage: "--out FILE [--zone ZONE]",
  args: [],
  options: { out: OPTIONS.out },
  examples: [
    example(
      "keys export --zone extranet --out extranet.pem",
      "带到业务网用 keys import 导入",
      "for keys import in the business zone",
    ),
  ],
  run: async (context, input) => {
    const out = outFile(input);
    const { zone } = context.zoneConfig();
    const { store } = await readTrust(context);
    const items = store.ownTrustItems(zone, Date.now());
    const pem = items.map((der) => toPem(pemLabel(pkiKind(der) ?? "certificate"), der));
    writeNew(out, pem.join(""));
    const words = {
      zh: `${items.length} 项写入 ${out}`,
      en: `${items.length} items written to ${out}`,
    };
    return answered(context, { zone, out, items: items.length }, words);
  },
};
