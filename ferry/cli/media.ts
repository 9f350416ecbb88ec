/** Guarantee: `lightferry media …` carries sealed bundles by a removable medium and says in both languages what became of them. */
import {
  type CliContext,
  type CliInput,
  type CliNoun,
  EXIT,
  type ExitCode,
} from "@lightferry/proto/cli";
import { GatewayError } from "@lightferry/proto/errors";
import { remark } from "../src/media/export.ts";
import { MediumRefused } from "../src/media/inspect.ts";
import { MAX_CUSTODIANS } from "../src/media/layout.ts";
import { isName } from "../src/media/manifest.ts";
import { runExport, runImport } from "../src/media/run.ts";
import { showExport, showFaults, showImport } from "./media-report.ts";

const CONFIG_OPTION = {
  type: "string",
  value: "FILE",
} as const;

async function exportVerb(context: CliContext, input: CliInput): Promise<ExitCode> {
  const wish = {
    configPath: needed(input, "config"),
    lane: needed(input, "lane"),
    dir: needed(input, "to"),
    custodians: custodiansOf(input),
    maxBytes: input.integer("max-bytes", { min: 1, max: Number.MAX_SAFE_INTEGER }),
    anyLane: input.flag("any-lane"),
  };
  const report = await interruptible((signal) => runExport(wish, signal));
  showExport(context, report);
  const wrong = remark(report);
  if (wrong !== undefined) {
    const { row, code, detail } = wrong;
    context.out(`${code} ${detail}\n  ${context.say({ zh: row.zh, en: row.en })}`);
    context.out(`  ${context.say({ zh: row.doZh, en: row.doEn })}`);
    return EXIT.unavailable;
  }
  return report.refused.length > 0 ? EXIT.refused : EXIT.done;
}

async function importVerb(context: CliContext, input: CliInput): Promise<ExitCode> {
  const wish = {
    configPath: needed(input, "config"),
    dir: needed(input, "from"),
    checkOnly: input.flag("check-only"),
    acceptOlder: input.flag("accept-older"),
  };
  try {
    const report = await interruptible((signal) => runImport(wish, signal));
    showImport(context, report);
    return report.putAway.length > 0 ? EXIT.refused : EXIT.done;
  } catch (error) {
    if (!(error instanceof MediumRefused)) throw error;
    showFaults(context, error);
    // One document under --json: the faults stand in it.
    if (context.json) return EXIT.refused;
    throw error;
  }
}

/** Ctrl-C ends between two bundles; the next run goes on. */
async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const end = () => stop.abort(new GatewayError("rpc.cancelled", { detail: "interrupted" }));
  process.once("SIGINT", end);
  process.once("SIGTERM", end);
  try {
    return await work(stop.signal);
  } catch (error) {
    throw stop.signal.aborted ? stop.signal.reason : error;
  } finally {
    process.off("SIGINT", end);
    process.off("SIGTERM", end);
  }
}

function needed(input: CliInput, option: string): string {
  const value = input.text(option);
  if (value === undefined || value === "") {
    throw new GatewayError("cli.usage", { detail: `--${option}` });
  }
  return value;
}

function custodiansOf(input: CliInput): readonly string[] {
  const given = input.values.custodian;
  const names = Array.isArray(given) ? given.map(String) : [];
  if (names.length > MAX_CUSTODIANS || !names.every(isName)) {
    throw new GatewayError("cli.usage", { detail: `--custodian: ≤ ${MAX_CUSTODIANS}` });
  }
  return names;
}

export const noun: CliNoun = {
  name: "media",
  summary: {
    zh: "用移动介质离线导出与导入",
    en: "offline export and import on a removable medium",
  },
  verbs: [
    {
      name: "export",
      summary: {
        zh: "把一条通道待发的数据包写到空介质上",
        en: "write the waiting bundles of a lane to an empty medium",
      },
      usage: "--lane LANE --to DIR --config FILE [--custodian NAME]… [--max-bytes N]",
      options: {
        lane: { type: "string", value: "LANE", summary: { zh: "通道", en: "lane" } },
        to: {
          type: "string",
          value: "DIR",
          summary: { zh: "已挂载的空介质", en: "the mounted, empty medium" },
        },
        config: {
          ...CONFIG_OPTION,
          summary: { zh: "ferry-tx 的配置文件", en: "settings of ferry-tx" },
        },
        custodian: {
          type: "string",
          value: "NAME",
          multiple: true,
          summary: {
            zh: "介质保管员，可多次给出",
            en: "a media custodian; may be given more than once",
          },
        },
        "max-bytes": {
          type: "string",
          value: "N",
          summary: { zh: "数据包总字节上限", en: "bytes of bundles at most" },
        },
        "any-lane": {
          type: "boolean",
          summary: {
            zh: "也导出登记为其他驱动的通道",
            en: "also a lane that is registered for another driver",
          },
        },
      },
      args: [],
      examples: [
        {
          command:
            "media export --lane outbound --to /media/usb --custodian 张三 --config ferry-tx.json",
          summary: { zh: "导出并生成交接单", en: "export, with a hand-over sheet" },
        },
      ],
      run: exportVerb,
    },
    {
      name: "import",
      summary: {
        zh: "验证一张介质的全部内容后收取",
        en: "verify everything on a medium, then take it",
      },
      usage: "--from DIR --config FILE [--check-only] [--accept-older]",
      options: {
        from: {
          type: "string",
          value: "DIR",
          summary: { zh: "已挂载的介质", en: "the mounted medium" },
        },
        config: {
          ...CONFIG_OPTION,
          summary: { zh: "ferry-rx 的配置文件", en: "settings of ferry-rx" },
        },
        "check-only": {
          type: "boolean",
          summary: { zh: "只验证，不收取", en: "verify only, take nothing" },
        },
        "accept-older": {
          type: "boolean",
          summary: { zh: "接受迟到的介质", en: "take a medium that came late" },
        },
      },
      args: [],
      examples: [
        {
          command: "media import --from /media/usb --check-only --config ferry-rx.json",
          summary: { zh: "先核对，与交接单比较", en: "check first, and compare with the sheet" },
        },
        {
          command: "media import --from /media/usb --config ferry-rx.json",
          summary: { zh: "收取", en: "take it" },
        },
      ],
      run: importVerb,
    },
  ],
};
