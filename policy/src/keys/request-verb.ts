/** Guarantee: `keys request` and `keys rotate` write PKCS#10 requests; no private key leaves its ring. */
import {
  type CliContext,
  type CliInput,
  type CliVerb,
  EXIT,
  type ExitCode,
} from "@lightferry/proto/cli";
import { GatewayError } from "@lightferry/proto/errors";
import { makeRingKey } from "@lightferry/proto/keystore";
import { CERTIFICATE_USES, parseRequest, requestOf, toPem } from "@lightferry/proto/pki";
import type { KeyAction } from "@lightferry/proto/service";
import { withCa } from "./ca-access.ts";
import { HSM_OPTION, machineRequests } from "./machine-request.ts";
import {
  answered,
  CA_OPTIONS,
  example,
  NODE_OPTIONS,
  needed,
  OPTIONS,
  outFile,
  tell,
  valued,
  writeNew,
  zoneNamed,
} from "./options.ts";
import { type RingRequest, ringRequests } from "./ring-requests.ts";
import { onRecord, prepareRing, ringInfos, STORED_USE, useOf, zoneKeys } from "./zone-keys.ts";

/** The file of requests, and on record which keys asked. */
function write(out: string, action: KeyAction, requests: readonly RingRequest[]): RingRequest[] {
  if (requests.length === 0) {
    const detail =
      "every key here has its certificate: keys rotate makes the next, --key-id asks again";
    throw new GatewayError("cli.usage", { detail });
  }
  action.note({ keys: requests.map(({ keyId }) => keyId) });
  writeNew(out, requests.map(({ pem }) => pem).join(""));
  return [...requests];
}

function written(context: CliContext, out: string, requests: readonly RingRequest[]): ExitCode {
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

async function requestOfCa(context: CliContext, input: CliInput, out: string): Promise<ExitCode> {
  const subject = { zone: zoneNamed(context), organisation: needed(input, "organisation") };
  const work = { verb: "request", about: { out, zone: subject.zone } };
  return withCa(context, input, work, (ca, action) => {
    const request = requestOf(ca, subject);
    action.note({ keys: [parseRequest(action.provider, request).keyId] });
    writeNew(out, toPem("CERTIFICATE REQUEST", request));
    const words = { zh: `申请已写入 ${out}`, en: `request written to ${out}` };
    return answered(context, { request: out, dir: ca.dir }, words);
  });
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
    "key-id": valued("ID", "只为此密钥申请", "for this key only"),
    hsm: HSM_OPTION,
    ...NODE_OPTIONS,
  },
  examples: [
    example(
      "keys request --zone extranet --use sign --organisation 某市自然资源局 --out sign.csr",
      "签名密钥的申请",
      "a request for the signing key",
    ),
  ],
  run: async (context, input) => {
    const out = outFile(input);
    if (input.text("ca") !== undefined) return requestOfCa(context, input, out);
    const keys = zoneKeys(context, input.text("unlock-dir"));
    const [keyId, one] = [input.text("key-id"), input.text("use")];
    const uses = one === undefined && keyId === undefined ? CERTIFICATE_USES : [useOf(one)];
    const organisation = input.text("organisation");
    const configPath = input.text("hsm");
    const machine = configPath === undefined ? undefined : { configPath, use: useOf(one) };
    const about = { out, ...(configPath === undefined ? {} : { hsm: configPath }) };
    const requests = await onRecord(input, keys, "request", about, (action) => {
      const wish = { organisation, keyId, provider: action.provider };
      const made =
        machine === undefined
          ? uses.flatMap((use) => ringRequests(keys, { use, ...wish }))
          : machineRequests(keys, { ...machine, organisation, keyId }, action);
      return write(out, action, made);
    });
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
    ...NODE_OPTIONS,
  },
  examples: [
    example(
      "keys rotate --zone extranet --use encrypt --out encrypt-next.csr",
      "每月轮换加密密钥",
      "the monthly rotation of the encryption key",
    ),
  ],
  run: async (context, input) => {
    const use = useOf(input.text("use"));
    const out = outFile(input);
    const keys = zoneKeys(context, input.text("unlock-dir"));
    const organisation = input.text("organisation");
    const requests = await onRecord(input, keys, "rotate", { use, out }, (action) => {
      const unlock = prepareRing(keys, use);
      const present = ringInfos(keys, use);
      // A real ring goes on with real keys, a demonstration's with demonstration keys.
      const demo = present.length > 0 && present.every((info) => info.demo);
      const { keyId } = makeRingKey(keys.ringDir(use), unlock, STORED_USE[use], { demo });
      action.note({ keys: [keyId] });
      const wish = { use, organisation, keyId, provider: action.provider };
      return write(out, action, ringRequests(keys, wish));
    });
    return written(context, out, requests);
  },
};
