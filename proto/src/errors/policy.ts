/** Guarantee: the codes of the policy service; see table.ts for what a row must say. */
import type { Actor, ErrorRow, ErrorTable, GrpcStatus } from "./table.ts";

type Texts = readonly [zh: string, en: string, doZh: string, doEn: string];

function row(http: number, grpc: GrpcStatus, actor: Actor, texts: Texts): ErrorRow {
  const [zh, en, doZh, doEn] = texts;
  return { http, grpc, actor, zh, en, doZh, doEn };
}

/** The caller asks for something the rules do not allow. */
function denied(actor: Actor, ...texts: Texts): ErrorRow {
  return row(403, "PERMISSION_DENIED", actor, texts);
}

/** What was handed over is not well formed or not complete. */
function malformed(...texts: Texts): ErrorRow {
  return row(422, "INVALID_ARGUMENT", "caller", texts);
}

/** A person has to look before it may go on. */
function held(actor: Actor, ...texts: Texts): ErrorRow {
  return row(403, "FAILED_PRECONDITION", actor, texts);
}

/** The policy service itself cannot decide; nothing was decided about the exchange. */
function unable(actor: Actor, ...texts: Texts): ErrorRow {
  return row(503, "UNAVAILABLE", actor, texts);
}

/** The service refuses to load or start. */
function unloaded(actor: Actor, ...texts: Texts): ErrorRow {
  return row(503, "FAILED_PRECONDITION", actor, texts);
}

export const POLICY_ERRORS = {
  "policy.licence-missing": denied(
    "security-admin",
    "本节点没有许可",
    "this node has no licence",
    "在注册表中登记本节点的许可并重新签名",
    "enter a licence for this node in the registry and sign it again",
  ),
  "policy.licence-expired": denied(
    "security-admin",
    "本节点的许可不在有效期内",
    "the licence of this node is not valid now",
    "续签许可后重试",
    "renew the licence, then submit again",
  ),
  "policy.licence-lane": denied(
    "security-admin",
    "本节点的许可不含该通道",
    "the licence of this node does not cover the lane",
    "核对许可所列通道",
    "check the lanes named in the licence",
  ),
  "policy.lane-unknown": denied(
    "caller",
    "通道未登记",
    "the lane is not registered",
    "核对通道名称；用 lightferry policy show 查看已登记通道",
    "check the lane name; lightferry policy show lists the registered ones",
  ),
  "policy.lane-closed": denied(
    "security-admin",
    "通道已关闭",
    "the lane is closed",
    "该方向未开放在线传输；如确需使用，由安全管理员按规定开启",
    "this direction is not open; the security administrator opens it where the rules allow",
  ),
  "policy.lane-wrong-zone": denied(
    "caller",
    "通道不从本网络发出",
    "the lane does not start in this network",
    "在通道的发送侧网络提交",
    "submit in the network where the lane starts",
  ),
  "policy.kind-unknown": malformed(
    "未知的交换类型",
    "unknown kind of exchange",
    "使用 request 或 file",
    "use request or file",
  ),
  "policy.kind-not-built": denied(
    "caller",
    "该交换类型尚未提供",
    "this kind of exchange is not offered yet",
    "使用 request 或 file",
    "use request or file",
  ),
  "policy.kind-not-allowed": denied(
    "caller",
    "通道不允许该交换类型",
    "the lane does not allow this kind of exchange",
    "换用允许该类型的通道，或申请调整通道登记",
    "use a lane that allows it, or ask for the lane's registration to be changed",
  ),
  "policy.service-unknown": denied(
    "caller",
    "目标服务未登记",
    "the service is not registered",
    "核对服务名称，或申请登记",
    "check the service name, or ask for its registration",
  ),
  "policy.service-wrong-zone": denied(
    "caller",
    "目标服务不在通道的接收侧网络",
    "the service is not in the receiving network of the lane",
    "核对服务与通道",
    "check the service and the lane",
  ),
  "policy.service-wrong-kind": denied(
    "caller",
    "目标服务不接收该交换类型",
    "the service does not take this kind of exchange",
    "按服务登记的类型提交",
    "submit the kind the service is registered for",
  ),
  "policy.service-without-rules": denied(
    "security-admin",
    "策略包没有该服务的规则，按默认拒绝处理",
    "the policy pack has no rules for this service: denied by default",
    "在策略包中加入该服务的规则并签名",
    "add rules for the service to the policy pack and sign it",
  ),
  "policy.caller-unknown": denied(
    "security-admin",
    "接入方未登记",
    "the caller is not registered",
    "登记接入方后重试",
    "register the caller, then submit again",
  ),
  "policy.caller-wrong-zone": denied(
    "caller",
    "接入方不属于通道的发送侧网络",
    "the caller does not belong to the sending network of the lane",
    "由发送侧网络登记的接入方提交",
    "submit as a caller registered in the sending network",
  ),
  "policy.receipt-caller": denied(
    "security-admin",
    "回执只能由接收节点自己提交",
    "only the receiving node itself hands over receipts",
    "授权中的调用方须为本网络节点的编号",
    "the caller of the grant has to be the id of the zone's own node",
  ),
  "policy.grant-missing": denied(
    "security-admin",
    "没有授权",
    "no grant covers this caller, service and lane",
    "申请授权",
    "ask for a grant",
  ),
  "policy.grant-not-yet": denied(
    "caller",
    "授权尚未生效",
    "the grant is not valid yet",
    "在授权生效后提交",
    "submit once the grant has begun",
  ),
  "policy.grant-expired": denied(
    "security-admin",
    "授权已过期",
    "the grant has expired",
    "续期授权",
    "renew the grant",
  ),
  "policy.purpose-mismatch": denied(
    "caller",
    "用途与授权不符",
    "the purpose is not the one granted",
    "按授权所载用途提交，或留空",
    "submit with the purpose of the grant, or leave it out",
  ),
  "policy.method-not-allowed": denied(
    "caller",
    "服务不允许该方法",
    "the service does not allow this method",
    "使用服务登记的方法",
    "use a method the service is registered for",
  ),
  "policy.path-not-canonical": malformed(
    "路径不规范",
    "the path is not in canonical form",
    "去掉点段、空段、查询串与多余的百分号编码",
    "remove dot segments, empty segments, query strings and needless percent-encoding",
  ),
  "policy.path-not-allowed": denied(
    "caller",
    "服务不允许该路径",
    "the service does not allow this path",
    "使用服务登记的路径",
    "use a path the service is registered for",
  ),
  "policy.request-invalid": malformed(
    "提交内容的信封字段无效",
    "a field around the content is not valid",
    "按提示改正字段",
    "correct the named field",
  ),
  "policy.body-too-large": row(413, "RESOURCE_EXHAUSTED", "caller", [
    "内容超过上限",
    "the content is over the limit",
    "拆分后提交，或改用文件方式",
    "split it, or submit it as a file",
  ]),
  "policy.grade-missing": malformed(
    "未标明数据级别",
    "no grade was declared",
    "按 GB/T 43697 确定级别（G1 至 G4）后提交",
    "grade the data (GB/T 43697: G1 to G4), then submit",
  ),
  "policy.grade-unknown": malformed(
    "数据级别无法识别",
    "the declared grade is not known",
    "使用 G1、G2、G3 或 G4",
    "use G1, G2, G3 or G4",
  ),
  "policy.grade-over-lane": denied(
    "data-owner",
    "数据级别超过通道上限",
    "the grade is over the ceiling of the lane",
    "该数据不得经此通道传输",
    "this data may not cross by this lane",
  ),
  "policy.grade-over-grant": denied(
    "data-owner",
    "数据级别超过授权上限",
    "the grade is over the ceiling of the grant",
    "申请相应级别的授权",
    "ask for a grant of that grade",
  ),
  "policy.grade-over-licence": denied(
    "security-admin",
    "数据级别超过节点许可上限",
    "the grade is over the ceiling of this node's licence",
    "核对节点许可",
    "check the licence of the node",
  ),
  "policy.grade-core": denied(
    "data-owner",
    "核心数据一律不得传输",
    "core data never crosses",
    "停止传输，按核心数据管理要求处理",
    "stop, and handle it under the rules for core data",
  ),
  "policy.grade-important": denied(
    "data-owner",
    "重要数据须有风险评估备案号，本版本尚不受理",
    "important data needs a risk-assessment record number, which is not accepted yet",
    "暂不得经本系统传输",
    "it may not cross by this gateway",
  ),
  "policy.grade-secret": denied(
    "data-owner",
    "标注为国家秘密，拒绝并封存",
    "declared as a state secret: refused and sealed away",
    "立即联系保密工作机构，勿再提交",
    "call the secrecy office at once and do not submit again",
  ),
  "policy.secret-suspected": denied(
    "data-owner",
    "疑似国家秘密，拒绝并封存",
    "suspected state secret: refused and sealed away",
    "立即联系保密工作机构，勿再提交",
    "call the secrecy office at once and do not submit again",
  ),
  "policy.secret-mark-refused": denied(
    "data-owner",
    "正文出现密级字样，拒绝",
    "a secrecy word stands in the text: refused",
    "由保密审查员确认后按规定处理",
    "have the secrecy reviewer look at it",
  ),
  "policy.secret-mark-held": held(
    "data-owner",
    "正文出现密级字样，待人工审查",
    "a secrecy word stands in the text: held for a person",
    "由保密审查员审查",
    "the secrecy reviewer must look at it",
  ),
  "policy.content-refused": denied(
    "caller",
    "内容含有策略不允许的个人信息",
    "the content holds personal data the policy does not allow",
    "去除该信息后提交",
    "remove it, then submit",
  ),
  "policy.content-held": held(
    "data-owner",
    "内容含有须人工审查的信息",
    "the content holds something a person must look at",
    "由数据责任人审查",
    "the data owner must look at it",
  ),
  "policy.content-undecodable": held(
    "data-owner",
    "内容无法检查，待人工审查",
    "the content could not be inspected: held for a person",
    "改用 UTF-8 的 JSON、CSV 或文本；加密件、压缩包须人工审查",
    "use JSON, CSV or text in UTF-8; encrypted or packed files need a person",
  ),
  "policy.content-format": denied(
    "caller",
    "服务不接收该内容格式",
    "the service does not take this content format",
    "按策略包所列格式提交",
    "submit a format the policy pack lists for the service",
  ),
  "policy.content-size": malformed(
    "内容长度与声明不符",
    "the content is not as long as declared",
    "重新提交",
    "submit again",
  ),
  "policy.content-in-envelope": denied(
    "caller",
    "路径、头部、文件名或用途中含有个人信息",
    "personal data stands in the path, a header, the file name or the purpose",
    "把个人信息放在正文中提交",
    "put personal data into the body only",
  ),
  "policy.content-not-desensitised": denied(
    "far-side",
    "到达内容未按本侧策略脱敏",
    "what arrived is not desensitised as this side's policy asks",
    "联系发送侧安全管理员核对双方策略包",
    "have both sides' security administrators compare their policy packs",
  ),
  "policy.approval-required": held(
    "data-owner",
    "须审批后放行",
    "an approval is required",
    "等待数据责任人与审批领导审批",
    "wait for the data owner and the approving leader",
  ),
  "policy.quota-exchanges": row(429, "RESOURCE_EXHAUSTED", "caller", [
    "超过授权的每日次数",
    "over the exchanges per day of the grant",
    "次日再提交，或申请提高配额",
    "submit tomorrow, or ask for a higher quota",
  ]),
  "policy.quota-bytes": row(429, "RESOURCE_EXHAUSTED", "caller", [
    "超过授权的每日流量",
    "over the bytes per day of the grant",
    "次日再提交，或申请提高配额",
    "submit tomorrow, or ask for a higher quota",
  ]),
  "policy.database-unavailable": unable(
    "system-admin",
    "策略数据库不可用，按拒绝处理",
    "the policy database is unavailable: denied",
    "恢复数据库；接入方可稍后重试",
    "bring the database back; callers may try again later",
  ),
  "policy.import-sender": denied(
    "far-side",
    "发送节点与通道不符",
    "the sending node does not belong to the lane",
    "核对双方注册表",
    "compare the registries of both sides",
  ),
  "policy.import-verdict": denied(
    "far-side",
    "发送侧裁决与到达的交换不符",
    "the sending side's verdict does not cover what arrived",
    "勿重试；联系发送侧",
    "do not retry; call the sending side",
  ),
  "policy.import-entry": denied(
    "far-side",
    "清单条目与到达的内容不符",
    "the manifest entry does not match what arrived",
    "勿重试；联系发送侧",
    "do not retry; call the sending side",
  ),
  "policy.import-time": held(
    "system-admin",
    "提交时间晚于本地时间，疑时钟有误，待核对",
    "it was submitted in the future by this side's clock: held",
    "核对两侧时钟后重试",
    "check the clocks of both sides, then retry",
  ),
  "policy.batch-too-large": row(400, "INVALID_ARGUMENT", "system-admin", [
    "批量超过上限",
    "the batch is over its limit",
    "核对两端程序版本",
    "check that both programs are of one version",
  ]),
  "policy.pack-invalid": unloaded(
    "security-admin",
    "策略包内容无效",
    "the policy pack is not valid",
    "按提示改正字段并重新签名",
    "correct the named field and sign again",
  ),
  "policy.pack-signature-invalid": unloaded(
    "security-admin",
    "策略包签名无效",
    "the signature of the policy pack is not valid",
    "重新导入经签名的策略包",
    "import a properly signed pack again",
  ),
  "policy.pack-rollback": unloaded(
    "security-admin",
    "策略包版本号低于已用版本，拒绝回退",
    "the policy pack's number is lower than one already in use",
    "以更大的版本号签发策略包",
    "sign the pack under a higher number",
  ),
  "policy.pack-conflict": unloaded(
    "security-admin",
    "同一版本号出现两份不同的策略包",
    "two different policy packs carry one number",
    "以更大的版本号签发策略包",
    "sign the pack under a higher number",
  ),
  "policy.demo-in-production": unloaded(
    "security-admin",
    "生产模式拒绝演示策略包或演示密钥",
    "production mode refuses a demonstration pack or key",
    "签发正式策略包与密钥后再启动",
    "issue a real pack and key before starting",
  ),
  "trust.store-invalid": unloaded(
    "system-admin",
    "证书库损坏或无法读写",
    "the trust store is damaged, or cannot be read or written",
    "检查证书库目录的磁盘与权限；损坏时从备份恢复，再重新导入证书与吊销列表",
    "check disk and permissions of its folder; if damaged restore it, then import certificates and lists again",
  ),
  "trust.store-full": row(507, "RESOURCE_EXHAUSTED", "security-admin", [
    "证书库已满",
    "the trust store is full",
    "查明大量证书的来源；更换签发机构后重建证书库",
    "find out who issues so many certificates; replace that CA and build the store anew",
  ]),
  "trust.list-conflict": row(409, "FAILED_PRECONDITION", "security-admin", [
    "同一编号出现两份不同的吊销列表",
    "two different revocation lists carry one number",
    "联系签发机构查明；确认前按密钥泄露处置",
    "call the issuer; until it is settled treat its key as compromised",
  ]),
  "trust.busy": row(429, "RESOURCE_EXHAUSTED", "system-admin", [
    "等待证书库更新的连接过多",
    "too many calls wait for a change of the trust store",
    "核对本网络内运行的服务数量",
    "check how many services run in this zone",
  ]),
  "policy.sealed-away-full": unable(
    "security-admin",
    "封存目录已满：仍然拒绝，但只记摘要，不留内容",
    "the sealed-away folder is full: what is refused is no longer kept, its digest alone",
    "查看封存内容与来源，移走后自动恢复；同一接入方大量触发时吊销其令牌",
    "look at what was sealed away and where it came from, then move it away; revoke the caller's token when it is one caller",
  ),
  "policy.sealed-away-failed": unable(
    "system-admin",
    "无法封存疑似涉密内容",
    "suspected secret content could not be sealed away",
    "检查封存目录的磁盘与权限",
    "check disk and permissions of the sealed-away folder",
  ),
} as const satisfies ErrorTable;
