/** Guarantee: `keys request` and `keys rotate` write PKCS#10 requests; no private key leaves its ring. */
import { type CliContext, type CliVerb, EXIT, type ExitCode } from "@lightferry/proto/cli";
import { GatewayError } from "@lightferry/proto/errors";
import { makeRingKey } from "@lightferry/proto/keystore";
import { CERTIFICATE_USES, requestOf, toPem } from "@lightferry/proto/pki";
import { CA_OPTIONS, withCa } from "./ca-access.ts";
import { HSM_OPTION, machineRequests } from "./machine-request.ts";
import { assertFree, needed, OPTIONS, tell, writeNew } from "./options.ts";
import { type RingRequest, ringRequests } from "./ring-requests.ts";
import { prepareRing, ringInfos, STORED_USE, useOf, zoneKeys } from "./zone-keys.ts";

function written(context: CliContext, out: string, requests: readonly RingRequest[]): ExitCode {
  if (requests.length === 0) {
    const detail =
      "every key here has its certificate: keys rotate makes the next, --key-id asks again";
    throw new GatewayError("cli.usage", { detail });
  }
  writeNew(out, requests.map(({ pem }) => pem).join(""));
  const keys = requests.map(({ use, keyId }) => ({ use, keyId }));
  context.emitJson({ request: out, keys });
  for (const { use, keyId } of keys) {
    tell(context, {
      zh: `${use} 密钥 ${keyId} 的申请已写入 ${out}`,
      en: `request for ${use} key ${keyId} written to ${out}`,
    });
  }
  return EXIT.done;
}

export const requestVerb: CliVerb = {
  name: "request",
  summary: {
    zh: "为尚无证书的密钥写出签发申请（PKCS#10）",
    en: "write requests (PKCS#10) for keys without a certificate",
  },
  usage: "--out FILE [--zone ZONE] [--use USE] [--hsm CONFIG] [--ca DIR]",
  args: [],
  options: {
    ...CA_OPTIONS,
    use: OPTIONS.use,
    "key-id": {
      type: "string",
      value: "ID",
      summary: { zh: "只为此密钥申请", en: "for this key only" },
    },
    organisation: OPTIONS.organisation,
    hsm: HSM_OPTION,
    "unlock-dir": OPTIONS["unlock-dir"],
    out: OPTIONS.out,
  },
  examples: [
    {
      command:
        "keys request --zone extranet --use sign --organisation 某市自然资源局 --out sign.csr",
      summary: { zh: "签名密钥的申请", en: "a request for the signing key" },
    },
  ],
  run: async (context, input) => {
    const out = assertFree(needed(input, "out"));
    if (input.text("ca") !== undefined) {
      const { zone } = context;
      if (zone === undefined) throw new GatewayError("cli.usage", { detail: "--zone" });
      const organisation = needed(input, "organisation");
      return withCa(context, input, (ca) => {
        writeNew(out, toPem("CERTIFICATE REQUEST", requestOf(ca, { organisation, zone })));
        context.emitJson({ request: out, dir: ca.dir });
        tell(context, { zh: `申请已写入 ${out}`, en: `request written to ${out}` });
        return EXIT.done;
      });
    }
    const keys = zoneKeys(context, input.text("unlock-dir"));
    const keyId = input.text("key-id");
    const one = input.text("use");
    const uses = one === undefined && keyId === undefined ? CERTIFICATE_USES : [useOf(one)];
    const organisation = input.text("organisation");
    const configPath = input.text("hsm");
    if (configPath !== undefined) {
      const wish = { configPath, use: useOf(one), organisation, keyId };
      return written(context, out, machineRequests(keys, wish));
    }
    const requests = uses.flatMap((use) => ringRequests(keys, use, organisation, keyId));
    return written(context, out, requests);
  },
};

export const rotateVerb: CliVerb = {
  name: "rotate",
  summary: {
    zh: "生成下一把密钥并写出申请；旧密钥继续使用到新证书生效",
    en: "make the next key and its request; the old one works until the new certificate begins",
  },
  usage: "--use USE --out FILE [--zone ZONE]",
  args: [],
  options: {
    use: OPTIONS.use,
    organisation: OPTIONS.organisation,
    "unlock-dir": OPTIONS["unlock-dir"],
    out: OPTIONS.out,
  },
  examples: [
    {
      command: "keys rotate --zone extranet --use encrypt --out encrypt-next.csr",
      summary: { zh: "每月轮换加密密钥", en: "the monthly rotation of the encryption key" },
    },
  ],
  run: async (context, input) => {
    const use = useOf(input.text("use"));
    const out = assertFree(needed(input, "out"));
    const keys = zoneKeys(context, input.text("unlock-dir"));
    const unlock = prepareRing(keys, use);
    const present = ringInfos(keys, use);
    // A real ring goes on with real keys, a demonstration's with demonstration keys.
    const demo = present.length > 0 && present.every((info) => info.demo);
    const { keyId } = makeRingKey(keys.ringDir(use), unlock, STORED_USE[use], { demo });
    return written(context, out, ringRequests(keys, use, input.text("organisation"), keyId));
  },
};
