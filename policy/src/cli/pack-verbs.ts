/** Guarantee: a pack is checked exactly as the service will check it; only a pack that passes is signed. */
import { readFileSync, writeFileSync } from "node:fs";
import { type CliVerb, EXIT } from "@lightferry/proto/cli";
import { asGatewayError, GatewayError } from "@lightferry/proto/errors";
import { loadProvider } from "@lightferry/proto/sm";
import { needed } from "../keys/options.ts";
import type { Pack } from "../pack/document.ts";
import { parsePack } from "../pack/parse.ts";
import { signPack } from "../pack/sign.ts";
import { AUTHORITY_OPTIONS, withAuthorityKey } from "./authority-key.ts";

/** @throws GatewayError `cli.usage` when the file cannot be read. */
export function readInput(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new GatewayError("cli.usage", { detail: `${path} cannot be read`, cause });
  }
}

function summary(pack: Pack) {
  return {
    number: pack.number,
    version: pack.version,
    demo: pack.demo,
    title: pack.title,
    services: [...pack.services.keys()],
  };
}

export const checkVerb: CliVerb = {
  name: "check",
  summary: { zh: "检查策略包是否有效", en: "check that a policy pack is valid" },
  usage: "--pack FILE",
  options: {
    pack: {
      type: "string",
      value: "FILE",
      summary: { zh: "策略包（YAML）", en: "policy pack (YAML)" },
    },
  },
  examples: [
    {
      command: "policy check --pack policy/packs/demo.yaml",
      summary: { zh: "检查演示策略包", en: "check the demonstration pack" },
    },
  ],
  run: async (context, input) => {
    const document = readInput(needed(input, "pack"));
    let pack: Pack;
    try {
      pack = parsePack(loadProvider(), document);
    } catch (thrown) {
      // What was asked for was done: the answer is no.
      const { code, detail } = asGatewayError(thrown);
      if (code !== "policy.pack-invalid") throw thrown;
      context.emitJson({ valid: false, code, detail });
      context.out(context.say({ zh: `无效：${detail}`, en: `not valid: ${detail}` }));
      return EXIT.refused;
    }
    context.emitJson({ valid: true, ...summary(pack) });
    const services = [...pack.services.keys()].join(", ");
    context.out(
      context.say({
        zh: `有效：${pack.title.zh}，版本 ${pack.version}，服务 ${services}`,
        en: `valid: ${pack.title.en}, version ${pack.version}, services ${services}`,
      }),
    );
    return EXIT.done;
  },
};

export const signPackVerb: CliVerb = {
  name: "sign-pack",
  summary: { zh: "用签发机构密钥签署策略包", en: "sign a policy pack with the authority's key" },
  usage: "--pack FILE --key FILE [--unlock FILE] --out FILE",
  options: {
    pack: {
      type: "string",
      value: "FILE",
      summary: { zh: "策略包（YAML）", en: "policy pack (YAML)" },
    },
    ...AUTHORITY_OPTIONS,
  },
  examples: [
    {
      command:
        "policy sign-pack --pack policy/packs/demo.yaml --key .lightferry/authority/authority.key.json --unlock .lightferry/authority/unlock.key --out pack.sig",
      summary: {
        zh: "用演示签发机构的密钥签署演示策略包",
        en: "sign the demonstration pack with the demonstration authority's key",
      },
    },
  ],
  run: async (context, input) => {
    const [packPath, out] = [needed(input, "pack"), needed(input, "out")];
    const document = readInput(packPath);
    const pack = parsePack(loadProvider(), document);
    const work = { verb: "sign-pack", about: { pack: `${pack.number} ${pack.version}`, out } };
    const { keyId, signature } = await withAuthorityKey(
      context,
      input,
      work,
      ({ key, keyId: id }, { provider }) => ({
        keyId: id,
        signature: signPack(provider, key, document),
      }),
    );
    writeFileSync(out, signature);
    context.emitJson({ ...summary(pack), keyId, signature: out });
    context.out(
      context.say({
        zh: `已签署策略包 ${pack.version}，签名写入 ${out}`,
        en: `policy pack ${pack.version} signed, signature in ${out}`,
      }),
    );
    return EXIT.done;
  },
};
