/** Guarantee: a registry is signed only if every service would read it; an authority's key replaces none. */
import { type CliVerb, EXIT } from "@lightferry/proto/cli";
import { parseRegistryDocument } from "@lightferry/proto/registry";
import { domainSeparated } from "@lightferry/proto/sm";
import { needed, tell, writeNew } from "../keys/options.ts";
import { AUTHORITY_OPTIONS, makeAuthority, withAuthorityKey } from "./authority-key.ts";
import { readInput } from "./pack-verbs.ts";

/** proto/SPEC.md: domain of the registry's signature. */
const LABEL = "registry/1";

export const initAuthorityVerb: CliVerb = {
  name: "init-authority",
  summary: {
    zh: "建立签署注册表与策略包的密钥，及各网络据以验签的 anchor.json",
    en: "make the key that signs registry and pack, and the anchor.json by which zones verify",
  },
  usage: "--dir DIR",
  args: [],
  options: {
    dir: { type: "string", value: "DIR", summary: { zh: "新目录", en: "new folder" } },
    unlock: AUTHORITY_OPTIONS.unlock,
    "passphrase-file": AUTHORITY_OPTIONS["passphrase-file"],
    operator: AUTHORITY_OPTIONS.operator,
  },
  examples: [
    {
      command: "policy init-authority --dir /media/authority",
      summary: { zh: "在离线机器上", en: "on an offline machine" },
    },
  ],
  run: async (context, input) => {
    const made = await makeAuthority(context, input);
    context.emitJson(made);
    tell(context, {
      zh: `密钥 ${made.keyId} 写入 ${made.key}；把 ${made.anchor} 当面交给各网络`,
      en: `key ${made.keyId} is in ${made.key}; hand ${made.anchor} to each zone in person`,
    });
    return EXIT.done;
  },
};

export const signRegistryVerb: CliVerb = {
  name: "sign-registry",
  summary: { zh: "检查并签署注册表", en: "check and sign a registry" },
  usage: "--registry FILE --key FILE [--unlock FILE] --out FILE",
  args: [],
  options: {
    registry: {
      type: "string",
      value: "FILE",
      summary: { zh: "注册表（JSON）", en: "registry (JSON)" },
    },
    ...AUTHORITY_OPTIONS,
  },
  examples: [
    {
      command:
        "policy sign-registry --registry registry.json --key /media/authority/authority.key.json --out registry.sig",
      summary: { zh: "口令由终端询问", en: "the passphrase is asked at the terminal" },
    },
  ],
  run: async (context, input) => {
    const [path, out] = [needed(input, "registry"), needed(input, "out")];
    const bytes = readInput(path);
    const { number, demo, nodes } = parseRegistryDocument(bytes);
    const work = { verb: "sign-registry", about: { registry: String(number), out } };
    const signed = await withAuthorityKey(context, input, work, ({ key, keyId }, { provider }) => ({
      keyId,
      signature: provider.sm2Sign(key, domainSeparated(LABEL, bytes)),
    }));
    writeNew(out, signed.signature);
    const { keyId } = signed;
    context.emitJson({ number, demo, nodes: nodes.map(({ id }) => id), keyId, signature: out });
    tell(context, {
      zh: `已签署注册表 ${number}${demo ? "（演示，生产模式拒绝）" : ""}，签名写入 ${out}`,
      en: `registry ${number} signed${demo ? " (demonstration: refused in production)" : ""}, signature in ${out}`,
    });
    return EXIT.done;
  },
};
