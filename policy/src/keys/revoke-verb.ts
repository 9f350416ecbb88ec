/**
 * Guarantee: `keys revoke` signs the next numbered list at the CA, for a medium
 * and as QR codes; or denies one key in this zone at once, which needs no CA.
 */
import {
  type CliContext,
  type CliInput,
  type CliVerb,
  EXIT,
  type ExitCode,
} from "@lightferry/proto/cli";
import { GatewayError } from "@lightferry/proto/errors";
import {
  type CertificateChoice,
  parseCertificate,
  REVOCATION_REASONS,
  type RevocationReason,
  readAuthority,
  renewList,
  revokeAt,
  toPem,
  writeQrFiles,
} from "@lightferry/proto/pki";
import { withCa } from "./ca-access.ts";
import {
  answered,
  CA_OPTIONS,
  clock,
  example,
  flagged,
  needed,
  OPTIONS,
  outFile,
  readItems,
  tell,
  timeOf,
  valued,
  writeNew,
} from "./options.ts";
import { confirm } from "./terminal.ts";
import { withTrust } from "./trust-call.ts";

/** As `keys list` shows it. */
const KEY_ID = /^[0-9a-f]{32}$/;

function choiceOf(input: CliInput): CertificateChoice {
  const [serial, keyId, file] = ["serial", "key-id", "certificate"].map((name) => input.text(name));
  if ([serial, keyId, file].filter((one) => one !== undefined).length !== 1) {
    throw new GatewayError("cli.usage", { detail: "--serial | --key-id | --certificate" });
  }
  if (serial !== undefined) return { serial: serial.toLowerCase() };
  if (keyId !== undefined) return { keyId: keyId.toLowerCase() };
  const [item] = readItems(file ?? "");
  if (item?.label !== "CERTIFICATE")
    throw new GatewayError("cli.usage", { detail: "--certificate" });
  return { certificate: item.der };
}

function reasonOf(input: CliInput): RevocationReason {
  const names = Object.keys(REVOCATION_REASONS) as RevocationReason[];
  const found = names.find((name) => name === input.text("reason"));
  if (found === undefined)
    throw new GatewayError("cli.usage", { detail: `--reason ${names.join(" | ")}` });
  return found;
}

async function atAuthority(context: CliContext, input: CliInput): Promise<ExitCode> {
  const renew = input.flag("renew");
  const out = outFile(input);
  const qr = input.text("qr");
  const choice = renew ? undefined : choiceOf(input);
  const reason = renew ? undefined : reasonOf(input);
  const revokedMs = timeOf(input, "since");
  if (choice !== undefined && reason !== undefined) {
    const which = "certificate" in choice ? input.text("certificate") : Object.values(choice)[0];
    await confirm(input, context, {
      zh: `吊销不可撤回。以 ${reason} 吊销 ${which}？`,
      en: `A revocation cannot be taken back. Revoke ${which} for ${reason}?`,
    });
  }
  const work = { verb: "revoke", about: { reason: reason ?? "list renewed" } };
  const list = await withCa(context, input, work, async (ca, action) => {
    if (choice === undefined || reason === undefined) return renewList(ca);
    const terms = { reason, ...(revokedMs === undefined ? {} : { revokedMs }) };
    const made = await revokeAt(ca, choice, terms);
    action.note({ ...revokedIn(ca.dir, choice), about: { list: String(made.number) } });
    return made;
  });
  writeNew(out, toPem("X509 CRL", list.der));
  const codes = qr === undefined ? [] : writeQrFiles(qr, `list-${list.number}`, list.der, writeNew);
  const { number, digest, entries, nextUpdateMs } = list;
  context.emitJson({ out, number, digest, entries, nextUpdateMs, codes });
  tell(context, {
    zh: `吊销列表 ${number}（${entries.length} 项）写入 ${out}，下次更新 ${clock(nextUpdateMs)} 之前`,
    en: `revocation list ${number} (${entries.length} entries) written to ${out}, next due by ${clock(nextUpdateMs)}`,
  });
  for (const file of codes) context.out(file);
  return EXIT.done;
}

/** Key and serial of what was chosen: the journal has it now, also when it came as a file. */
function revokedIn(dir: string, choice: CertificateChoice): { keys: string[]; serials: string[] } {
  const wanted =
    "certificate" in choice ? { serial: parseCertificate(choice.certificate).serial } : choice;
  const found = readAuthority(dir).issued.filter(({ certificate: { serial, keyId } }) =>
    "serial" in wanted ? serial === wanted.serial : keyId === wanted.keyId,
  );
  return {
    keys: found.map(({ certificate }) => certificate.keyId),
    serials: found.map(({ certificate }) => certificate.serial),
  };
}

async function atZone(context: CliContext, input: CliInput, keyId: string): Promise<ExitCode> {
  if (!KEY_ID.test(keyId))
    throw new GatewayError("cli.usage", { detail: `--deny ${keyId}: ${KEY_ID.source}` });
  const lift = input.flag("lift");
  const reason = lift ? (input.text("reason") ?? "") : needed(input, "reason");
  const { zone } = context.zoneConfig();
  await confirm(input, context, {
    zh: lift ? `解除对密钥 ${keyId} 的禁用？` : `在网络 ${zone} 立即禁用密钥 ${keyId}？`,
    en: lift ? `Lift the denial of key ${keyId}?` : `Deny key ${keyId} in zone ${zone} at once?`,
  });
  const { version } = await withTrust(context, (trust, options) =>
    trust.denyKey({ keyId, reason, lift }, options),
  );
  return answered(
    context,
    { zone, keyId, denied: !lift, version },
    {
      zh: lift ? `已解除对 ${keyId} 的禁用` : `${keyId} 已在本网络禁用，立即生效`,
      en: lift ? `${keyId} is no longer denied` : `${keyId} is denied in this zone from now on`,
    },
  );
}

export const revokeVerb: CliVerb = {
  name: "revoke",
  summary: {
    zh: "吊销证书并签发新的吊销列表，或在本网络立即禁用密钥",
    en: "revoke a certificate and sign the next list, or deny a key in this zone at once",
  },
  usage: "(--ca DIR --key-id ID --out FILE | --deny ID) --reason WHY",
  args: [],
  options: {
    ...CA_OPTIONS,
    serial: valued("SERIAL", "证书序列号", "serial number"),
    "key-id": valued("ID", "密钥编号", "key id"),
    certificate: valued(
      "FILE",
      "证书文件；签发记录在恢复备份后缺失时使用",
      "the certificate; for one that a restored journal does not know",
    ),
    reason: valued(
      "REASON",
      `原因：${Object.keys(REVOCATION_REASONS).join(" | ")}；禁用时为说明文字`,
      `why: ${Object.keys(REVOCATION_REASONS).join(" | ")}; with --deny a text`,
    ),
    since: valued(
      "TIME",
      "自何时起不可信，默认现在",
      "since when it is not trusted, now by default",
    ),
    renew: flagged("不吊销，只签发新的列表", "revoke nothing, sign a fresh list"),
    out: OPTIONS.out,
    qr: valued(
      "DIR",
      "把列表写成可打印的二维码（SVG）",
      "write the list as printable QR codes (SVG)",
    ),
    deny: valued("ID", "在本网络立即禁用此密钥", "deny this key in this zone at once"),
    lift: flagged("解除禁用", "lift the denial"),
    yes: OPTIONS.yes,
  },
  examples: [
    example(
      "keys revoke --zone business --deny 3f9c2a7d11e0b654a1b2c3d4e5f60718 --reason 设备失窃",
      "先在本网络禁用",
      "first deny it here",
    ),
    example(
      "keys revoke --ca ca/extranet --key-id 3f9c2a7d11e0b654a1b2c3d4e5f60718 --reason keyCompromise --out list.pem --qr codes",
      "再由签发机构吊销",
      "then have its authority revoke it",
    ),
  ],
  run: async (context, input) => {
    const denied = input.text("deny");
    if (denied !== undefined) return atZone(context, input, denied.toLowerCase());
    if (input.text("ca") === undefined)
      throw new GatewayError("cli.usage", { detail: "--ca | --deny" });
    return atAuthority(context, input);
  },
};
