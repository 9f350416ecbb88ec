/** Guarantee: `lightferry audit list` shows the newest events first, as many as asked for, page by page. */
import { type CliContext, type CliInput, type CliVerb, EXIT } from "@lightferry/proto/cli";
import { GatewayError } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import { parseId } from "@lightferry/proto/ids";
import { REMARKS_WIDTH, remarks } from "./remarks.ts";
import { type EventView, viewLogged, withAudit } from "./view.ts";
import {
  localTime,
  OUTCOME_NAMES,
  outcomeWords,
  programWords,
  timeTitle,
  typePrefix,
  typeWords,
} from "./words.ts";

const DEFAULT_ROWS = 50;
/** More belongs into an export, not onto a terminal. */
const MAX_ROWS = 100_000;
const PAGE_ROWS = 500;

const UNITS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

export const list: CliVerb = {
  name: "list",
  summary: { zh: "按条件列出审计事件，新的在前", en: "list audit events, newest first" },
  usage: "[--type PREFIX] [--outcome OUTCOME] [--exchange ID] [--since TIME] [--limit N]",
  args: [],
  options: {
    type: {
      type: "string",
      value: "PREFIX",
      summary: {
        zh: "事件（如 已送达）、类型或其前缀（如 exchange.、token.），全部类型见 audit/EVENTS.md",
        en: "event, type or its beginning (exchange., token.); audit/EVENTS.md has all of them",
      },
    },
    outcome: {
      type: "string",
      value: "ok|refused|held|error",
      summary: { zh: "结果：成功、拒绝、待审查、错误", en: "outcome" },
    },
    code: { type: "string", value: "CODE", summary: { zh: "错误码", en: "error code" } },
    exchange: { type: "string", value: "ID", summary: { zh: "交换编号", en: "exchange id" } },
    actor: { type: "string", value: "NAME", summary: { zh: "主体", en: "who acted" } },
    lane: { type: "string", value: "NAME", summary: { zh: "通道", en: "lane" } },
    since: {
      type: "string",
      value: "TIME",
      summary: {
        zh: "自何时起入日志：30m、24h、7d 或 2026-05-01T08:00",
        en: "logged since: 30m, 24h, 7d or 2026-05-01T08:00",
      },
    },
    until: {
      type: "string",
      value: "TIME",
      summary: { zh: "到何时为止（不含）", en: "logged before" },
    },
    limit: {
      type: "string",
      value: "N",
      summary: {
        zh: `最多行数，默认 ${DEFAULT_ROWS}`,
        en: `rows at most, ${DEFAULT_ROWS} by default`,
      },
    },
  },
  examples: [
    {
      command: "audit list --zone extranet --outcome refused --since 24h",
      summary: { zh: "一天内外网侧被拒绝的", en: "what the extranet side refused within a day" },
    },
    {
      command: "audit list --zone business --type exchange.delivered --limit 20",
      summary: { zh: "最近送达的 20 次交换", en: "the last 20 exchanges that were delivered" },
    },
    {
      command: "audit list --zone business --type gate.",
      summary: { zh: "光闸的异常与恢复", en: "what went wrong at the gate" },
    },
  ],
  run: async (context, input) => {
    const events = await withAudit(context.zoneConfig(), (client) =>
      readPages(input, async (request) =>
        ((await client.listEvents(request)).events ?? []).map(viewLogged),
      ),
    );
    context.emitJson({ events });
    context.table(events, columns(context));
    return EXIT.done;
  },
};

type Request = lightferry.audit.v1.ListEventsRequest.$Properties;

async function readPages(
  input: CliInput,
  page: (request: Request) => Promise<EventView[]>,
): Promise<EventView[]> {
  const wanted = input.integer("limit", { min: 1, max: MAX_ROWS }) ?? DEFAULT_ROWS;
  const exchange = input.text("exchange");
  const now = Date.now();
  const filter: Request = {
    type: typePrefix(input.text("type") ?? ""),
    outcome: outcomeOf(input),
    code: input.text("code") ?? "",
    actor: input.text("actor") ?? "",
    lane: input.text("lane") ?? "",
    exchangeId: exchange === undefined ? new Uint8Array() : parseId(exchange),
    fromMs: timeOf(input, "since", now),
    toMs: timeOf(input, "until", now),
  };
  const events: EventView[] = [];
  for (let beforeIndex = 0; events.length < wanted; ) {
    const limit = Math.min(PAGE_ROWS, wanted - events.length);
    const rows = await page({ ...filter, limit, beforeIndex });
    events.push(...rows);
    // Index 0 is the first event of all: nothing can be older.
    beforeIndex = rows.at(-1)?.index ?? 0;
    if (beforeIndex === 0) break;
  }
  return events;
}

/** @throws GatewayError `cli.usage`: an outcome that no event has would look like an empty log. */
function outcomeOf(input: CliInput): string {
  const outcome = input.text("outcome") ?? "";
  if (outcome !== "" && !OUTCOME_NAMES.includes(outcome)) {
    throw new GatewayError("cli.usage", { detail: `--outcome ${OUTCOME_NAMES.join(" | ")}` });
  }
  return outcome;
}

/** Milliseconds; 0 when the option is absent. */
function timeOf(input: CliInput, option: string, now: number): number {
  const text = input.text(option);
  if (text === undefined) return 0;
  const [, count, unit = ""] = /^([0-9]{1,6})([smhd])$/.exec(text) ?? [];
  const ms = count === undefined ? Date.parse(text) : now - Number(count) * (UNITS[unit] ?? 0);
  if (!Number.isSafeInteger(ms) || ms < 1) {
    throw new GatewayError("cli.usage", { detail: `--${option} ${text}` });
  }
  return ms;
}

function columns(context: CliContext) {
  return [
    { title: { zh: "序号", en: "index" }, value: "index", align: "right" },
    { title: timeTitle(), value: (view: EventView) => localTime(view.loggedMs ?? 0) },
    {
      title: { zh: "来源", en: "from" },
      value: (view: EventView) => context.say(programWords(view.emitter)),
    },
    {
      title: { zh: "事件", en: "event" },
      value: (view: EventView) => context.say(typeWords(view.type)),
    },
    {
      title: { zh: "结果", en: "outcome" },
      value: (view: EventView) => context.say(outcomeWords(view.outcome)),
    },
    { title: { zh: "服务", en: "service" }, value: "service", max: 24 },
    {
      title: { zh: "主体", en: "actor" },
      value: (view: EventView) => context.say(programWords(view.actor)),
      max: 24,
    },
    { title: { zh: "交换编号", en: "exchange" }, value: "exchange" },
    {
      title: { zh: "说明", en: "remarks" },
      value: (view: EventView) => remarks(context, view),
      max: REMARKS_WIDTH,
    },
  ] as const;
}
