/** Guarantee: the names that officers read for event types and outcomes; the types themselves stay as EVENTS.md has them. */
import type { Words } from "@lightferry/proto/cli";
import { GatewayError } from "@lightferry/proto/errors";
import type { EventType } from "@lightferry/proto/event";

const TYPES: Readonly<Record<EventType, Words>> = {
  "exchange.received": { zh: "已接收", en: "received" },
  "exchange.refused": { zh: "已拒绝", en: "refused" },
  "exchange.held": { zh: "待审查", en: "held" },
  "exchange.permitted": { zh: "已放行", en: "permitted" },
  "exchange.sealed": { zh: "已封装", en: "sealed" },
  "exchange.queued": { zh: "待摆渡", en: "queued for the gate" },
  "exchange.emitted": { zh: "已发出", en: "emitted" },
  "exchange.expired": { zh: "已过期", en: "expired" },
  "exchange.cancelled": { zh: "已取消", en: "cancelled" },
  "exchange.receipted": { zh: "收到回执", en: "receipt came back" },
  "exchange.arrived": { zh: "已到达", en: "arrived" },
  "exchange.verified": { zh: "已核验", en: "verified" },
  "exchange.quarantined": { zh: "已隔离", en: "quarantined" },
  "exchange.import-permitted": { zh: "准予导入", en: "import permitted" },
  "exchange.import-refused": { zh: "拒绝导入", en: "import refused" },
  "exchange.dispatching": { zh: "开始投递", en: "dispatching" },
  "exchange.delivered": { zh: "已送达", en: "delivered" },
  "exchange.in-doubt": { zh: "结果存疑", en: "in doubt" },
  "exchange.failed": { zh: "失败", en: "failed" },
  "exchange.retried": { zh: "再次投递", en: "tried again" },
  "exchange.returned": { zh: "已退回", en: "returned" },
  "bundle.sealed": { zh: "数据包已封装", en: "bundle sealed" },
  "bundle.emitted": { zh: "数据包已发出", en: "bundle emitted" },
  "bundle.arrived": { zh: "数据包已到达", en: "bundle arrived" },
  "bundle.refused": { zh: "数据包被拒", en: "bundle refused" },
  "bundle.duplicate": { zh: "数据包重复", en: "bundle came again" },
  "bundle.discarded": { zh: "隔离的数据包已销毁", en: "quarantined bundle discarded" },
  "bundle.recalled": { zh: "数据包补发", en: "bundles queued again for repair" },
  "bundle.repeated": { zh: "数据包已补发", en: "bundle sent again" },
  "policy.decided": { zh: "策略裁决", en: "policy decided" },
  "policy.loaded": { zh: "策略生效", en: "policy loaded" },
  "policy.sealed-away": { zh: "疑似涉密封存", en: "suspected secret sealed away" },
  "trust.loaded": { zh: "证书库已载入", en: "trust store loaded" },
  "trust.imported": { zh: "导入证书或吊销列表", en: "certificate or list imported" },
  "trust.refused": { zh: "拒绝证书或吊销列表", en: "certificate or list refused" },
  "trust.key-denied": { zh: "停用密钥", en: "key denied" },
  "trust.key-denial-lifted": { zh: "解除停用", en: "denial lifted" },
  "trust.list-ageing": { zh: "吊销列表将过期", en: "revocation list ageing" },
  "trust.list-outdated": { zh: "吊销列表已过期", en: "revocation list outdated" },
  "trust.certificate-ageing": { zh: "证书将到期", en: "certificate about to end" },
  "token.issued": { zh: "签发令牌", en: "token issued" },
  "token.rotated": { zh: "更换令牌", en: "token rotated" },
  "token.revoked": { zh: "吊销令牌", en: "token revoked" },
  "token.refused": { zh: "令牌被拒", en: "token refused" },
  "gate.gap": { zh: "光闸缺号", en: "gap at the gate" },
  "gate.gap-unrepaired": { zh: "缺号未补齐", en: "gap not repaired" },
  "gate.gap-unrepairable": { zh: "缺号无法补发", en: "gap cannot be repaired" },
  "gate.ticket-accepted": { zh: "接受补发单", en: "repair ticket accepted" },
  "gate.ticket-refused": { zh: "拒绝补发单", en: "repair ticket refused" },
  "gate.heartbeat-missed": { zh: "心跳中断", en: "heartbeat missed" },
  "gate.heartbeat-restored": { zh: "心跳恢复", en: "heartbeat restored" },
  "gate.alarm": { zh: "链路告警", en: "alarm of the link" },
  "gate.alarm-over": { zh: "链路告警解除", en: "alarm of the link over" },
  "gate.frame-rejected": { zh: "丢弃无效帧", en: "frames rejected" },
  "gate.file-refused": { zh: "拒收无效摆渡文件", en: "ferried files refused" },
  "gate.key-refused": { zh: "拒绝光闸密钥", en: "key refused at the gate" },
  "gate.quarantine-large": { zh: "隔离区过大", en: "quarantine has grown large" },
  "gate.object-incomplete": { zh: "对象不完整", en: "object incomplete" },
  "gate.object-left-out": { zh: "磁盘已满未接收", en: "objects left out, disk full" },
  "key.action-begun": { zh: "开始密钥操作", en: "key operation begun" },
  "key.action-ended": { zh: "密钥操作结束", en: "key operation ended" },
  "key.actions-damaged": { zh: "密钥操作记录不成立", en: "record of key operations damaged" },
  "receipts.signed": { zh: "回执已签发", en: "receipts signed" },
  "receipts.exported": { zh: "回执已导出", en: "receipts exported" },
  "receipts.imported": { zh: "回执已导入", en: "receipts imported" },
  "receipts.refused": { zh: "回执被拒收", en: "receipts refused" },
  "media.exported": { zh: "介质已导出", en: "medium exported" },
  "media.imported": { zh: "介质已导入", en: "medium imported" },
  "media.refused": { zh: "介质被拒收", en: "medium refused" },
  "key.use-reserved": { zh: "预留密钥使用次数", en: "key uses reserved" },
  "key.used": { zh: "密钥使用次数", en: "key uses" },
  "key.destroying": { zh: "即将销毁密钥", en: "key about to be destroyed" },
  "key.destroyed": { zh: "密钥已销毁", en: "key destroyed" },
  "key.destroy-due": { zh: "密码机中的密钥应予销毁", en: "key in the machine due to be destroyed" },
  "service.started": { zh: "服务启动", en: "service started" },
  "service.stopped": { zh: "服务停止", en: "service stopped" },
  "service.impaired": { zh: "服务受阻", en: "service impaired" },
  "service.restored": { zh: "服务恢复", en: "service restored" },
  "audit.append-refused": { zh: "拒绝入日志", en: "append refused" },
  "audit.checkpoint-witnessed": { zh: "见证对端检查点", en: "checkpoint witnessed" },
  "audit.peer-trails-recorded": { zh: "收存对端轨迹", en: "peer trails recorded" },
  "audit.verified": { zh: "日志已核验", en: "log verified" },
  "audit.read": { zh: "查阅日志", en: "log read" },
};

const OUTCOMES: Readonly<Record<string, Words>> = {
  ok: { zh: "成功", en: "ok" },
  refused: { zh: "拒绝", en: "refused" },
  held: { zh: "待审查", en: "held" },
  error: { zh: "错误", en: "error" },
};

/** A type of a newer program keeps its own name. */
export function typeWords(type: string): Words {
  return Object.hasOwn(TYPES, type) ? TYPES[type as EventType] : { zh: type, en: type };
}

export function outcomeWords(outcome: string): Words {
  return OUTCOMES[outcome] ?? { zh: outcome, en: outcome };
}

/**
 * Types that a word of the list or the beginning of a type's own name means.
 * @throws GatewayError `cli.usage` naming the known types, of that kind or of all: one that no event has
 * would look like an empty log.
 */
export function typePrefix(text: string): string {
  const found = Object.entries(TYPES).find(([, { zh, en }]) => text === zh || text === en);
  const prefix = found?.[0] ?? text;
  const types = Object.keys(TYPES);
  if (types.some((type) => type.startsWith(prefix))) return prefix;
  throw new GatewayError("cli.usage", { detail: `--type ${text}: ${knownTypes(types, prefix)}` });
}

/** `exchange.(received | refused …)`, one kind after the other; only the kind that `prefix` begins with, if any. */
function knownTypes(types: readonly string[], prefix: string): string {
  const kindOf = (type: string) => type.slice(0, type.indexOf(".") + 1);
  const kinds = new Set(types.map(kindOf));
  const asked = kindOf(prefix);
  return [...(kinds.has(asked) ? [asked] : kinds)]
    .map((kind) => {
      const names = types.filter((type) => kindOf(type) === kind);
      return `${kind}(${names.map((name) => name.slice(kind.length)).join(" | ")})`;
    })
    .join(" ");
}

export const OUTCOME_NAMES: readonly string[] = Object.keys(OUTCOMES);

const PROGRAMS: Readonly<Record<string, Words>> = {
  "front-proxy": { zh: "前置代理", en: "front-proxy" },
  seal: { zh: "封装", en: "seal" },
  policy: { zh: "策略", en: "policy" },
  audit: { zh: "审计", en: "audit" },
  "audit-log": { zh: "审计日志", en: "audit-log" },
  "ferry-tx": { zh: "摆渡发送端", en: "ferry-tx" },
  "ferry-rx": { zh: "摆渡接收端", en: "ferry-rx" },
  "media-tx": { zh: "介质导出", en: "media-tx" },
  "media-rx": { zh: "介质导入", en: "media-rx" },
  operator: { zh: "操作员", en: "operator" },
};

/** A program or the operator in words; the name of a caller or node stays. */
export function programWords(name: string): Words {
  return PROGRAMS[name] ?? { zh: name, en: name };
}

/** Title of a column of {@link localTime}: a time without its zone is no evidence. */
export function timeTitle(): Words {
  const minutes = -new Date().getTimezoneOffset();
  const rest = Math.abs(minutes) % 60;
  const hours = Math.floor(Math.abs(minutes) / 60);
  const zone = `UTC${minutes < 0 ? "-" : "+"}${hours}${rest === 0 ? "" : `:${rest}`}`;
  return { zh: `时间（${zone}）`, en: `time (${zone})` };
}

/** Local time to the millisecond, as officers write it down. */
export function localTime(ms: number): string {
  const date = new Date(ms);
  const two = (n: number) => String(n).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return `${day} ${time}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}
