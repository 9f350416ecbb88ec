/** Guarantee: the checks of SPEC §8 in their order, each by its number, and which of them an error belongs to. */
import type { Words } from "../src/cli/index.ts";
import type { ErrorCode } from "../src/errors/index.ts";

export interface Step extends Words {
  /** Section and step of the specification. */
  readonly id: string;
}

interface Section {
  readonly steps: readonly Step[];
  /** Steps by the codes that only they give. */
  readonly byCode: ReadonlyMap<ErrorCode, string>;
}

/** Steps are numbered from 1 in the order given; after its words come the codes of a step. */
function section(
  number: string,
  rows: readonly (readonly [zh: string, en: string, ...codes: ErrorCode[]])[],
): Section {
  const byCode = new Map<ErrorCode, string>();
  const steps = rows.map(([zh, en, ...codes], index): Step => {
    const id = `${number}.${index + 1}`;
    for (const code of codes) byCode.set(code, id);
    return { id, zh, en };
  });
  return { steps, byCode };
}

const FORM = section("8.1", [
  ["文件标识", "magic"],
  ["包头长度", "header length"],
  ["包头与签名齐全", "header and signature present"],
  ["包头可解析", "header decodes"],
  ["格式版本", "format version"],
  ["规范编码", "canonical encoding"],
  ["包头字段", "header fields"],
  ["文件大小", "file size"],
  ["摘要表", "digest table read"],
]);

const HEADER = section("8.2", [
  ["通道相符", "lane", "bundle.wrong-lane"],
  [
    "发送节点及其签名证书",
    "sender and its signing certificate",
    "bundle.wrong-sender",
    "bundle.unknown-sign-key",
  ],
  ["包头签名", "header signature", "bundle.signature-invalid"],
  ["密文根与摘要表", "ciphertext root over the table", "bundle.table-mismatch"],
  ["条目根与承诺", "item root over the commitments", "bundle.item-root-mismatch"],
  ["承诺不重复", "no commitment twice", "bundle.duplicate-item"],
  ["每个条目的裁决", "verdict of every item"],
  ["裁决不重复使用", "no verdict twice", "verdict.reused"],
  ["包头级别", "grade", "bundle.grade-mismatch"],
  ["封装时间不在未来", "not from the future", "bundle.from-future"],
  ["未过期", "not expired", "bundle.expired"],
  ["收件节点", "recipient", "bundle.wrong-recipient"],
]);

const OPEN = section("8.4", [
  ["持有收件密钥", "a recipient's key is here", "bundle.unknown-decrypt-key"],
  ["会话密钥解封", "secret unwraps", "bundle.secret-unwrap-failed"],
  ["密钥承诺", "key commitment", "bundle.key-commitment"],
  ["分块解密", "chunks decrypt", "bundle.chunk-digest", "bundle.chunk-decrypt", "bundle.truncated"],
  ["清单与承诺", "manifest and commitments"],
  ["条目内容摘要", "digest of every content", "bundle.item-digest"],
]);

export const FORM_STEPS = FORM.steps;
export const HEADER_STEPS = HEADER.steps;
/** §8.3 is one step. */
export const CHUNK_STEPS: readonly Step[] = [
  { id: "8.3", zh: "全部分块的摘要", en: "digest of every chunk" },
];
export const OPEN_STEPS = OPEN.steps;

/**
 * The step of §8.2 that an error of `verifyHeader` belongs to.
 * @param certificateStep of the key that was asked for last: `certificate.*` may come from either.
 */
export function headerStepOf(code: ErrorCode, certificateStep: string): string {
  return HEADER.byCode.get(code) ?? (code.startsWith("verdict.") ? "8.2.7" : certificateStep);
}

/** The step of §8.4 that an error of `openBundle` belongs to. */
export function openStepOf(code: ErrorCode): string {
  return OPEN.byCode.get(code) ?? "8.4.5";
}
