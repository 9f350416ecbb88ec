/** Guarantee: an exchange is printed from the API's own document, with the state in words. */
import type { CliContext, Words } from "@lightferry/proto/cli";
import type { ExchangeDocument } from "../src/document.ts";
import { clock } from "./admin-call.ts";

const STATES: Readonly<Record<string, Words>> = {
  received: { zh: "已接收", en: "received" },
  refused: { zh: "已拒绝", en: "refused" },
  held: { zh: "待审查", en: "held" },
  permitted: { zh: "已放行", en: "permitted" },
  sealed: { zh: "已封装", en: "sealed" },
  queued: { zh: "待摆渡", en: "queued" },
  emitted: { zh: "已发出（对端未知）", en: "emitted (unconfirmed)" },
  cancelled: { zh: "已取消", en: "cancelled" },
  expired: { zh: "已过期", en: "expired" },
  failed: { zh: "失败", en: "failed" },
  arrived: { zh: "已到达", en: "arrived" },
  verified: { zh: "已核验", en: "verified" },
  quarantined: { zh: "已隔离", en: "quarantined" },
  dispatched: { zh: "投递中", en: "dispatched" },
  delivered: { zh: "已送达", en: "delivered" },
  "in-doubt": { zh: "结果存疑", en: "in doubt" },
  returned: { zh: "已退回", en: "returned" },
};

/** Of both sides, as the filter of the list takes them. */
export const STATE_NAMES: readonly string[] = Object.keys(STATES);

const KINDS: Readonly<Record<string, Words>> = {
  request: { zh: "请求", en: "request" },
  file: { zh: "文件", en: "file" },
  receipt: { zh: "回执", en: "receipts" },
};

export function stateWords(context: CliContext, state: string): string {
  const words = STATES[state];
  return words === undefined ? state : context.say(words);
}

/** With what the far side said of it, where a receipt has come. */
function whereItStands(context: CliContext, { state, receipt }: ExchangeDocument): string {
  if (state !== "emitted" || receipt === undefined) return stateWords(context, state);
  const here = context.say({ zh: "已发出", en: "emitted" });
  return `${here} → ${stateWords(context, receipt.state)}`;
}

function kindWords(context: CliContext, kind: string): string {
  const words = KINDS[kind];
  return words === undefined ? kind : context.say(words);
}

const PRIORITY_WORDS: Readonly<Record<string, Words>> = {
  urgent: { zh: "紧急", en: "urgent" },
  normal: { zh: "普通", en: "normal" },
  bulk: { zh: "批量", en: "bulk" },
};

function priorityWords(context: CliContext, priority = ""): string {
  const words = PRIORITY_WORDS[priority];
  return words === undefined ? priority : context.say(words);
}

/** Details that are words, not names or numbers. */
function detailWords(detail: string): Words {
  if (detail === "timeout") return { zh: "目标系统超时未答", en: "timeout" };
  const list = /^receipt (.+)$/.exec(detail)?.[1];
  if (list !== undefined) return { zh: `对端回执 ${list}`, en: detail };
  const actor = /^retry: (.+)$/.exec(detail)?.[1];
  return actor === undefined
    ? { zh: detail, en: detail }
    : { zh: `人工重试：${actor}`, en: detail };
}

export function printList(context: CliContext, documents: readonly ExchangeDocument[]): void {
  context.table(documents, [
    { title: { zh: "交换编号", en: "EXCHANGE" }, value: "exchangeId" },
    {
      title: { zh: "方向", en: "WAY" },
      value: ({ direction }) =>
        context.say(
          direction === "sent" ? { zh: "发出", en: "sent" } : { zh: "收到", en: "received" },
        ),
    },
    { title: { zh: "状态", en: "STATE" }, value: (row) => whereItStands(context, row) },
    { title: { zh: "通道", en: "LANE" }, value: "lane" },
    { title: { zh: "服务", en: "SERVICE" }, value: "service" },
    { title: { zh: "接入方", en: "CALLER" }, value: "caller" },
    { title: { zh: "字节", en: "BYTES" }, value: "size", align: "right" },
    { title: { zh: "提交时间", en: "SUBMITTED" }, value: ({ submittedMs }) => clock(submittedMs) },
    {
      title: { zh: "原因", en: "REASON" },
      value: ({ refusal }) =>
        refusal === undefined ? "" : `${context.say(refusal.reason)} (${refusal.code})`,
      max: 120,
    },
  ]);
}

export function printExchange(context: CliContext, document: ExchangeDocument): void {
  const line = (words: Words, value: string | number | undefined) => {
    if (value !== undefined && value !== "") context.out(`${context.say(words)}  ${value}`);
  };
  line({ zh: "交换编号", en: "exchange " }, document.exchangeId);
  line({ zh: "状态    ", en: "state    " }, whereItStands(context, document));
  if (document.stateNote !== undefined) context.out(`  ${context.say(document.stateNote)}`);
  const { receipt } = document;
  if (receipt !== undefined) {
    const why = receipt.refusal;
    const reason = why === undefined ? "" : `  ${context.say(why.reason)} (${why.code})`;
    const when = `${clock(receipt.atMs)} #${receipt.number}`;
    line(
      { zh: "对端回执", en: "far side " },
      `${stateWords(context, receipt.state)}${reason}  ${when}`,
    );
  }
  line({ zh: "类型    ", en: "kind     " }, kindWords(context, document.kind));
  line({ zh: "优先级  ", en: "priority " }, priorityWords(context, document.priority));
  line({ zh: "通道    ", en: "lane     " }, document.lane);
  line({ zh: "服务    ", en: "service  " }, document.service);
  line({ zh: "接入方  ", en: "caller   " }, document.caller);
  line({ zh: "提交时间", en: "submitted" }, clock(document.submittedMs));
  line({ zh: "级别    ", en: "grade    " }, document.grade);
  line({ zh: "字节    ", en: "bytes    " }, document.size);
  line({ zh: "数据包  ", en: "bundle   " }, document.bundleId);
  line({ zh: "投递次数", en: "attempts " }, document.attempts);
  const { refusal } = document;
  if (refusal !== undefined) {
    line({ zh: "代码    ", en: "code     " }, refusal.code);
    line({ zh: "规则    ", en: "rule     " }, refusal.rule);
    line({ zh: "原因    ", en: "reason   " }, context.say(refusal.reason));
    line({ zh: "处理    ", en: "to do    " }, context.say(refusal.do));
  }
  context.out("");
  context.table(document.timeline, [
    { title: { zh: "时间", en: "TIME" }, value: ({ atMs }) => clock(atMs) },
    { title: { zh: "步骤", en: "STEP" }, value: ({ state }) => stateWords(context, state) },
    { title: { zh: "代码", en: "CODE" }, value: "code" },
    {
      title: { zh: "说明", en: "DETAIL" },
      value: ({ detail }) => context.say(detailWords(detail ?? "")),
      max: 120,
    },
  ]);
}
