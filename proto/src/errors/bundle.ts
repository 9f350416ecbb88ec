/** Guarantee: the codes of the bundle format and of verdicts; proto/SPEC.md names the check of each; see table.ts for what a row must say. */
import type { ErrorRow, ErrorTable } from "./table.ts";

/** A bundle that arrived damaged or false: nobody on this side can mend it. */
function refused(zh: string, en: string, does?: { zh: string; en: string }): ErrorRow {
  return {
    http: 422,
    grpc: "DATA_LOSS",
    actor: "far-side",
    zh,
    en,
    doZh: does?.zh ?? "数据包已拒收并保留证据；请对端重新发送，勿改动原文件",
    doEn: does?.en ?? "the bundle is refused and kept as evidence: have the far side send it again",
  };
}

/** A bundle or verdict that trust or configuration refuses: the security administrator decides. */
function distrusted(zh: string, en: string, doZh: string, doEn: string): ErrorRow {
  return { http: 403, grpc: "PERMISSION_DENIED", actor: "security-admin", zh, en, doZh, doEn };
}

/** What sealing refuses before or while it writes. */
function unsealable(zh: string, en: string, doZh: string, doEn: string): ErrorRow {
  return { http: 422, grpc: "FAILED_PRECONDITION", actor: "system-admin", zh, en, doZh, doEn };
}

const VERSIONS = {
  zh: "核对两端程序版本",
  en: "check that both sides run versions that understand each other",
};

export const BUNDLE_ERRORS = {
  "bundle.not-a-bundle": refused("不是数据包", "this is not a bundle"),
  "bundle.truncated": refused("数据包不完整", "the bundle is shorter than its header says"),
  "bundle.trailing-bytes": refused("数据包末尾有多余字节", "bytes follow the end of the bundle"),
  "bundle.header-too-large": refused("数据包头超过 1 MiB", "the header is longer than 1 MiB", {
    zh: "发送方减少每包的条目数后重新封装",
    en: "the sender seals fewer items per bundle",
  }),
  "bundle.header-malformed": refused("数据包头无法解析", "the header cannot be decoded"),
  "bundle.version-unsupported": refused(
    "不支持的数据包版本",
    "the bundle is of another format version",
    VERSIONS,
  ),
  "bundle.not-canonical": refused("编码不规范", "an encoding is not the canonical one", VERSIONS),
  "bundle.header-invalid": refused(
    "数据包头字段无效",
    "a header field is missing, out of its limits or contradicts another",
  ),
  "bundle.wrong-lane": distrusted(
    "数据包不属于本通道",
    "the bundle names another lane",
    "核对光闸接线与通道登记",
    "check the cabling of the gate and the registered lanes",
  ),
  "bundle.wrong-sender": distrusted(
    "发送节点不是本通道登记的节点",
    "the sender is not the node registered for this lane",
    "核对通道登记；可能是伪造",
    "check the registered lane: this may be a forgery",
  ),
  "bundle.unknown-sign-key": distrusted(
    "发送方签名密钥未登记",
    "the sender's signing key is not registered",
    "核对注册表是否为最新版本，密钥是否已更换或撤销",
    "check that the registry is current and whether the key was changed or revoked",
  ),
  "bundle.signature-invalid": refused(
    "数据包头签名无效",
    "the signature over the header is not valid",
  ),
  "bundle.table-mismatch": refused(
    "密文摘要表与包头不符",
    "the digest table does not match the header",
  ),
  "bundle.item-root-mismatch": refused(
    "条目承诺与包头的根不符",
    "the item commitments do not match their root",
  ),
  "bundle.duplicate-item": refused("同一条目出现两次", "one item appears twice in the bundle"),
  "bundle.grade-mismatch": refused(
    "包头级别与条目级别不符",
    "the grade of the header is not the highest grade of its items",
  ),
  "bundle.expired": refused("数据包已过期", "the bundle has expired", {
    zh: "由发送方重新裁决并封装",
    en: "the sender decides and seals it again",
  }),
  "bundle.lifetime-too-long": distrusted(
    "数据包有效期超出通道规定",
    "the bundle would be valid for longer than its lane allows",
    "核对两端注册表中该通道的有效期是否一致，之后重新提交",
    "compare the lane's expiry in the registries of both ends, then submit again",
  ),
  "bundle.from-future": {
    http: 409,
    grpc: "FAILED_PRECONDITION",
    actor: "system-admin",
    zh: "封装时间晚于本机时间",
    en: "the bundle was made later than this node's time",
    doZh: "数据包已暂存；校对两端时钟后会继续处理",
    doEn: "the bundle is held: correct the clocks and it will go on",
  },
  "bundle.wrong-recipient": distrusted(
    "本节点不是收件节点",
    "this node is not a recipient of the bundle",
    "核对通道登记与收件节点",
    "check the lane and the node it leads to",
  ),
  "bundle.unknown-decrypt-key": distrusted(
    "数据包使用了本节点没有的加密密钥",
    "the bundle is sealed to an encryption key this node does not hold",
    "核对注册表中的加密密钥编号；密钥轮换后由发送方重新封装",
    "check the encryption key id in the registry; after a rotation the sender seals again",
  ),
  "bundle.secret-unwrap-failed": refused(
    "会话密钥解封失败",
    "the bundle secret cannot be unwrapped",
  ),
  "bundle.key-commitment": refused(
    "会话密钥与承诺不符",
    "the bundle secret does not match its commitment",
  ),
  "bundle.chunk-digest": refused("密文分块与摘要表不符", "a chunk does not match the digest table"),
  "bundle.chunk-decrypt": refused("密文分块解密失败", "a chunk cannot be decrypted"),
  "bundle.manifest-too-large": unsealable(
    "清单过大",
    "the manifest is larger than its limit",
    "减少每包的条目数",
    "put fewer items into one bundle",
  ),
  "bundle.manifest-invalid": refused(
    "清单无效",
    "the manifest is malformed, out of its limits or does not fit the content",
  ),
  "bundle.commitment-mismatch": refused(
    "清单条目与承诺不符",
    "a manifest entry does not match its commitment",
  ),
  "bundle.item-digest": refused(
    "条目内容摘要不符",
    "the content of an item does not match its digest",
    {
      zh: "该条目隔离，其余条目继续；请发送方重新提交该条目",
      en: "this item is quarantined and the others go on: have the sender submit it again",
    },
  ),
  "bundle.replayed": refused(
    "数据包或条目重复到达",
    "the bundle or one of its items arrived before",
    {
      zh: "无需处理；若来源不明请安全管理员核查",
      en: "nothing to do; if the origin is unknown the security administrator looks into it",
    },
  ),
  "bundle.sequence-conflict": distrusted(
    "同一序号出现两个不同的包头",
    "two different headers carry one sequence number",
    "该流已隔离；由安全管理员核查发送节点后解除",
    "the stream is quarantined until the security administrator has examined the sender",
  ),
  "bundle.out-of-window": refused(
    "序号超出接收窗口",
    "the sequence number lies outside the receiving window",
    {
      zh: "核对该流的缺口；由发送方补发",
      en: "look at the gaps of the stream and have the sender repair them",
    },
  ),
  "bundle.content-mismatch": unsealable(
    "待封装内容与裁决不符",
    "the content to seal is not what the verdict permits",
    "已停止封装；核查暂存内容是否被改动，然后重新提交",
    "sealing stopped: find out whether the stored content was altered, then submit again",
  ),
  "bundle.seal-refused": unsealable(
    "封装输入无效",
    "what was given to sealing is not valid",
    "按提示的字段核对封装服务",
    "look at the named field of the sealing service's input",
  ),
  "bundle.too-large": unsealable(
    "数据包超过 2^20 个分块",
    "the bundle would need more than 2^20 chunks",
    "把内容拆成较小的文件",
    "split the content into smaller files",
  ),
  "verdict.malformed": refused(
    "裁决无法解析或编码不规范",
    "a verdict is malformed or not canonical",
  ),
  "verdict.path-invalid": refused(
    "裁决不在其批次之中",
    "a verdict is not part of the batch it names",
  ),
  "verdict.unknown-policy-key": distrusted(
    "裁决签名密钥未登记",
    "the policy key that signed a verdict is not registered",
    "核对注册表中的策略密钥",
    "check the policy key in the registry",
  ),
  "verdict.signature-invalid": refused(
    "裁决签名无效",
    "the signature over a verdict batch is not valid",
  ),
  "verdict.not-permit": distrusted(
    "裁决不是放行",
    "the verdict does not permit the item",
    "不得转送；核查封装服务",
    "it must not move: examine the sealing service",
  ),
  "verdict.wrong-direction": distrusted(
    "裁决方向不符",
    "the verdict is for the other direction",
    "不得转送；核查封装服务",
    "it must not move: examine the sealing service",
  ),
  "verdict.wrong-item": distrusted(
    "裁决对应另一条目",
    "the verdict is for another item",
    "不得转送；核查封装服务",
    "it must not move: examine the sealing service",
  ),
  "verdict.wrong-lane": distrusted(
    "裁决对应另一通道",
    "the verdict is for another lane",
    "不得转送；核查封装服务",
    "it must not move: examine the sealing service",
  ),
  "verdict.wrong-sender": distrusted(
    "裁决对应另一发送节点",
    "the verdict is for another sender",
    "不得转送；核查封装服务",
    "it must not move: examine the sealing service",
  ),
  "verdict.wrong-recipient": distrusted(
    "裁决未包含该收件节点",
    "the verdict does not name this recipient",
    "不得转送；核查封装服务",
    "it must not move: examine the sealing service",
  ),
  "verdict.not-yet-valid": distrusted(
    "裁决时间晚于使用时间",
    "the verdict was made later than its use",
    "校对策略服务与封装服务的时钟",
    "correct the clocks of the policy and sealing services",
  ),
  "verdict.expired": distrusted(
    "裁决已过期",
    "the verdict has expired",
    "重新裁决后再封装",
    "have the item decided again",
  ),
  "verdict.reused": refused("同一裁决使用了两次", "one verdict is used twice"),
  "proof.malformed": refused("不是有效的证明文件", "this is not a well-formed proof", {
    zh: "请出具方用 lightferry bundle prove 重新生成",
    en: "have whoever issued it make it again with lightferry bundle prove",
  }),
  "proof.wrong-item": refused(
    "证明所称的承诺不是该条目的承诺",
    "the commitment that the proof names is not that of its item",
    { zh: "不得采信该证明；请出具方重新生成", en: "do not rely on the proof: have it made again" },
  ),
  "proof.not-opened": {
    http: 409,
    grpc: "FAILED_PRECONDITION",
    actor: "caller",
    zh: "证明未打开条目，无法核对内容",
    en: "the proof does not open its item, so no content can be compared",
    doZh: "由持有解密密钥的一方加 --ring 重新生成",
    doEn: "have a party that can decrypt the bundle make it with --ring",
  },
  "proof.content-mismatch": refused(
    "内容与证明中的摘要不符",
    "the content is not the one whose digest the proof shows",
    {
      zh: "该内容不是所交换的内容；核对文件",
      en: "this is not what was exchanged: check which file it is",
    },
  ),
  "proof.no-such-item": {
    http: 404,
    grpc: "NOT_FOUND",
    actor: "caller",
    zh: "数据包中没有该条目",
    en: "the bundle holds no such item",
    doZh: "用 lightferry bundle inspect 查看条目；按交换编号查找须持有解密密钥",
    doEn: "list the items with lightferry bundle inspect; exchange ids need a decryption key",
  },
  "export.too-large": unsealable(
    "导出内容超过 64 MiB",
    "the content to export is larger than 64 MiB",
    "用 --item 逐条导出，或移交原数据包",
    "export single items with --item, or hand over the bundle itself",
  ),
  "export.certificate-unusable": unsealable(
    "证书不能用于该导出",
    "a certificate cannot be used for this export",
    "收件人须用 SM2 加密证书，签名者须用与密钥相符的签名证书",
    "the recipient needs an SM2 encryption certificate, the signer the one of its signing key",
  ),
  "export.file": {
    http: 500,
    grpc: "INTERNAL",
    actor: "system-admin",
    zh: "文件无法写入",
    en: "the file cannot be written",
    doZh: "核对目录与空间；已有文件不会被覆盖",
    doEn: "check the folder and its space; an existing file is never overwritten",
  },
} as const satisfies ErrorTable;
