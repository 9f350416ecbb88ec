/** Guarantee: `lightferry bundle inspect` shows what a bundle says, needs no key and believes nothing of it. */

import { type BundleHeader, HEADER_MAX } from "../src/bundle/index.ts";
import { chunkOffset, chunkPlaintextSize, type Layout } from "../src/bundle/layout.ts";
import { DIGEST_BYTES, TAG_BYTES } from "../src/bundle/limits.ts";
import { type CliContext, type CliVerb, EXIT, type Words } from "../src/cli/index.ts";
import { errorRow } from "../src/errors/index.ts";
import {
  type CertificateView,
  headerJson,
  type ItemView,
  viewCertificate,
  viewCheckpoint,
  viewItems,
} from "./bundle-view.ts";
import { FILE_ARG } from "./evidence.ts";
import { type AddFact, printFacts, WIDE } from "./facts.ts";
import { fileOf } from "./files.ts";
import { type BundleForm, type FormFault, readForm } from "./form.ts";
import { FORM_STEPS } from "./steps.ts";
import { hex, idText, sizeText, timeText, USE_WORDS } from "./words.ts";

/** Of a long table the first rows and the last say what matters. */
const CHUNK_ROWS = 4;

export const inspect: CliVerb = {
  name: "inspect",
  summary: {
    zh: "查看数据包：包头、证书、条目、分块，无需密钥",
    en: "show a bundle: header, certificates, items, chunks; needs no key",
  },
  usage: "<FILE> [--chunks]",
  args: [FILE_ARG],
  options: {
    chunks: { type: "boolean", summary: { zh: "列出全部分块", en: "list every chunk" } },
  },
  examples: [
    {
      command: "bundle inspect bundle.lfb",
      summary: {
        zh: "损坏的包也尽量显示，并指出第一处错误",
        en: "damaged ones too, with the first fault",
      },
    },
  ],
  run: async (context, input) => {
    const form = await readForm(fileOf(input.positionals[0] ?? ""));
    const chunks = viewChunks(form, input.flag("chunks"));
    context.emitJson({
      ...{ size: form.size, verified: false, fault: form.fault ?? null },
      headerLength: form.headerLength ?? null,
      headerComplete: isComplete(form),
      header: form.header === undefined ? null : headerJson(form.header),
      chunks,
    });
    print(context, form, chunks);
    return form.fault === undefined ? EXIT.done : EXIT.refused;
  },
};

interface ChunkView {
  readonly chunk: number;
  readonly offset: number;
  readonly bytes: number;
  readonly digest: string;
}

/** Whether every header field is there, though perhaps wrong. */
function isComplete({ fault, header }: BundleForm): boolean {
  return header !== undefined && (fault === undefined || fault.step > 4);
}

function viewChunks({ received }: BundleForm, all: boolean): ChunkView[] {
  if (received === undefined) return [];
  const { layout, table } = received;
  const { chunkCount } = layout;
  const indexes = Array.from({ length: chunkCount }, (_, index) => index);
  const shown =
    all || chunkCount <= CHUNK_ROWS + 1
      ? indexes
      : [...indexes.slice(0, CHUNK_ROWS), chunkCount - 1];
  return shown.map((chunk) => ({
    chunk,
    offset: chunkOffset(layout, chunk),
    bytes: chunkPlaintextSize(layout, chunk) + TAG_BYTES,
    digest: hex(table.subarray(chunk * DIGEST_BYTES, (chunk + 1) * DIGEST_BYTES)),
  }));
}

function print(context: CliContext, form: BundleForm, chunks: readonly ChunkView[]): void {
  const title = (words: Words) => context.out(`\n${context.say(words)}`);
  if (form.fault !== undefined) printFault(context, form.fault);
  printFacts(context, (add) => tellFacts(form, add));
  const { header, received } = form;
  if (header === undefined) return;
  title({ zh: "收件节点", en: "Recipients" });
  context.table(header.recipients, [
    { title: { zh: "节点", en: "NODE" }, value: "nodeId" },
    { title: { zh: "加密密钥编号", en: "ENCRYPTION KEY" }, value: "keyId" },
    {
      title: { zh: "封装密钥字节", en: "WRAPPED BYTES" },
      value: ({ wrappedSecret }) => wrappedSecret.length,
      align: "right",
    },
  ]);
  title({ zh: "证书", en: "Certificates" });
  printCertificates(context, header.certificates.map(viewCertificate));
  title({ zh: "裁决批次", en: "Verdict batches" });
  context.table(header.verdictBatches, [
    { title: { zh: "策略节点", en: "POLICY NODE" }, value: "policyNode" },
    { title: { zh: "策略密钥编号", en: "POLICY KEY" }, value: "keyId" },
    { title: { zh: "裁决数", en: "VERDICTS" }, value: "size", align: "right" },
    { title: { zh: "根", en: "ROOT" }, value: ({ root }) => hex(root), max: WIDE },
  ]);
  title({ zh: `条目（${header.items.length}）`, en: `Items (${header.items.length})` });
  printItems(context, viewItems(header));
  if (received !== undefined) {
    const { chunkCount } = received.layout;
    title({ zh: `分块（${chunkCount}）`, en: `Chunks (${chunkCount})` });
    printChunks(context, chunks, received.layout);
  }
  context.out(
    context.say({
      zh: "\n以上内容未经核验；核验请用 lightferry bundle verify",
      en: "\nNothing of this was verified; lightferry bundle verify does that",
    }),
  );
}

function printFault(context: CliContext, fault: FormFault): void {
  const { zh, en } = errorRow(fault.code);
  const step = FORM_STEPS.find(({ id }) => id === `8.1.${fault.step}`);
  const place = { zh: `第 ${fault.offset} 字节`, en: `byte ${fault.offset}` };
  const about = fault.detail === "" ? "" : ` (${fault.detail})`;
  context.out(
    context.say({
      zh: `格式有误：${place.zh}，检查 8.1.${fault.step}（${step?.zh ?? ""}），${fault.code} ${zh}${about}`,
      en: `Malformed at ${place.en}, check 8.1.${fault.step} (${step?.en ?? ""}): ${fault.code} ${en}${about}`,
    }),
  );
}

function tellFacts(form: BundleForm, add: AddFact): void {
  add("文件字节", "file bytes", sizeText(form.size));
  if (form.headerLength !== undefined) {
    add("包头字节", "header bytes", `${sizeText(form.headerLength)} / ${sizeText(HEADER_MAX)}`);
  }
  if (form.header !== undefined) headerRows(form.header, add);
}

function headerRows(header: BundleHeader, row: AddFact): void {
  row("格式版本", "format version", header.version);
  row("数据包编号", "bundle id", idText(header.bundleId));
  row("通道", "lane", header.lane);
  row("流", "stream", header.stream);
  row("序号", "sequence", header.sequence);
  row("前一包头摘要", "previous header", hex(header.previousDigest));
  row("发送节点", "sender", header.sender);
  row("签名密钥编号", "signing key", header.signKeyId);
  row("封装时间", "created", timeText(header.createdMs));
  row("到期时间", "expires", timeText(header.expiresMs));
  row("最高级别", "grade", header.grade);
  row("策略版本", "policy version", header.policyVersion);
  row("明文字节", "plaintext bytes", sizeText(header.plaintextSize));
  row("分块", "chunks", `${sizeText(header.chunkCount)} × ${sizeText(header.chunkSize)}`);
  row("密文根", "ciphertext root", hex(header.ciphertextRoot));
  row("条目根", "item root", hex(header.itemRoot));
  const checkpoint = viewCheckpoint(header);
  if (checkpoint === undefined) return;
  const { origin, size, root, oldSize, hashes } = checkpoint;
  row("审计检查点", "audit checkpoint", `${origin}  ${size}  ${root}`);
  row("检查点衔接", "consistency", `${oldSize} → ${size}, ${hashes}`);
}

export function printCertificates(context: CliContext, views: readonly CertificateView[]): void {
  const word = (use: string) => context.say(USE_WORDS[use] ?? { zh: use, en: use });
  const mark = context.say({ zh: "演示", en: "demo" });
  context.table(views, [
    {
      title: { zh: "主体", en: "SUBJECT" },
      value: ({ identity, subject, fault }) => fault ?? (identity === "" ? subject : identity),
      max: WIDE,
    },
    { title: { zh: "用途", en: "USE" }, value: ({ use }) => word(use) },
    { title: { zh: "密钥编号", en: "KEY" }, value: "keyId" },
    { title: { zh: "生效", en: "NOT BEFORE" }, value: ({ notBeforeMs }) => timeText(notBeforeMs) },
    { title: { zh: "失效", en: "NOT AFTER" }, value: ({ notAfterMs }) => timeText(notAfterMs) },
    { title: { zh: "备注", en: "NOTE" }, value: ({ demo }) => (demo ? mark : "") },
  ]);
}

/** Of the decisions and directions that a schema can name; another stands as it is. */
const RULINGS: Readonly<Record<string, Words>> = {
  permit: { zh: "放行", en: "permit" },
  hold: { zh: "待审查", en: "hold" },
  deny: { zh: "拒绝", en: "deny" },
  export: { zh: "外发", en: "export" },
  import: { zh: "导入", en: "import" },
};

function ruling(context: CliContext, { decision, direction }: NonNullable<ItemView["verdict"]>) {
  const word = (name: string) => context.say(RULINGS[name] ?? { zh: name, en: name });
  return `${word(decision)} ${word(direction)}`;
}

function printItems(context: CliContext, views: readonly ItemView[]): void {
  const unreadable = context.say({ zh: "裁决无法解析", en: "unreadable verdict" });
  context.table(views, [
    { title: { zh: "序", en: "#" }, value: "item", align: "right" },
    { title: { zh: "级别", en: "GRADE" }, value: ({ verdict }) => verdict?.grade },
    {
      title: { zh: "裁决", en: "VERDICT" },
      value: ({ verdict }) => (verdict ? ruling(context, verdict) : unreadable),
    },
    { title: { zh: "规则", en: "RULES" }, value: ({ verdict }) => verdict?.rules.join(" ") },
    {
      title: { zh: "义务", en: "OBLIGATIONS" },
      value: ({ verdict }) => verdict?.obligations.join(" "),
    },
    { title: { zh: "策略版本", en: "POLICY" }, value: ({ verdict }) => verdict?.policyVersion },
    {
      title: { zh: "裁决到期", en: "EXPIRES" },
      value: ({ verdict }) => (verdict ? timeText(verdict.expiresMs) : ""),
    },
    { title: { zh: "承诺", en: "COMMITMENT" }, value: "commitment", max: WIDE },
  ]);
}

function printChunks(context: CliContext, views: readonly ChunkView[], layout: Layout): void {
  context.table(views, [
    { title: { zh: "块", en: "#" }, value: "chunk", align: "right" },
    { title: { zh: "偏移", en: "OFFSET" }, value: "offset", align: "right" },
    { title: { zh: "字节", en: "BYTES" }, value: "bytes", align: "right" },
    { title: { zh: "摘要（SM3）", en: "DIGEST (SM3)" }, value: "digest", max: WIDE },
  ]);
  if (views.length < layout.chunkCount) {
    context.out(context.say({ zh: "（--chunks 列出全部）", en: "(--chunks lists all)" }));
  }
}
