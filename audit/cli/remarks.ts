/**
 * Guarantee: what an event says beside type and outcome is told in the
 * reader's words, the reason of a refusal first and never cut. A name that this
 * program does not know is shown as it stands in the log.
 */
import type { CliContext, Words } from "@lightferry/proto/cli";
import { errorRow, isErrorCode } from "@lightferry/proto/errors";
import { labelOf } from "./labels.ts";
import type { EventView } from "./view.ts";
import { localTime } from "./words.ts";

/** Table cells: a reason, its rules and a few figures; never reached by what the services write today. */
export const REMARKS_WIDTH = 240;
/** Enough of a digest to compare by eye; `--json` has all of it. */
const DIGEST_SHOWN = 16;

/** Values with a word of their own, by attribute. */
const VALUES: Readonly<Record<string, Readonly<Record<string, Words>>>> = {
  detail: { timeout: { zh: "目标系统超时未答", en: "timeout" } },
  from: {
    held: { zh: "待审查", en: "held" },
    failed: { zh: "失败", en: "failed" },
    "in-doubt": { zh: "结果存疑", en: "in doubt" },
  },
  exact: { yes: { zh: "是", en: "yes" }, no: { zh: "否", en: "no" } },
  operation: {
    sign: { zh: "签名", en: "sign" },
    decrypt: { zh: "解密", en: "decrypt" },
  },
  demo: { true: { zh: "是", en: "yes" }, false: { zh: "否", en: "no" } },
  state: {
    delivered: { zh: "已送达", en: "delivered" },
    failed: { zh: "失败", en: "failed" },
    "in-doubt": { zh: "结果存疑", en: "in doubt" },
    quarantined: { zh: "已隔离", en: "quarantined" },
    returned: { zh: "已退回", en: "returned" },
  },
  direction: { export: { zh: "外发", en: "export" }, import: { zh: "导入", en: "import" } },
  method: { list: { zh: "列表", en: "list" }, trail: { zh: "轨迹", en: "trail" } },
  mode: { demo: { zh: "演示", en: "demo" }, production: { zh: "生产", en: "production" } },
  verdict: {
    first: { zh: "首次见证", en: "first" },
    linked: { zh: "前后衔接", en: "linked" },
    unlinked: { zh: "尚缺衔接", en: "unlinked" },
    inconsistent: { zh: "前后不一致", en: "inconsistent" },
  },
};

const DETECTORS: Readonly<Record<string, Words>> = {
  "resident-id": { zh: "身份证号", en: "resident ids" },
  "resident-id-15": { zh: "15 位身份证号", en: "15-digit resident ids" },
  "mobile-number": { zh: "手机号", en: "mobile numbers" },
};

/** Reason, rules, origin and figures of an event on one line. */
export function remarks(context: Pick<CliContext, "say">, view: EventView): string {
  const { say } = context;
  const figures = Object.entries(view.attributes)
    // Nothing to say, or said already.
    .filter(([name, value]) => value !== "" && !(name === "rule" && view.rules.includes(value)))
    .map(([name, value]) => figure(say, view.type, name, value));
  const parts = [...reason(say, view.code), ...rules(say, view.rules), ...origin(say, view)];
  return [...parts, ...figures].join(say({ zh: "；", en: "; " }));
}

type Say = CliContext["say"];

function reason(say: Say, code: string): string[] {
  if (code === "") return [];
  if (!isErrorCode(code)) return [code];
  const { zh, en } = errorRow(code);
  return [say({ zh: `${zh}（${code}）`, en: `${en} (${code})` })];
}

function rules(say: Say, ids: readonly string[]): string[] {
  const grants = ids.filter((id) => id.startsWith("grant:")).map((id) => id.slice(6));
  const others = ids.filter((id) => !id.startsWith("grant:"));
  const comma = say({ zh: "、", en: ", " });
  return [
    ...(others.length === 0 ? [] : [`${say({ zh: "规则", en: "rules" })} ${others.join(comma)}`]),
    ...(grants.length === 0 ? [] : [`${say({ zh: "授权", en: "grant" })} ${grants.join(comma)}`]),
  ];
}

/** Where a refused caller spoke from: what an officer asks first. */
function origin(say: Say, { outcome, clientAddress }: EventView): string[] {
  if (outcome === "ok" || clientAddress === "") return [];
  const place =
    clientAddress === "folder" ? say({ zh: "监视文件夹", en: "a watched folder" }) : clientAddress;
  return [`${say({ zh: "来自", en: "from" })} ${place}`];
}

/** Ordinals, which Chinese writes around the number. */
const ORDINALS: Readonly<Record<string, (count: string) => Words>> = {
  attempt: (count) => ({ zh: `第 ${count} 次投递`, en: `attempt ${count}` }),
  pass: (count) => ({ zh: `第 ${count} 遍`, en: `pass ${count}` }),
};

function figure(say: Say, type: string, name: string, value: string): string {
  const ordinal = ORDINALS[name];
  if (ordinal !== undefined) return say(ordinal(value));
  const words = labelOf(type, name);
  return `${words === undefined ? name : say(words)} ${valueWords(say, name, value)}`;
}

/** Milliseconds since 1970, from 2001 on; what is shorter lasts so long. */
const MOMENT = /^\d{13}$/;

function valueWords(say: Say, name: string, value: string): string {
  const words = VALUES[name]?.[value];
  if (words !== undefined) return say(words);
  if (name === "obligations") return obligations(say, value);
  if (name.endsWith("-ms") && MOMENT.test(value)) return localTime(Number(value));
  if (/^[0-9a-f]{40,}$/.test(value)) return `${value.slice(0, DIGEST_SHOWN)}…`;
  return value;
}

/** `mask:resident-id:200 …` as policy writes it. */
function obligations(say: Say, text: string): string {
  return text
    .split(" ")
    .map((obligation) => {
      const [, detector = "", count = ""] = /^mask:([a-z0-9-]+):(\d+)$/.exec(obligation) ?? [];
      if (count === "") return obligation;
      const name = Object.hasOwn(DETECTORS, detector)
        ? say(DETECTORS[detector] as Words)
        : detector;
      return say({ zh: `${name} ${count} 处`, en: `${count} ${name}` });
    })
    .join(say({ zh: "、", en: ", " }));
}
