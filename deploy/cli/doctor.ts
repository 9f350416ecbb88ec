/** Guarantee: tells what of this machine Lightferry uses, what it lacks, what that means, and what to do about it. */
import { type CliContext, type CliNoun, EXIT, type ExitCode } from "@lightferry/proto/cli";
import { GatewayError } from "@lightferry/proto/errors";
import { examine } from "../src/doctor/examine.ts";
import type { Finding, State } from "../src/doctor/finding.ts";
import { ZONES } from "../src/layout.ts";

const STATES: Readonly<Record<State, { readonly zh: string; readonly en: string }>> = {
  ok: { zh: "✔ 正常", en: "✔ ok" },
  warn: { zh: "▲ 注意", en: "▲ warn" },
  fail: { zh: "✘ 不可", en: "✘ fail" },
};
/** A list of processor or mount flags; --json has all of it. */
const FOUND_CELLS = 64;
const MEANS_CELLS = 60;

/** Faults once more, with all of what no column has room for. */
function advise(context: CliContext, findings: readonly Finding[]): void {
  const open = findings.filter(({ state }) => state !== "ok");
  if (open.length === 0) return;
  context.out("");
  context.out(context.say({ zh: "怎么办", en: "What to do" }));
  for (const { state, name, check, means, advice } of open) {
    const about = check.includes(":") ? ` ${check.slice(check.indexOf(":") + 1)}` : "";
    context.out(`${context.say(STATES[state])}  ${context.say(name)}${about}`);
    context.out(`    ${context.say(means)}`);
    context.out(`    → ${context.say(advice)}`);
  }
}

function doctor(context: CliContext): Promise<ExitCode> {
  const zone = ZONES.find((name) => name === context.zone);
  if (zone !== context.zone) {
    throw new GatewayError("cli.usage", { detail: `--zone ${ZONES.join(" | ")}` });
  }
  const findings = examine(context.home, zone);
  context.table(findings, [
    { title: { zh: "状态", en: "state" }, value: (row) => context.say(STATES[row.state]) },
    { title: { zh: "检查", en: "check" }, value: (row) => context.say(row.name) },
    { title: { zh: "结果", en: "found" }, value: "found", max: FOUND_CELLS },
    {
      title: { zh: "含义", en: "what it means" },
      value: (row) => context.say(row.means),
      max: MEANS_CELLS,
    },
  ]);
  advise(context, findings);
  context.emitJson(findings);
  return Promise.resolve(findings.some(({ state }) => state === "fail") ? EXIT.refused : EXIT.done);
}

export const noun: CliNoun = {
  name: "doctor",
  summary: { zh: "检查本机是否满足运行条件", en: "check whether this machine is fit to run on" },
  verbs: [
    {
      name: "",
      summary: {
        zh: "逐项检查算法、时钟、磁盘、内核、密钥与证书，并给出处理办法；有“不可”项时退出码为 3",
        en: "check algorithms, clock, disks, kernel, keys and certificates, and say what to do; exit code 3 when a point fails",
      },
      usage: "[--zone ZONE]",
      args: [],
      examples: [
        { command: "doctor", summary: { zh: "检查本机", en: "check this machine" } },
        {
          command: "doctor --zone business --json",
          summary: { zh: "供脚本使用", en: "for scripts" },
        },
      ],
      run: doctor,
    },
  ],
};
