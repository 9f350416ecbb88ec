/** Guarantee: shows which rules of a pack speak for a service and what they would find in a file; nothing is sent, kept or decided. */
import { basename } from "node:path";
import { type CliContext, type CliVerb, EXIT } from "@lightferry/proto/cli";
import { GatewayError } from "@lightferry/proto/errors";
import { loadProvider } from "@lightferry/proto/sm";
import { ContentInspection, type ContentPlan } from "../content/inspection.ts";
import { DETECTORS } from "../content/rules.ts";
import { hasMarkInName } from "../detect/secrecy-marks.ts";
import { needed } from "../keys/options.ts";
import { parsePack } from "../pack/parse.ts";
import { readInput } from "./pack-verbs.ts";
import { wordsOf } from "./words.ts";

export const explainVerb: CliVerb = {
  name: "explain",
  summary: {
    zh: "列出策略包对某服务的规则，并试检一个文件",
    en: "list a pack's rules for a service and try them on a file",
  },
  usage: "<service> --pack FILE [--file FILE] [--content-type TYPE]",
  args: [{ name: "service", summary: { zh: "服务", en: "service" } }],
  options: {
    pack: {
      type: "string",
      value: "FILE",
      summary: { zh: "策略包（YAML）", en: "policy pack (YAML)" },
    },
    file: { type: "string", value: "FILE", summary: { zh: "试检的文件", en: "file to try" } },
    "content-type": {
      type: "string",
      value: "TYPE",
      summary: { zh: "文件的内容类型", en: "content type of the file" },
    },
  },
  examples: [
    {
      command:
        "policy explain household-survey --pack policy/packs/demo.yaml --file deploy/samples/household-survey.csv",
      summary: { zh: "看看这份调查表会怎样", en: "see what would become of this survey" },
    },
  ],
  run: async (context, input) => {
    const pack = parsePack(loadProvider(), readInput(needed(input, "pack")));
    const id = input.positionals[0] ?? "";
    const service = pack.services.get(id);
    if (service === undefined) {
      throw new GatewayError("policy.service-without-rules", { detail: id });
    }
    const { plan, approval } = service;
    const rules = DETECTORS.map((detector) => ({ detector, ...plan.rules[detector] }));
    const path = input.text("file");
    const tried =
      path === undefined ? undefined : tryFile(plan, path, input.text("content-type") ?? "");
    context.emitJson({
      service: id,
      version: pack.version,
      approval,
      formats: plan.formats,
      opaque: plan.opaque ?? null,
      rules,
      ...(tried === undefined ? {} : { file: tried }),
    });
    context.table(rules, [
      { title: { zh: "检测项", en: "detector" }, value: (r) => context.say(wordsOf(r.detector)) },
      { title: { zh: "动作", en: "action" }, value: (r) => context.say(wordsOf(r.action)) },
      { title: { zh: "规则", en: "rule" }, value: "id" },
    ]);
    if (tried !== undefined) showFindings(context, tried);
    return EXIT.done;
  },
};

function tryFile(plan: ContentPlan, path: string, contentType: string) {
  const fileName = basename(path);
  const inspection = new ContentInspection(loadProvider(), plan, { contentType, fileName });
  inspection.push(readInput(path));
  const { report } = inspection.end();
  const { findings, changed, opaqueRuleId, formatRefused } = report;
  const markInName = hasMarkInName(fileName, plan.ordinaryPhrases);
  return { findings, changed, opaqueRuleId, formatRefused, markInName };
}

function showFindings(context: CliContext, tried: ReturnType<typeof tryFile>): void {
  context.out("");
  if (tried.findings.length === 0) {
    context.out(context.say({ zh: "内容中没有发现。", en: "nothing found in the content." }));
  } else {
    context.table(tried.findings, [
      { title: { zh: "发现", en: "found" }, value: (f) => context.say(wordsOf(f.detector)) },
      { title: { zh: "处数", en: "times" }, value: "count", align: "right" },
      { title: { zh: "动作", en: "action" }, value: (f) => context.say(wordsOf(f.action)) },
      { title: { zh: "位置", en: "where" }, value: "where" },
      { title: { zh: "规则", en: "rule" }, value: "ruleId" },
    ]);
  }
  if (tried.markInName) {
    context.out(
      context.say({ zh: "文件名带有密级字样。", en: "the file name bears a secrecy mark." }),
    );
  }
  if (tried.formatRefused) {
    context.out(
      context.say({ zh: "该服务不接收此格式。", en: "the service does not take this format." }),
    );
  }
}
