/** Guarantee: `lightferry receipts …` brings receipts back where no lane does, and says how they stand. */
import { existsSync } from "node:fs";
import { type CliContext, type CliNoun, type CliVerb, EXIT } from "@lightferry/proto/cli";
import { GatewayError } from "@lightferry/proto/errors";
import { loadProvider } from "@lightferry/proto/sm";
import type { ImportReport } from "../src/receipts/report.ts";
import type { ReceiptStatus } from "../src/receipts/status.ts";
import { clock, withAdmin } from "./admin-call.ts";
import { stateWords } from "./exchange-view.ts";
import { readReceipts, writeCodes, writeNew } from "./receipts-files.ts";

/** Four sets are twenty minutes of scanning: more belongs on a medium. */
const QR_LISTS = 4;
const MAX_NUMBER = { min: 1, max: Number.MAX_SAFE_INTEGER };

const LANE = {
  type: "string",
  value: "LANE",
  summary: { zh: "只要某一通道的", en: "of this lane only" },
} as const;

const exportVerb: CliVerb = {
  name: "export",
  summary: {
    zh: "接收侧：把已签名的回执写成文件或二维码，带回发送侧",
    en: "receiving side: write signed receipts to a file or QR codes, for the sending side",
  },
  usage: "--to FILE | --qr DIR [--lane L] [--number N] [--again]",
  args: [],
  options: {
    to: { type: "string", value: "FILE", summary: { zh: "新文件", en: "a new file" } },
    qr: {
      type: "string",
      value: "DIR",
      summary: {
        zh: `二维码（SVG）与其文本写入此目录，每次至多 ${QR_LISTS} 份`,
        en: `QR codes (SVG) and their texts into this folder, ${QR_LISTS} lists at most`,
      },
    },
    lane: LANE,
    number: {
      type: "string",
      value: "N",
      summary: {
        zh: "只要该编号（与 --lane、--again 同用）",
        en: "only this number (with --lane, --again)",
      },
    },
    again: {
      type: "boolean",
      summary: { zh: "已导出过的也再导出", en: "also what was exported before" },
    },
  },
  examples: [
    {
      command: "receipts export --zone business --to /media/usb/receipts.lfr",
      summary: { zh: "写到介质上", en: "onto a medium" },
    },
    {
      command: "receipts export --zone business --qr codes",
      summary: { zh: "生成二维码，供对侧扫描", en: "as QR codes, to be scanned over there" },
    },
  ],
  async run(context, input) {
    const to = input.text("to");
    const qr = input.text("qr");
    if ((to === undefined) === (qr === undefined)) {
      throw new GatewayError("cli.usage", { detail: "--to FILE | --qr DIR" });
    }
    // Before anything is asked: a file is never written over.
    if (to !== undefined && existsSync(to)) {
      throw new GatewayError("cli.usage", { detail: `${to} exists` });
    }
    const lane = input.text("lane") ?? "";
    const number = input.integer("number", MAX_NUMBER) ?? 0;
    const again = input.flag("again");
    const maxLists = qr === undefined ? 0 : QR_LISTS;
    return await withAdmin(context, async (admin) => {
      const answer = await admin.exportReceipts({ lane, maxLists, again, number });
      const { file, receipts, left } = answer;
      const lists = answer.lists.map((list) => ({
        lane: list.lane ?? "",
        number: list.number ?? 0,
      }));
      if (lists.length === 0) {
        context.emitJson({ lists, receipts: 0, left: 0, files: [] });
        context.out(context.say({ zh: "没有待导出的回执", en: "nothing to export" }));
        return EXIT.done;
      }
      const files = to === undefined ? writeCodes(qr ?? "", file, lists) : [to];
      if (to !== undefined) writeNew(to, file);
      // Only now: a command that was killed before exports them once more.
      const digest = loadProvider().sm3(file);
      await admin.confirmReceipts({ lists, digest });
      const hex = Buffer.from(digest).toString("hex");
      context.emitJson({ lists, receipts, left, files, digest: hex });
      context.out(
        context.say({
          zh: `${lists.length} 份共 ${receipts} 条回执写入 ${to ?? qr}，SM3 ${hex}`,
          en: `${receipts} receipts in ${lists.length} lists written to ${to ?? qr}, SM3 ${hex}`,
        }),
      );
      if (left > 0) {
        context.out(
          context.say({
            zh: `还有 ${left} 份：再次运行本命令`,
            en: `${left} lists are left: run it once more`,
          }),
        );
      }
      return EXIT.done;
    });
  },
};

const importVerb: CliVerb = {
  name: "import",
  summary: {
    zh: "发送侧：核验回执并与交换对应；全部核验后才采用",
    en: "sending side: verify receipts and match them with their exchanges; all or nothing",
  },
  usage: "<file> [--check-only] [--skip-unknown]",
  args: [
    {
      name: "file",
      summary: {
        zh: "回执文件，或扫描得到的文本（每行一段）",
        en: "a file of receipts, or scanned texts, one a line",
      },
    },
  ],
  options: {
    "check-only": { type: "boolean", summary: { zh: "只核验，不采用", en: "verify only" } },
    "skip-unknown": {
      type: "boolean",
      summary: {
        zh: "跳过本侧不知道的交换，采用其余",
        en: "pass over exchanges that this side does not know",
      },
    },
  },
  examples: [
    {
      command: "receipts import /media/usb/receipts.lfr --zone extranet",
      summary: { zh: "从介质导入", en: "from a medium" },
    },
  ],
  async run(context, input) {
    const wish = {
      skipUnknown: input.flag("skip-unknown"),
      checkOnly: input.flag("check-only"),
    };
    const files = readReceipts(input.positionals[0] ?? "");
    const reports = await withAdmin(context, async (admin) => {
      const found: ImportReport[] = [];
      for (const file of files) {
        const { json } = await admin.importReceipts({ file, ...wish });
        found.push(JSON.parse(json) as ImportReport);
      }
      return found;
    });
    context.emitJson({ files: reports });
    for (const report of reports) showImport(context, report);
    return EXIT.done;
  },
};

function showImport(context: CliContext, report: ImportReport): void {
  const { taken, lists, repeated, exchanges, older, unknownCount, unknown } = report;
  const states = Object.entries(report.states)
    .map(([state, count]) => `${stateWords(context, state)} ${count}`)
    .join(", ");
  context.out(
    context.say({
      zh: `${taken ? "已采用" : "仅核验"}：新清单 ${lists} 份（此前已收 ${repeated} 份），交换 ${exchanges} 笔，较旧 ${older} 条`,
      en: `${taken ? "taken" : "verified only"}: ${lists} new lists (${repeated} taken before), ${exchanges} exchanges, ${older} older receipts`,
    }),
  );
  if (states !== "") context.out(`  ${states}`);
  if (unknownCount > 0) {
    context.out(
      context.say({
        zh: `  本侧不知道的交换 ${unknownCount} 笔：${unknown.join(" ")}`,
        en: `  ${unknownCount} exchanges unknown here: ${unknown.join(" ")}`,
      }),
    );
  }
}

const status: CliVerb = {
  name: "status",
  summary: {
    zh: "回执现状：发出而无回执的、最早一笔、待签名与待导出的",
    en: "how receipts stand: what has none and since when, what waits to be signed or exported",
  },
  usage: "",
  args: [],
  examples: [
    {
      command: "receipts status --zone extranet",
      summary: { zh: "外网侧", en: "the extranet side" },
    },
  ],
  async run(context) {
    const { json } = await withAdmin(context, (admin) => admin.getReceiptStatus({}));
    const found = JSON.parse(json) as ReceiptStatus;
    context.emitJson(found);
    showStatus(context, found);
    return EXIT.done;
  },
};

const many = (count: number, more: boolean) => (more ? `> ${count}` : `${count}`);

function showStatus(context: CliContext, { sent, owed }: ReceiptStatus): void {
  if (sent.length > 0) {
    context.out(context.say({ zh: "本网发出：", en: "sent from here:" }));
    context.table(sent, [
      { title: { zh: "通道", en: "LANE" }, value: "lane" },
      {
        title: { zh: "无回执", en: "WITHOUT" },
        value: (row) => many(row.unreceipted, row.moreUnreceipted),
        align: "right",
      },
      {
        title: { zh: "最早发出", en: "SINCE" },
        value: ({ oldestUnreceiptedMs }) => clock(oldestUnreceiptedMs ?? 0),
      },
      ...["delivered", "quarantined", "failed", "in-doubt", "returned"].map((state) => ({
        title: {
          zh: context.say({ zh: stateWords(context, state), en: state }),
          en: state.toUpperCase(),
        },
        value: (row: ReceiptStatus["sent"][number]) => row.states[state] ?? 0,
        align: "right" as const,
      })),
      { title: { zh: "缺清单", en: "LISTS MISSING" }, value: "missingLists", align: "right" },
      {
        title: { zh: "最近收到", en: "LAST" },
        value: ({ lastTakenMs }) => clock(lastTakenMs ?? 0),
      },
    ]);
  }
  if (owed.length > 0) {
    context.out(context.say({ zh: "本网收到，应回执：", en: "received here, owed:" }));
    context.table(owed, [
      { title: { zh: "通道", en: "LANE" }, value: "lane" },
      {
        title: { zh: "待列入", en: "DUE" },
        value: (row) => many(row.due, row.moreDue),
        align: "right",
      },
      { title: { zh: "最早", en: "SINCE" }, value: ({ oldestDueMs }) => clock(oldestDueMs ?? 0) },
      { title: { zh: "待签名", en: "UNSIGNED" }, value: "unsignedLists", align: "right" },
      { title: { zh: "待导出", en: "TO EXPORT" }, value: "listsToExport", align: "right" },
      {
        title: { zh: "返回方式", en: "RETURNS BY" },
        value: ({ returnsBy }) =>
          returnsBy ?? context.say({ zh: "文件或二维码", en: "file or QR codes" }),
      },
    ]);
  }
}

export const noun: CliNoun = {
  name: "receipts",
  summary: {
    zh: "回执：导出、导入与现状",
    en: "receipts: export, import, how they stand",
  },
  verbs: [exportVerb, importVerb, status],
};
