/** Guarantee: `lightferry ferry backlog`: what waits for the gate, how long it takes, what will not last until then. */
import { type CliContext, type CliVerb, EXIT } from "@lightferry/proto/cli";
import type { BacklogDocument, LaneBacklog } from "../src/backlog-document.ts";
import { clock, withAdmin } from "./admin-call.ts";

const MIB = 1_048_576;
/** A gate of 400 Gb/s; more is a mistake of units. */
const MAX_MEGABITS = 400_000;
const BYTES_PER_MEGABIT = 125_000;

const PRIORITIES = {
  urgent: { zh: "紧急请求", en: "urgent" },
  normal: { zh: "请求", en: "normal" },
  bulk: { zh: "文件", en: "bulk" },
} as const;

const KINDS = {
  new: { zh: "待发", en: "new" },
  repair: { zh: "补发", en: "repair" },
  "further-passes": { zh: "重复遍", en: "further passes" },
} as const;

const backlog: CliVerb = {
  name: "backlog",
  summary: {
    zh: "发送侧积压：待发数据包、排空时间、发出前将过期的",
    en: "what waits on the sending side, how long it takes, what expires before it leaves",
  },
  usage: "[--lane L] [--mbps N]",
  args: [],
  options: {
    lane: { type: "string", value: "LANE", summary: { zh: "只看某一通道", en: "only this lane" } },
    mbps: {
      type: "string",
      value: "N",
      summary: {
        zh: "按此净速率（兆比特/秒）估算；缺省用最近五分钟的实测值",
        en: "reckon with this net rate in Mb/s; else with what left in the last five minutes",
      },
    },
  },
  examples: [
    {
      command: "ferry backlog --zone extranet",
      summary: { zh: "外网侧的积压", en: "the backlog of the extranet side" },
    },
    {
      command: "ferry backlog --zone extranet --mbps 800 --json",
      summary: { zh: "链路恢复后多久排空", en: "how long once the line is back" },
    },
  ],
  async run(context, input) {
    const megabits = input.integer("mbps", { min: 1, max: MAX_MEGABITS }) ?? 0;
    const lane = input.text("lane") ?? "";
    const bytesPerSecond = megabits * BYTES_PER_MEGABIT;
    const { json } = await withAdmin(context, (admin) =>
      admin.getBacklog({ lane, bytesPerSecond }),
    );
    const document = JSON.parse(json) as BacklogDocument;
    context.emitJson(document);
    print(context, document);
    return EXIT.done;
  },
};

function print(context: CliContext, { lanes, room }: BacklogDocument): void {
  const rows = lanes.flatMap(({ lane, waiting }) => waiting.map((row) => ({ lane, ...row })));
  context.table(rows, [
    { title: { zh: "通道", en: "LANE" }, value: "lane" },
    {
      title: { zh: "优先级", en: "PRIORITY" },
      value: ({ priority }) =>
        context.say(
          PRIORITIES[priority as keyof typeof PRIORITIES] ?? { zh: priority, en: priority },
        ),
    },
    { title: { zh: "类别", en: "KIND" }, value: ({ kind }) => context.say(KINDS[kind]) },
    { title: { zh: "数据包", en: "BUNDLES" }, value: "bundles", align: "right" },
    { title: { zh: "大小", en: "SIZE" }, value: ({ bytes }) => size(bytes), align: "right" },
    { title: { zh: "最早", en: "OLDEST" }, value: ({ oldestMs }) => clock(oldestMs) },
  ]);
  for (const lane of lanes) printLane(context, lane);
  const used = `${size(room.usedBytes)} / ${size(room.highWaterBytes)}`;
  context.out(
    context.say(
      room.accepting
        ? { zh: `暂存与发件箱 ${used}`, en: `spool and outbox: ${used}` }
        : {
            zh: `暂存与发件箱 ${used}：已停止受理新的提交`,
            en: `spool and outbox: ${used}: new submissions are put off`,
          },
    ),
  );
}

function printLane(context: CliContext, of: LaneBacklog): void {
  const { lane, bundles, bytes, kept, unsealed, expiring, bytesPerSecond, drainSeconds } = of;
  const rate = `${((bytesPerSecond * 8) / 1e6).toFixed(1)} Mb/s`;
  const time = drainSeconds === undefined ? undefined : duration(drainSeconds);
  const lines = [
    {
      zh: `${lane}：待发 ${bundles} 包 ${size(bytes)}，${time === undefined ? "目前没有发出，无法估计排空时间（可用 --mbps 指定速率）" : `按 ${rate} 约 ${time.zh} 排空`}`,
      en: `${lane}: ${bundles} bundles, ${size(bytes)} to send, ${time === undefined ? "nothing leaves: no drain time (give a rate with --mbps)" : `drained in about ${time.en} at ${rate}`}`,
    },
    {
      zh: `  未封装 ${unsealed.exchanges} 件 ${size(unsealed.bytes)}，留存备补 ${kept.bundles} 包 ${size(kept.bytes)}`,
      en: `  not sealed yet: ${unsealed.exchanges} exchanges, ${size(unsealed.bytes)}; kept for repair: ${kept.bundles} bundles, ${size(kept.bytes)}`,
    },
  ];
  if (expiring.bundles > 0) {
    lines.push({
      zh: `  发出前将过期 ${expiring.bundles} 包 ${size(expiring.bytes)}：届时重新裁决并封装；不再需要的可用 lightferry exchange cancel 取消`,
      en: `  expire before they leave: ${expiring.bundles} bundles, ${size(expiring.bytes)}: decided and sealed anew then; lightferry exchange cancel ends what nobody needs any more`,
    });
  }
  for (const line of lines) context.out(context.say(line));
}

function size(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}

/** To the larger two units: an estimate is no better. */
function duration(seconds: number): { readonly zh: string; readonly en: string } {
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor((seconds % 86_400) / 3_600);
  const minutes = Math.floor((seconds % 3_600) / 60);
  if (days > 0) return { zh: `${days} 天 ${hours} 小时`, en: `${days} d ${hours} h` };
  if (hours > 0) return { zh: `${hours} 小时 ${minutes} 分`, en: `${hours} h ${minutes} min` };
  if (minutes > 0)
    return { zh: `${minutes} 分 ${seconds % 60} 秒`, en: `${minutes} min ${seconds % 60} s` };
  return { zh: `${seconds} 秒`, en: `${seconds} s` };
}

/** Shown under the noun `ferry`, which the ferry owns: `deploy/cli/lightferry.ts`. */
export const verbs: readonly CliVerb[] = [backlog];
