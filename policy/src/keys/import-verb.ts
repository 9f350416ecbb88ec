/**
 * Guarantee: `keys import` hands every certificate and list of the given files to
 * the policy service, which judges each on its own, and says what became of it.
 * Nothing is trusted for having been typed, carried or scanned.
 */
import {
  type CliContext,
  type CliInput,
  type CliVerb,
  EXIT,
  type ExitCode,
} from "@lightferry/proto/cli";
import { errorRow, GatewayError, isErrorCode } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import {
  installCertificate,
  type PkiItem,
  parseCertificate,
  QrCollector,
} from "@lightferry/proto/pki";
import { withCa } from "./ca-access.ts";
import { answered, CA_OPTIONS, example, OPTIONS, readBytes, readItems, valued } from "./options.ts";
import { confirm } from "./terminal.ts";
import { withTrust } from "./trust-call.ts";

/** trust.proto: items of one call. */
const ITEMS_PER_CALL = 64;
const SOURCES = ["medium", "qr", "operator"];

type Result = lightferry.policy.v1.ImportResult.$Properties;

const STATUS: Readonly<Record<string, { readonly zh: string; readonly en: string }>> = {
  new: { zh: "已导入", en: "taken" },
  known: { zh: "已有", en: "known" },
  stale: { zh: "较旧，未采用", en: "older, not used" },
  refused: { zh: "拒绝", en: "refused" },
};

/** Scanned codes, one text a line, of any number of items in any order. */
function scanned(path: string, text: string): Uint8Array[] {
  const sets = new Map<string, QrCollector>();
  for (const line of text.split(/\r?\n/)) {
    if (line.trim() === "") continue;
    const digest = line.split(":")[2] ?? "";
    const collector = sets.get(digest) ?? new QrCollector();
    collector.add(line.trim());
    sets.set(digest, collector);
  }
  return [...sets.values()].map((collector) => {
    const item = collector.result();
    if (item !== undefined) return item;
    const missing = collector.missing().join(", ");
    throw new GatewayError("trust.qr-invalid", { detail: `${path}: parts missing: ${missing}` });
  });
}

/** @returns items and whether they came as texts of QR codes. */
function itemsOf(path: string): { items: Uint8Array[]; qr: boolean } {
  const text = Buffer.from(readBytes(path)).toString("latin1");
  if (text.trimStart().startsWith("LF1:")) return { items: scanned(path, text), qr: true };
  const items = readItems(path);
  if (items.some(({ label }: PkiItem) => label === "CERTIFICATE REQUEST")) {
    throw new GatewayError("cli.usage", {
      detail: `${path}: a request is not imported, see keys issue`,
    });
  }
  return { items: items.map(({ der }) => der), qr: false };
}

async function importIntoZone(context: CliContext, input: CliInput): Promise<ExitCode> {
  const files = input.positionals.map(itemsOf);
  const source = input.text("source") ?? (files.every(({ qr }) => qr) ? "qr" : "medium");
  if (!SOURCES.includes(source)) {
    throw new GatewayError("cli.usage", { detail: `--source ${SOURCES.join(" | ")}` });
  }
  const items = files.flatMap((file) => file.items);
  const results: Result[] = [];
  let version = 0;
  await withTrust(context, async (trust, options) => {
    for (let at = 0; at < items.length; at += ITEMS_PER_CALL) {
      const call = { items: items.slice(at, at + ITEMS_PER_CALL), source };
      const answer = await trust.importTrust(call, options);
      results.push(...(answer.results ?? []));
      version = answer.version;
    }
  });
  context.emitJson({ version, results });
  context.table(results, [
    { title: { zh: "项目", en: "ITEM" }, value: "subject" },
    { title: { zh: "编号", en: "NUMBER" }, value: "number" },
    {
      title: { zh: "结果", en: "RESULT" },
      value: ({ status }) =>
        context.say(STATUS[status ?? ""] ?? { zh: `${status}`, en: `${status}` }),
    },
    { title: { zh: "原因", en: "REASON" }, value: ({ code }) => reason(context, code ?? "") },
  ]);
  return results.some(({ status }) => status === "refused") ? EXIT.refused : EXIT.done;
}

function reason(context: CliContext, code: string): string {
  if (!isErrorCode(code)) return code;
  const { zh, en } = errorRow(code);
  return `${code} ${context.say({ zh, en })}`;
}

/** The root's answer for an issuing CA's folder. */
async function importIntoAuthority(context: CliContext, input: CliInput): Promise<ExitCode> {
  const certificates = input.positionals
    .flatMap((path) => itemsOf(path).items)
    .flatMap((der) => {
      try {
        return [parseCertificate(der)];
      } catch {
        // The newest list rides in the same file.
        return [];
      }
    });
  const certificate = certificates.find(({ role }) => role === "issuer");
  const root = certificates.find(({ role }) => role === "root");
  if (certificate === undefined || root === undefined) {
    throw new GatewayError("cli.usage", { detail: "the certificate of the CA and of its root" });
  }
  await confirm(input, context, {
    zh: `以 ${root.subject} 为根，SM3 摘要 ${root.digest}？`,
    en: `Take ${root.subject} for the root, SM3 digest ${root.digest}?`,
  });
  const { subject, keyId, serial } = certificate;
  const about = { subject, root: root.subject, "root-digest": root.digest };
  await withCa(context, input, { verb: "import", about }, (ca, action) => {
    action.note({ keys: [keyId], serials: [serial] });
    return installCertificate(ca, { certificate: certificate.der, root: root.der });
  });
  const words = { zh: `${subject} 可以签发了`, en: `${subject} can issue now` };
  return answered(context, { subject, keyId }, words);
}

export const importVerb: CliVerb = {
  name: "import",
  summary: {
    zh: "导入证书与吊销列表（PEM、DER 或扫描的二维码文本）",
    en: "import certificates and lists (PEM, DER or texts of scanned QR codes)",
  },
  usage: "<file>… [--zone ZONE] [--ca DIR]",
  args: [
    {
      name: "file",
      summary: { zh: "文件；二维码文本每行一段", en: "file; texts of QR codes one a line" },
      many: true,
    },
  ],
  options: {
    source: valued(
      "SOURCE",
      "来源，记入审计：medium 介质 | qr 二维码 | operator 人工",
      "where it came from, for the audit log: medium | qr | operator",
    ),
    ...CA_OPTIONS,
    yes: OPTIONS.yes,
  },
  examples: [
    example(
      "keys import node.pem --zone extranet",
      "导入签发机构的答复",
      "take the authority's answer in",
    ),
  ],
  run: (context, input) =>
    input.text("ca") === undefined
      ? importIntoZone(context, input)
      : importIntoAuthority(context, input),
};
