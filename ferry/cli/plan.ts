/** Guarantee: `lightferry ferry plan` reckons what a link can carry from what is typed alone; it reads no state and changes none. */
import { type CliInput, type CliVerb, EXIT } from "@lightferry/proto/cli";
import { GatewayError } from "@lightferry/proto/errors";
import { MAX_DATA_SHARDS, MAX_PARITY_SHARDS } from "../src/erasure/index.ts";
import { MAX_FRAME_SIZE, MAX_SHARDS, MIN_FRAME_SIZE } from "../src/frame.ts";
import { DEFAULT_CODE } from "../src/object.ts";
import { type PlanInput, planOf } from "../src/plan.ts";
import { showPlan } from "./plan-report.ts";

const GIB = 2 ** 30;
const KIB = 2 ** 10;
const HOUR = 3_600;
const DAY = 24 * HOUR;
/** IPv4 and UDP, and room for the tag of a tunnel (frame.ts). */
const MTU_OVERHEAD = 28 + 16;

/** What is reckoned with when nothing is said: a link of 1 Gb/s as this program comes, and the outage it must stand. */
const DEFAULTS = {
  mbps: 1_000,
  mtu: 1_500,
  passes: 2,
  reserve: 10,
  bundle: 1_024,
  daily: 1_000,
  outage: 48,
  horizon: 7,
  loss: 0.1,
} as const;

/** The largest that means anything: 400 Gb/s, 100 PiB a day, a year; more is a mistake of units. */
const LIMITS = {
  mbps: [1, 400_000],
  mtu: [MIN_FRAME_SIZE + MTU_OVERHEAD, 65_535],
  groupShards: [1, MAX_DATA_SHARDS],
  parityShards: [0, MAX_PARITY_SHARDS],
  passes: [1, 3],
  reserve: [0, 90],
  bundle: [1, 512 * 1024 * 1024],
  daily: [0, 100 * 1024 * 1024],
  outage: [0, 8_760],
  horizon: [0, 365],
  loss: [0, 50],
} as const;

function inputOf(input: CliInput): PlanInput {
  const mtu = number(input, "mtu", LIMITS.mtu) ?? DEFAULTS.mtu;
  const code = {
    groupShards: number(input, "group-shards", LIMITS.groupShards) ?? DEFAULT_CODE.groupShards,
    parityShards: number(input, "parity-shards", LIMITS.parityShards) ?? DEFAULT_CODE.parityShards,
  };
  if (code.groupShards + code.parityShards > MAX_SHARDS) {
    throw new GatewayError("cli.usage", {
      detail: `--group-shards + --parity-shards ≤ ${MAX_SHARDS}`,
    });
  }
  return {
    lineBits: (number(input, "mbps", LIMITS.mbps) ?? DEFAULTS.mbps) * 1e6,
    frameSize: Math.min(mtu - MTU_OVERHEAD, MAX_FRAME_SIZE),
    code,
    passes: number(input, "passes", LIMITS.passes) ?? DEFAULTS.passes,
    reserve: (number(input, "reserve", LIMITS.reserve) ?? DEFAULTS.reserve) / 100,
    bundleBytes: (number(input, "bundle-kib", LIMITS.bundle) ?? DEFAULTS.bundle) * KIB,
    dailyBytes: (number(input, "daily-gib", LIMITS.daily) ?? DEFAULTS.daily) * GIB,
    outageSeconds: (number(input, "outage-hours", LIMITS.outage) ?? DEFAULTS.outage) * HOUR,
    horizonSeconds: (number(input, "horizon-days", LIMITS.horizon) ?? DEFAULTS.horizon) * DAY,
    loss: (decimal(input, "loss", LIMITS.loss) ?? DEFAULTS.loss) / 100,
  };
}

function number(
  input: CliInput,
  option: string,
  [min, max]: readonly [number, number],
): number | undefined {
  return input.integer(option, { min, max });
}

function decimal(
  input: CliInput,
  option: string,
  [min, max]: readonly [number, number],
): number | undefined {
  const typed = input.text(option);
  if (typed === undefined) return undefined;
  const value = Number(typed);
  if (!/^\d+(\.\d+)?$/.test(typed) || value < min || value > max) {
    throw new GatewayError("cli.usage", { detail: `--${option}: ${min}…${max}` });
  }
  return value;
}

/** 3 when the daily volume or an outage is more than the link can carry, so that a script may ask. */
export const plan: CliVerb = {
  name: "plan",
  summary: {
    zh: "容量计算：链路按其编码、遍次与余量能传多少",
    en: "capacity: what a link can carry with its coding, passes and reserve",
  },
  usage: "[--mbps N] [--mtu N] [--daily-gib N] [--outage-hours N] …",
  args: [],
  options: {
    mbps: option("N", "线路速率，兆比特/秒", "rate of the line in Mb/s", DEFAULTS.mbps),
    mtu: option("N", "MTU，字节", "MTU in bytes", DEFAULTS.mtu),
    "group-shards": option(
      "K",
      "满组数据分片",
      "data shards of a full group",
      DEFAULT_CODE.groupShards,
    ),
    "parity-shards": option(
      "M",
      "满组校验分片",
      "parity shards of a full group",
      DEFAULT_CODE.parityShards,
    ),
    passes: option("N", "遍次", "passes of every bundle", DEFAULTS.passes),
    reserve: option(
      "P",
      "线路余量，百分比",
      "part of the line that stays free, percent",
      DEFAULTS.reserve,
    ),
    "bundle-kib": option(
      "N",
      "典型数据包大小，KiB",
      "size of an ordinary bundle in KiB",
      DEFAULTS.bundle,
    ),
    "daily-gib": option("N", "每日数据量，GiB", "volume of a day in GiB", DEFAULTS.daily),
    "outage-hours": option("N", "须承受的中断，小时", "outage to stand, hours", DEFAULTS.outage),
    "horizon-days": option("N", "留存备补，天", "kept for repair, days", DEFAULTS.horizon),
    loss: option("P", "随机丢帧率，百分比", "frames lost at random, percent", DEFAULTS.loss),
  },
  examples: [
    {
      command: "ferry plan --mbps 1000 --daily-gib 2000 --outage-hours 48",
      summary: {
        zh: "千兆链路能否每日传 2 TiB 并承受两日中断",
        en: "1 Gb/s: 2,000 GiB a day and two days of outage",
      },
    },
    {
      command: "ferry plan --mbps 10000 --mtu 9000 --parity-shards 24 --loss 1 --json",
      summary: { zh: "万兆、巨帧、较差线路", en: "10 Gb/s, jumbo frames, a bad line" },
    },
  ],
  async run(context, input) {
    const asked = inputOf(input);
    const planned = planOf(asked);
    context.emitJson({ input: asked, ...planned });
    showPlan(context, asked, planned);
    const { drainSeconds, settledSeconds } = planned.outage;
    const enough = planned.load <= 1 && drainSeconds !== undefined && settledSeconds !== undefined;
    return enough ? EXIT.done : EXIT.refused;
  },
};

function option(value: string, zh: string, en: string, preset: number) {
  return {
    type: "string",
    value,
    summary: { zh: `${zh}（缺省 ${preset}）`, en: `${en} (${preset})` },
  } as const;
}
