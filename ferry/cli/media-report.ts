/** Guarantee: the reports of both commands on a medium say counts, sizes, what was refused and why, and the next step. */
import type { CliContext } from "@lightferry/proto/cli";
import type { ExportReport } from "../src/media/export.ts";
import type { ImportReport } from "../src/media/import.ts";
import type { MediumRefused } from "../src/media/inspect.ts";

/** Lines of one list; the rest is counted. `--json` has all. */
const LISTED = 20;

export function showExport(context: CliContext, report: ExportReport): void {
  context.emitJson(report);
  const { medium, refused, left } = report;
  if (medium === undefined) {
    context.out(
      context.say({
        zh: "没有写出任何数据包，介质未使用",
        en: "nothing was written; the medium is unused",
      }),
    );
  } else {
    facts(context, [
      [{ zh: "介质编号", en: "medium id" }, medium.id],
      [{ zh: "介质序号", en: "number" }, String(medium.number)],
      [{ zh: "清单摘要", en: "manifest digest" }, medium.manifestDigest],
      [{ zh: "数据包", en: "bundles" }, String(medium.bundles)],
      [{ zh: "字节", en: "bytes" }, String(medium.bytes)],
    ]);
  }
  list(
    context,
    { zh: "已拒绝", en: "refused" },
    refused.map(({ bundle, code }) => `${bundle} ${code}`),
  );
  list(
    context,
    { zh: "空间不足，留待下一张介质", en: "no room, left for another medium" },
    left.map(({ bundle, size }) => `${bundle} ${size}`),
  );
  if (medium === undefined) return;
  context.out(
    context.say({
      zh: "下一步：打印介质上的《交接单.html》，核对编号与摘要，签字后交接",
      en: "next: print 交接单.html from the medium, compare id and digest, sign and hand over",
    }),
  );
}

export function showImport(context: CliContext, report: ImportReport): void {
  context.emitJson(report);
  const { medium, fates, gap, litter, checkOnly, putAway } = report;
  facts(context, [
    [{ zh: "介质编号", en: "medium id" }, medium.id],
    [{ zh: "清单摘要", en: "manifest digest" }, medium.manifestDigest],
    [{ zh: "通道与发送方", en: "lane, sender" }, `${medium.lane}, ${medium.sender}`],
    [{ zh: "介质序号", en: "number" }, String(medium.number)],
    [{ zh: "制作时间", en: "made at" }, new Date(medium.createdMs).toISOString()],
    [{ zh: "介质保管员", en: "custodians" }, medium.custodians.join("、")],
    [{ zh: "数据包", en: "bundles" }, String(medium.bundles)],
    [{ zh: "字节", en: "bytes" }, String(medium.bytes)],
  ]);
  if (!checkOnly) {
    context.out(
      context.say({
        zh: `已交付 ${fates.accepted}，重复 ${fates.duplicate}，隔离 ${fates.quarantined}，拒绝 ${fates.refused}`,
        en: `${fates.accepted} delivered, ${fates.duplicate} duplicates, ${fates.quarantined} quarantined, ${fates.refused} refused`,
      }),
    );
  }
  list(
    context,
    { zh: "未通过验证", en: "did not verify" },
    putAway.map(({ bundle, code }) => `${bundle} ${code}`),
  );
  list(context, { zh: "已忽略的系统文件", en: "system files, ignored" }, litter);
  if (report.fromQuarantine > 0) {
    context.out(
      context.say({
        zh: `隔离区中 ${report.fromQuarantine} 包现已通过验证并交付`,
        en: `${report.fromQuarantine} bundles of the quarantine verify now and were handed over`,
      }),
    );
  }
  if (gap !== undefined) {
    context.out(
      context.say({
        zh: `缺少序号为 ${gap} 的介质：请向发送方查询`,
        en: `media with the numbers ${gap} are missing: ask the sender`,
      }),
    );
  }
  context.out(context.say(nextStep(report)));
}

export function showFaults(context: CliContext, { code, detail, faults }: MediumRefused): void {
  context.emitJson({ error: { code, detail, faults } });
  list(
    context,
    { zh: "与清单不符", en: "not as the manifest says" },
    faults.map(({ file, fault }) => `${file} ${fault}`),
  );
}

function nextStep({ checkOnly, putAway }: ImportReport): {
  readonly zh: string;
  readonly en: string;
} {
  if (checkOnly) {
    return {
      zh: "下一步：与交接单核对编号和摘要，相符后去掉 --check-only 再次运行",
      en: "next: compare id and digest with the sheet; if they agree, run it again without --check-only",
    };
  }
  if (putAway.length > 0) {
    return {
      zh: "下一步：按原因处理未通过的数据包；介质按制度清除或留存",
      en: "next: see to the bundles that did not verify; erase or keep the medium by your rules",
    };
  }
  return {
    zh: "下一步：介质按制度清除或留存",
    en: "next: erase or keep the medium by your rules",
  };
}

type Words = { readonly zh: string; readonly en: string };

function facts(context: CliContext, rows: readonly (readonly [Words, string])[]): void {
  for (const [name, value] of rows) context.out(`${context.say(name)}  ${value}`);
}

function list(context: CliContext, title: Words, lines: readonly string[]): void {
  if (lines.length === 0) return;
  context.out(`${context.say(title)}  ${lines.length}`);
  for (const line of lines.slice(0, LISTED)) context.out(`  ${line}`);
  if (lines.length > LISTED) context.out(`  … ${lines.length - LISTED}`);
}
