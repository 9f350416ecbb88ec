/**
 * Guarantee: `lightferry audit trail` shows what this zone's log can prove of an
 * exchange: on the receiving zone both halves, the sender's marked as such; on
 * the sending zone its own half, ending with 对端未知 where it went out.
 */
import { type CliContext, type CliVerb, EXIT, type Words } from "@lightferry/proto/cli";
import { GatewayError } from "@lightferry/proto/errors";
import { parseId } from "@lightferry/proto/ids";
import { peerHalf } from "./peer-half.ts";
import { REMARKS_WIDTH, remarks } from "./remarks.ts";
import { type EventView, viewLogged, withAudit } from "./view.ts";
import { localTime, outcomeWords, programWords, timeTitle, typeWords } from "./words.ts";

/** How far this zone can say the exchange got. */
type End = "unconfirmed" | "receipted" | "here" | "under-way";

const OWN: Words = { zh: "本端", en: "this zone" };
const PEER: Words = { zh: "对端", en: "other zone" };
const SENT: Words = {
  zh: "对端未知：已经单向光闸发出，发送侧无从得知对端结果；请在接收侧网络查询同一编号",
  en: "unconfirmed: it left through the one-way gate; what became of it can only be seen on the receiving zone, under the same id",
};
const RECEIPTED: Words = {
  zh: "对端结果见末行回执：由接收节点签名，含状态、代码与对端时间，不含内容",
  en: "the receipt in the last row says what became of it: signed by the receiving node; state, code and its time, nothing of the content",
};
const HALVES: Words = {
  zh: "标“对端”的各行随数据包到达，由对端节点签名，时间为对端时钟；数据包封装之后对端发生的事不在其中",
  en: 'rows marked "other zone" came inside the signed bundle, so they end where it was sealed; their times are by that zone\'s clock',
};
const ORDER: Words = {
  zh: "按各程序记录的时间排列；序号是写入本端日志的先后",
  en: "in order of the programs' times; the index is the order in this zone's log",
};
const REFUSED: Words = {
  zh: "被拒绝：未离开本网络。原因与处理办法：lightferry exchange show",
  en: "refused: it did not leave this zone. Reason and what to do: lightferry exchange show",
};
const UNUSABLE: Words = {
  zh: "条对端事件无法识别，或声称属于其他网络、其他交换，未予显示；原始字节仍在日志中",
  en: "events of the other zone cannot be read or claim another zone or exchange, and are not shown; their bytes stay in the log",
};

export const trail: CliVerb = {
  name: "trail",
  summary: { zh: "一次交换的完整轨迹", en: "everything that happened to one exchange" },
  usage: "<exchange>",
  args: [{ name: "exchange", summary: { zh: "交换编号", en: "exchange id" } }],
  examples: [
    {
      command: "audit trail 01980c5e-7a31-7c44-9d0f-3b1a5e6f7a80 --zone business",
      summary: { zh: "在接收侧查看两端轨迹", en: "both halves, on the receiving zone" },
    },
  ],
  run: async (context, { positionals: [exchange = ""] }) => {
    const config = context.zoneConfig();
    const { own, peer } = await withAudit(config, (client) =>
      client.getTrail({ exchangeId: parseId(exchange) }),
    );
    if (own.length === 0) throw new GatewayError("audit.exchange-unknown");
    const here = own
      .map(viewLogged)
      .sort((a, b) => a.timeMs - b.timeMs || (a.index ?? 0) - (b.index ?? 0));
    const { views: there, unusable } = peerHalf(peer, exchange);
    const end = endOf(here);
    const left = unusable === 0 ? {} : { unusable };
    context.emitJson({ exchange, zone: config.zone, sender: there, own: here, end, ...left });
    show(context, here, there, end);
    if (unusable > 0) context.out(`\n${unusable} ${context.say(UNUSABLE)}`);
    return EXIT.done;
  },
};

/**
 * By the front-proxy's own count: every step that may be the last is its (audit/EVENTS.md). What another program hands
 * over late, and a clock that was set back, change nothing.
 */
function endOf(own: readonly EventView[]): End {
  const steps = own
    .filter(({ emitter, type }) => emitter === "front-proxy" && type.startsWith("exchange."))
    .sort((a, b) => a.emitterSequence - b.emitterSequence);
  const last = steps.at(-1)?.type;
  const arrivedHere = steps.some(({ type }) => type === "exchange.arrived");
  if (!arrivedHere && last === "exchange.emitted") return "unconfirmed";
  if (last === "exchange.receipted") return "receipted";
  const ends = ["delivered", "refused", "failed", "cancelled", "quarantined", "import-refused"];
  return ends.some((word) => last === `exchange.${word}`) ? "here" : "under-way";
}

function show(
  context: CliContext,
  own: readonly EventView[],
  peer: readonly EventView[],
  end: End,
): void {
  const rows = [
    ...peer.map((view) => ({ view, side: `${context.say(PEER)} ${view.zone}` })),
    ...own.map((view) => ({ view, side: `${context.say(OWN)} ${view.zone}` })),
  ];
  context.table(rows, [
    { title: { zh: "网络", en: "zone" }, value: "side" },
    { title: timeTitle(), value: ({ view }) => localTime(view.timeMs) },
    {
      title: { zh: "来源", en: "from" },
      value: ({ view }) => context.say(programWords(view.emitter)),
    },
    { title: { zh: "事件", en: "event" }, value: ({ view }) => context.say(typeWords(view.type)) },
    {
      title: { zh: "结果", en: "outcome" },
      value: ({ view }) => context.say(outcomeWords(view.outcome)),
    },
    { title: { zh: "序号", en: "index" }, value: ({ view }) => view.index, align: "right" },
    {
      title: { zh: "说明", en: "remarks" },
      value: ({ view }) => remarks(context, view),
      max: REMARKS_WIDTH,
    },
  ]);
  context.out(`\n${context.say(ORDER)}`);
  if (peer.length > 0) context.out(context.say(HALVES));
  if (end === "unconfirmed") context.out(`\n${context.say(SENT)}`);
  if (end === "receipted") context.out(`\n${context.say(RECEIPTED)}`);
  if (own.at(-1)?.type === "exchange.refused") context.out(`\n${context.say(REFUSED)}`);
}
