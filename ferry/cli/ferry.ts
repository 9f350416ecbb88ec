/** Guarantee: `lightferry ferry status | gaps | plan` show what the two programs say of the gate and change nothing; what asks for repair is in ticket.ts, repair.ts and inventory.ts. */
import {
  type CliContext,
  type CliInput,
  type CliNoun,
  EXIT,
  type ExitCode,
} from "@lightferry/proto/cli";
import { inventoryVerb } from "./inventory.ts";
import { plan } from "./plan.ts";
import { profileVerb } from "./profile.ts";
import { repairVerb } from "./repair.ts";
import { showLive } from "./screen.ts";
import { readStatuses, type Seen } from "./status-files.ts";
import { cut } from "./status-parts.ts";
import { GAP_STATES, type Line, statusView, type ViewSize } from "./status-view.ts";
import { ticketVerb } from "./ticket.ts";

/** The programs write their pictures so often. */
const EVERY_MS = 1_000;
/** Where the output is no terminal. */
const PLAIN_COLUMNS = 120;

const NONE = {
  zh: "没有找到摆渡程序的状态文件：请先运行 npm start",
  en: "no status of a ferry program was found: run npm start first",
} as const;

/** A terminal is drawn each second until Ctrl-C; else one picture. Exit code 0 when every program is up. */
async function status(context: CliContext, input: CliInput): Promise<ExitCode> {
  const { stdout, env } = process;
  const live = stdout.isTTY && env.TERM !== "dumb" && !context.json && !input.flag("once");
  if (!live) return once(context);
  await showLive({
    terminal: stdout,
    signals: process,
    everyMs: EVERY_MS,
    colours: (env.NO_COLOR ?? "") === "",
    draw: (size) => {
      const seen = readStatuses(context.home, context.zone);
      return [
        { tone: "faint", text: heading(context, size.columns) },
        ...view(context, seen, { ...size, rows: size.rows - 1 }),
      ];
    },
  });
  return EXIT.done;
}

function once(context: CliContext): ExitCode {
  const seen = readStatuses(context.home, context.zone);
  context.emitJson(
    seen.map(({ zone, service, running, status: shown }) => ({
      zone,
      service,
      running,
      status: shown,
    })),
  );
  for (const { text } of view(context, seen, { columns: PLAIN_COLUMNS })) context.out(text);
  return seen.length > 0 && seen.every((row) => row.running) ? EXIT.done : EXIT.unavailable;
}

function view(context: CliContext, seen: readonly Seen[], size: ViewSize): readonly Line[] {
  if (seen.length === 0) return [{ tone: "plain", text: cut(context.say(NONE), size.columns) }];
  return statusView(seen, context.locale, size, Date.now());
}

function heading(context: CliContext, columns: number): string {
  const now = new Date().toTimeString().slice(0, 8);
  const text = context.say({
    zh: `光渡 摆渡状态  ${now}  按 Ctrl-C 退出`,
    en: `Lightferry ferry status  ${now}  Ctrl-C to leave`,
  });
  return cut(text, columns);
}

async function gaps(context: CliContext): Promise<ExitCode> {
  const receivers = readStatuses(context.home, context.zone).flatMap(({ zone, picture }) =>
    picture.role === "rx" ? [{ zone, picture }] : [],
  );
  if (receivers.length === 0) {
    context.emitJson([]);
    context.out(context.say(NONE));
    return EXIT.unavailable;
  }
  const rows = receivers.flatMap(({ zone, picture }) =>
    picture.lanes.flatMap(({ gaps: open }) => open.map((gap) => ({ zone, ...gap }))),
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
    { title: { zh: "情况", en: "state" }, value: ({ state }) => context.say(GAP_STATES[state]) },
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
      summary: {
        zh: "显示发送端与接收端的状态；在终端上每秒刷新",
        en: "show how sender and receiver are; on a terminal anew each second",
      },
      usage: "[--once]",
      args: [],
      options: {
        once: {
          type: "boolean",
          summary: { zh: "只显示一次", en: "one picture only" },
        },
      },
      examples: [
        {
          command: "ferry status",
          summary: {
            zh: "本机全部网络，按 Ctrl-C 退出",
            en: "every zone of this machine, until Ctrl-C",
          },
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
    ticketVerb,
    repairVerb,
    inventoryVerb,
    plan,
    profileVerb,
  ],
};
