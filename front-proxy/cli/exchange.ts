/** Guarantee: `lightferry exchange`: what became of it, and the decisions left to a person. */
import { type CliInput, type CliNoun, type CliVerb, EXIT } from "@lightferry/proto/cli";
import { GatewayError } from "@lightferry/proto/errors";
import { parseId } from "@lightferry/proto/ids";
import type { ExchangeDocument } from "../src/document.ts";
import { withAdmin } from "./admin-call.ts";
import { printExchange, printList, STATE_NAMES, stateWords } from "./exchange-view.ts";
import { discardVerb, quarantineVerb } from "./quarantine-verbs.ts";

const MAX_PAGE = 500;

const ID = {
  name: "exchange-id",
  summary: { zh: "交换编号", en: "id of the exchange" },
} as const;

const EXAMPLE_ID = "01912f3c-7a10-7c3e-9b1a-2f6d0c4e8a55";

const REASON = {
  type: "string",
  value: "TEXT",
  summary: { zh: "理由，记入审计日志（必填）", en: "why; goes into the audit log (required)" },
} as const;

const list: CliVerb = {
  name: "list",
  summary: { zh: "列出本网的交换，最新在前", en: "exchanges of this zone, newest first" },
  usage: "[--state S] [--lane L] [--service S] [--limit N] [--after CURSOR]",
  args: [],
  options: {
    state: {
      type: "string",
      value: "STATE",
      summary: {
        zh: `只看某一状态：${STATE_NAMES.join("、")}`,
        en: `only this state: ${STATE_NAMES.join(", ")}`,
      },
    },
    lane: { type: "string", value: "LANE", summary: { zh: "只看某一通道", en: "only this lane" } },
    service: {
      type: "string",
      value: "SERVICE",
      summary: { zh: "只看某一服务", en: "only this service" },
    },
    limit: {
      type: "string",
      value: "N",
      summary: { zh: `条数，1 至 ${MAX_PAGE}`, en: `how many, 1 to ${MAX_PAGE}` },
    },
    after: {
      type: "string",
      value: "CURSOR",
      summary: { zh: "上一页给出的游标", en: "cursor that the page before gave" },
    },
  },
  examples: [
    {
      command: "exchange list --zone extranet --limit 20",
      summary: { zh: "外网侧最近 20 次交换", en: "the last 20 of the extranet side" },
    },
    {
      command: "exchange list --zone business --state in-doubt",
      summary: { zh: "等待人工核实的交换", en: "exchanges that wait for a person to check" },
    },
  ],
  async run(context, input) {
    const limit = input.integer("limit", { min: 1, max: MAX_PAGE }) ?? 0;
    const wish = {
      state: stateOf(input),
      lane: input.text("lane") ?? "",
      service: input.text("service") ?? "",
      after: input.text("after") ?? "",
      limit,
    };
    const { json } = await withAdmin(context, (admin) => admin.listExchanges(wish));
    const page = JSON.parse(json) as { exchanges: ExchangeDocument[]; next?: string };
    context.emitJson(page);
    printList(context, page.exchanges);
    if (page.next !== undefined) {
      context.out(
        context.say({ zh: `下一页：--after ${page.next}`, en: `next page: --after ${page.next}` }),
      );
    }
    return EXIT.done;
  },
};

const show: CliVerb = {
  name: "show",
  summary: {
    zh: "查看一次交换：状态、经过、拒绝原因",
    en: "one exchange: state, steps, reason of refusal",
  },
  usage: "<exchange-id>",
  args: [ID],
  examples: [
    {
      command: `exchange show ${EXAMPLE_ID} --zone business`,
      summary: { zh: "在接收网查看投递结果", en: "on the receiving network: where it ended" },
    },
  ],
  async run(context, input) {
    const exchangeId = idOf(input);
    const { json } = await withAdmin(context, (admin) => admin.getExchange({ exchangeId }));
    const document = JSON.parse(json) as ExchangeDocument;
    context.emitJson(document);
    printExchange(context, document);
    return EXIT.done;
  },
};

const retry: CliVerb = {
  name: "retry",
  summary: {
    zh: "重新投递失败或存疑的交换（发送侧：重新裁决）",
    en: "deliver a failed or in-doubt exchange again (sending side: decide it again)",
  },
  usage: "<exchange-id>",
  args: [ID],
  examples: [
    {
      command: `exchange retry ${EXAMPLE_ID} --zone business`,
      summary: { zh: "目标系统恢复后重投", en: "after the target is back" },
    },
  ],
  async run(context, input) {
    const exchangeId = idOf(input);
    const { state } = await withAdmin(context, (admin) => admin.retryExchange({ exchangeId }));
    return done(context, input, state);
  },
};

const cancel: CliVerb = {
  name: "cancel",
  summary: { zh: "取消尚未封装的交换", en: "cancel an exchange that is not sealed yet" },
  usage: "<exchange-id> --reason TEXT",
  args: [ID],
  options: { reason: REASON },
  examples: [
    {
      command: `exchange cancel ${EXAMPLE_ID} --zone extranet --reason 重复提交`,
      summary: { zh: "在发送网取消", en: "on the sending network" },
    },
  ],
  async run(context, input) {
    const exchangeId = idOf(input);
    const reason = reasonOf(input);
    const { state } = await withAdmin(context, (admin) =>
      admin.cancelExchange({ exchangeId, reason }),
    );
    return done(context, input, state);
  },
};

const giveBack: CliVerb = {
  name: "return",
  summary: {
    zh: "退回失败或存疑的交换：结案并销毁内容",
    en: "give back a failed or in-doubt exchange: close it and destroy its content",
  },
  usage: "<exchange-id> --reason TEXT",
  args: [ID],
  options: { reason: REASON },
  examples: [
    {
      command: `exchange return ${EXAMPLE_ID} --zone business --reason 已在目标系统人工登记`,
      summary: { zh: "核实后结案", en: "close it after checking at the target" },
    },
  ],
  async run(context, input) {
    const exchangeId = idOf(input);
    const reason = reasonOf(input);
    const { state } = await withAdmin(context, (admin) =>
      admin.returnExchange({ exchangeId, reason }),
    );
    return done(context, input, state);
  },
};

function idOf(input: CliInput): Uint8Array {
  return parseId(input.positionals[0] ?? "");
}

/** @throws GatewayError `cli.usage`: a state that does not exist would look like an empty list. */
function stateOf(input: CliInput): string {
  const state = input.text("state") ?? "";
  if (state !== "" && !STATE_NAMES.includes(state)) {
    throw new GatewayError("cli.usage", { detail: `--state ${STATE_NAMES.join(" | ")}` });
  }
  return state;
}

/** @throws GatewayError `cli.usage` */
function reasonOf(input: CliInput): string {
  const reason = input.text("reason")?.trim() ?? "";
  if (reason === "") throw new GatewayError("cli.usage", { detail: "--reason" });
  return reason;
}

function done(context: Parameters<CliVerb["run"]>[0], input: CliInput, state: string) {
  const [exchangeId = ""] = input.positionals;
  context.emitJson({ exchangeId, state });
  context.out(`${exchangeId}  ${stateWords(context, state)}`);
  return EXIT.done;
}

export const noun: CliNoun = {
  name: "exchange",
  summary: { zh: "交换：查询与人工处置", en: "exchanges: look them up, decide about them" },
  verbs: [list, show, retry, cancel, giveBack, quarantineVerb, discardVerb],
};
