/** Guarantee: `lightferry ferry …` shows what the two programs say of the gate; it changes nothing. */
import {
  type CliContext,
  type CliNoun,
  EXIT,
  type ExitCode,
  type Words,
} from "@lightferry/proto/cli";
import { plan } from "./plan.ts";
import { repairVerbs } from "./repair.ts";
import { type Gap, type RxStatus, readStatuses, type Seen, type TxStatus } from "./status-files.ts";

const MIB = 1024 * 1024;

const NONE = {
  zh: "没有找到摆渡程序的状态文件：请先运行 npm start",
  en: "no status of a ferry program was found: run npm start first",
} as const;

const STATES: Readonly<Record<Gap["state"], Words>> = {
  open: { zh: "等待后续遍补齐", en: "a later pass may bring it" },
  unrepaired: { zh: "未补齐，应签发补发单", en: "stays away: write a ticket" },
  unrepairable: { zh: "发送侧已不再保存", en: "the sender has it no more" },
};

/** Every program must be up, hear the other side and have no open gap for exit code 0. */
async function status(context: CliContext): Promise<ExitCode> {
  const seen = readStatuses(context.home, context.zone);
  context.emitJson(seen);
  if (seen.length === 0) {
    context.out(context.say(NONE));
    return EXIT.unavailable;
  }
  context.table(seen, [
    { title: { zh: "网络", en: "zone" }, value: "zone" },
    { title: { zh: "程序", en: "program" }, value: "service" },
    { title: { zh: "运行", en: "running" }, value: (row) => yesNo(context, row.running) },
    { title: { zh: "通道", en: "lane" }, value: (row) => row.status.lane },
    { title: { zh: "纪元", en: "epoch" }, value: (row) => row.status.epoch, align: "right" },
    { title: { zh: "单向锁定", en: "locked" }, value: (row) => yesNo(context, row.status.locked) },
    { title: { zh: "情况", en: "state" }, value: (row) => summary(context, row), max: 160 },
  ]);
  return seen.every((row) => row.running) ? EXIT.done : EXIT.unavailable;
}

function summary(context: CliContext, { running, status: shown }: Seen): string {
  const told = shown.role === "tx" ? txSummary(context, shown) : rxSummary(context, shown);
  return running ? told : `${context.say({ zh: "停止之前：", en: "before it stopped: " })}${told}`;
}

function txSummary(context: CliContext, { bundles, sent }: TxStatus): string {
  const size = (sent.bytes / MIB).toFixed(1);
  return context.say({
    zh: `已发出 ${bundles.emitted} 包，发送中 ${bundles.sending}，已拒绝 ${bundles.refused}，${sent.frames} 帧 ${size} MiB`,
    en: `${bundles.emitted} bundles emitted, ${bundles.sending} sending, ${bundles.refused} refused, ${sent.frames} frames, ${size} MiB`,
  });
}

function rxSummary(context: CliContext, shown: RxStatus): string {
  const { bundles, accounted, heartbeat, gaps } = shown;
  const rejected = Object.values(shown.rejected).reduce((sum, count) => sum + count, 0);
  const missing = gaps.reduce((sum, gap) => sum + gap.count, 0);
  const pulse = heartbeat.silent
    ? { zh: "心跳中断", en: "NO HEARTBEAT" }
    : { zh: "心跳正常", en: "heartbeat ok" };
  const kept = quarantined(shown);
  return context.say({
    zh: `${pulse.zh}，已转交前置代理 ${bundles.delivered} 包，等待接收 ${bundles.waiting}，缺包 ${missing}，丢帧 ${accounted.lost}，拒绝帧 ${rejected}${kept.zh}`,
    en: `${pulse.en}, ${bundles.delivered} bundles delivered, ${bundles.waiting} waiting, ${missing} missing, ${accounted.lost} frames lost, ${rejected} rejected${kept.en}`,
  });
}

/** Bundles that wait for a certificate, or for a person. */
function quarantined({ quarantine }: RxStatus): { readonly zh: string; readonly en: string } {
  if (quarantine === undefined || quarantine.bundles === 0) return { zh: "", en: "" };
  const { bundles, bytes, sinceMs } = quarantine;
  const size = (bytes / MIB).toFixed(1);
  const since = sinceMs === null ? "" : new Date(sinceMs).toISOString();
  return {
    zh: `，隔离 ${bundles} 包 ${size} MiB，最早 ${since}`,
    en: `, ${bundles} bundles ${size} MiB in quarantine since ${since}`,
  };
}

function yesNo(context: CliContext, value: boolean): string {
  return context.say(value ? { zh: "是", en: "yes" } : { zh: "否", en: "no" });
}

async function gaps(context: CliContext): Promise<ExitCode> {
  const receivers = readStatuses(context.home, context.zone).filter(
    (seen): seen is Seen & { readonly status: RxStatus } => seen.status.role === "rx",
  );
  if (receivers.length === 0) {
    context.emitJson([]);
    context.out(context.say(NONE));
    return EXIT.unavailable;
  }
  const rows: (Gap & { readonly zone: string })[] = receivers.flatMap(({ zone, status: shown }) =>
    shown.gaps.map((gap) => ({ zone, ...gap })),
  );
  context.emitJson(rows);
  if (rows.length === 0) {
    context.out(context.say({ zh: "没有缺失的数据包", en: "no bundle is missing" }));
    return EXIT.done;
  }
  context.table(rows, [
    { title: { zh: "网络", en: "zone" }, value: "zone" },
    { title: { zh: "流", en: "stream" }, value: "stream" },
    { title: { zh: "缺失数", en: "missing" }, value: "count", align: "right" },
    { title: { zh: "情况", en: "state" }, value: ({ state }) => context.say(STATES[state]) },
    { title: { zh: "序号", en: "sequence numbers" }, value: "missing" },
  ]);
  context.out(
    context.say({
      zh: "用 lightferry ferry ticket 签发补发单，带到发送侧用 lightferry ferry repair 提交；无法补发的须重新提交",
      en: "lightferry ferry ticket writes a repair ticket for lightferry ferry repair on the sending side; what cannot be repaired must be submitted anew",
    }),
  );
  return EXIT.done;
}

export const noun: CliNoun = {
  name: "ferry",
  summary: { zh: "单向光闸两端的状态", en: "the two halves that face the gate" },
  verbs: [
    {
      name: "status",
      summary: { zh: "显示发送端与接收端的状态", en: "show how sender and receiver are" },
      usage: "",
      args: [],
      examples: [
        {
          command: "ferry status",
          summary: { zh: "本机全部网络", en: "every zone of this machine" },
        },
        {
          command: "ferry status --zone business --json",
          summary: { zh: "只看接收侧，JSON", en: "the receiving side only, as JSON" },
        },
      ],
      run: status,
    },
    {
      name: "gaps",
      summary: {
        zh: "列出已发出而未到达的数据包",
        en: "list bundles that were sent and have not arrived",
      },
      usage: "",
      args: [],
      examples: [
        {
          command: "ferry gaps --zone business",
          summary: { zh: "接收侧缺哪些包", en: "what the receiving side lacks" },
        },
      ],
      run: gaps,
    },
    ...repairVerbs,
    plan,
  ],
};
