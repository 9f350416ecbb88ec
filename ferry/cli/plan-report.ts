/** Guarantee: every figure of a plan with its unit, and what it means for the link, in the reader's language. */
import type { CliContext, Words } from "@lightferry/proto/cli";
import type { Plan, PlanInput } from "../src/plan.ts";

const GIB = 2 ** 30;
const HOUR = 3_600;

export function showPlan(context: CliContext, input: PlanInput, plan: Plan): void {
  const { outage, spool, random } = plan;
  const { groupShards, parityShards } = input.code;
  const [bundle, block] = plan.bursts;
  const rows: (readonly [Words, string])[] = [
    [
      { zh: "帧长与编码", en: "frame and code" },
      `${input.frameSize} B, ${groupShards} + ${parityShards}`,
    ],
    [
      { zh: "发送速率（gate.rateBytesPerSecond）", en: "pace (gate.rateBytesPerSecond)" },
      `${plan.rateBytesPerSecond}`,
    ],
    [{ zh: "每遍线路利用率", en: "of the line, each pass" }, percent(plan.efficiency)],
    [
      { zh: "持续净速率（全部遍次）", en: "goodput with all passes" },
      rate(plan.goodBytesPerSecond),
    ],
    [
      { zh: "首遍净速率（排空时）", en: "of first passes (draining)" },
      rate(plan.firstBytesPerSecond),
    ],
    [{ zh: "每日可传", en: "in a day" }, size(plan.dailyBytes)],
    [{ zh: "所需占比", en: "load" }, percent(plan.load)],
    [{ zh: "中断后积压", en: "waiting after the outage" }, size(outage.waitingBytes)],
    [{ zh: "首遍排空", en: "sent once in" }, time(context, outage.drainSeconds)],
    [{ zh: "全部遍次完成", en: "all passes over in" }, time(context, outage.settledSeconds)],
    [{ zh: "发送侧暂存", en: "spool of the sending side" }, size(spool.bytes)],
    [{ zh: "文件系统至少", en: "file system at least" }, size(spool.diskBytes)],
    [{ zh: "单个数据包可承受的突发丢帧", en: "burst that one bundle survives" }, burst(bundle)],
    [{ zh: "整块交织可承受的突发丢帧", en: "burst that a full block survives" }, burst(block)],
    [
      { zh: "随机丢帧时需第二遍的组", en: "groups that need a second pass" },
      chance(random.groupFails),
    ],
    [{ zh: "……数据包", en: "… bundles" }, chance(random.bundleFails)],
    [
      { zh: "全部遍次后仍缺的数据包", en: "bundles lost after all passes" },
      chance(random.bundleLost),
    ],
  ];
  context.table(rows, [
    { title: { zh: "项目", en: "FIGURE" }, value: ([words]) => context.say(words) },
    { title: { zh: "数值", en: "VALUE" }, value: ([, value]) => value, align: "right" },
  ]);
  context.out(context.say(verdict(plan)));
}

function verdict({ load, outage }: Plan): Words {
  if (load > 1) {
    return {
      zh: "结论：每日数据量超过链路能力。请提高线路速率、减少遍次，或增加链路",
      en: "the daily volume is more than the link can carry: a faster line, fewer passes, or more links",
    };
  }
  if (outage.drainSeconds === undefined || outage.settledSeconds === undefined) {
    return {
      zh: "结论：平时够用，但中断后的积压排不空。请提高线路速率",
      en: "enough day by day, but what an outage leaves is never drained: a faster line",
    };
  }
  return { zh: "结论：链路够用", en: "the link is enough" };
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function rate(bytesPerSecond: number): string {
  return `${((bytesPerSecond * 8) / 1e6).toFixed(1)} Mb/s`;
}

function size(bytes: number): string {
  return `${(bytes / GIB).toFixed(1)} GiB`;
}

function burst(of: Plan["bursts"][number] | undefined): string {
  return of === undefined ? "" : `${of.frames} (${of.ms.toFixed(2)} ms)`;
}

function chance(share: number): string {
  return share === 0 ? "0" : share.toExponential(1);
}

function time(context: CliContext, seconds: number | undefined): string {
  if (seconds === undefined) return context.say({ zh: "永不", en: "never" });
  const hours = seconds / HOUR;
  return context.say({ zh: `${hours.toFixed(1)} 小时`, en: `${hours.toFixed(1)} h` });
}
