/** Guarantee: the checks of SPEC §8 in their order, each by its number, and which of them an error belongs to. */
import type { Words } from "../src/cli/index.ts";
import type { ErrorCode } from "../src/errors/index.ts";

export interface Step extends Words {
  /** Section and step of the specification. */
  readonly id: string;
}

const step = (id: string, zh: string, en: string): Step => ({ id, zh, en });

export const FORM_STEPS: readonly Step[] = [
  step("8.1.1", "文件标识", "magic"),
  step("8.1.2", "包头长度", "header length"),
  step("8.1.3", "包头与签名齐全", "header and signature present"),
  step("8.1.4", "包头可解析", "header decodes"),
  step("8.1.5", "格式版本", "format version"),
  step("8.1.6", "规范编码", "canonical encoding"),
  step("8.1.7", "包头字段", "header fields"),
  step("8.1.8", "文件大小", "file size"),
  step("8.1.9", "摘要表", "digest table read"),
];

export const HEADER_STEPS: readonly Step[] = [
  step("8.2.1", "通道相符", "lane"),
  step("8.2.2", "发送节点及其签名证书", "sender and its signing certificate"),
  step("8.2.3", "包头签名", "header signature"),
  step("8.2.4", "密文根与摘要表", "ciphertext root over the table"),
  step("8.2.5", "条目根与承诺", "item root over the commitments"),
  step("8.2.6", "承诺不重复", "no commitment twice"),
  step("8.2.7", "每个条目的裁决", "verdict of every item"),
  step("8.2.8", "裁决不重复使用", "no verdict twice"),
  step("8.2.9", "包头级别", "grade"),
  step("8.2.10", "封装时间不在未来", "not from the future"),
  step("8.2.11", "未过期", "not expired"),
  step("8.2.12", "收件节点", "recipient"),
];

export const CHUNK_STEPS: readonly Step[] = [
  step("8.3", "全部分块的摘要", "digest of every chunk"),
];

export const OPEN_STEPS: readonly Step[] = [
  step("8.4.1", "持有收件密钥", "a recipient's key is here"),
  step("8.4.2", "会话密钥解封", "secret unwraps"),
  step("8.4.3", "密钥承诺", "key commitment"),
  step("8.4.4", "分块解密", "chunks decrypt"),
  step("8.4.5", "清单与承诺", "manifest and commitments"),
  step("8.4.6", "条目内容摘要", "digest of every content"),
];

const STEP_OF: Partial<Record<ErrorCode, string>> = {
  "bundle.wrong-lane": "8.2.1",
  "bundle.wrong-sender": "8.2.2",
  "bundle.unknown-sign-key": "8.2.2",
  "bundle.signature-invalid": "8.2.3",
  "bundle.table-mismatch": "8.2.4",
  "bundle.item-root-mismatch": "8.2.5",
  "bundle.duplicate-item": "8.2.6",
  "verdict.reused": "8.2.8",
  "bundle.grade-mismatch": "8.2.9",
  "bundle.from-future": "8.2.10",
  "bundle.expired": "8.2.11",
  "bundle.wrong-recipient": "8.2.12",
};

const OPEN_STEP_OF: Partial<Record<ErrorCode, string>> = {
  "bundle.unknown-decrypt-key": "8.4.1",
  "bundle.secret-unwrap-failed": "8.4.2",
  "bundle.key-commitment": "8.4.3",
  "bundle.chunk-digest": "8.4.4",
  "bundle.chunk-decrypt": "8.4.4",
  "bundle.truncated": "8.4.4",
  "bundle.item-digest": "8.4.6",
};

/**
 * The step of §8.2 that an error of `verifyHeader` belongs to.
 * @param certificateStep of the key that was asked for last: `certificate.*` may come from either.
 */
export function headerStepOf(code: ErrorCode, certificateStep: string): string {
  return STEP_OF[code] ?? (code.startsWith("verdict.") ? "8.2.7" : certificateStep);
}

/** The step of §8.4 that an error of `openBundle` belongs to. */
export function openStepOf(code: ErrorCode): string {
  return OPEN_STEP_OF[code] ?? "8.4.5";
}
