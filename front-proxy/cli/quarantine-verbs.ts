/**
 * Guarantee: a quarantined bundle is destroyed in two steps: the first shows it
 * and changes nothing, the second names what was shown by its digest, with the
 * reason that goes into the log.
 */
import { type CliContext, type CliInput, type CliVerb, EXIT } from "@lightferry/proto/cli";
import { GatewayError } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import { formatId, parseId } from "@lightferry/proto/ids";
import { clock, withAdmin } from "./admin-call.ts";

type Quarantined = lightferry.admin.v1.QuarantinedBundle.$Properties;

/** Hexadecimal digits of the digest to repeat: enough to tell two bundles of one id apart. */
const CONFIRM_DIGITS = 16;

const EXAMPLE_ID = "01912f3c-7a10-7c3e-9b1a-2f6d0c4e8a55";

const shownId = ({ bundleId }: Quarantined): string => formatId(bundleId ?? new Uint8Array(16));
const digestOf = ({ headerDigest }: Quarantined): string =>
  Buffer.from(headerDigest ?? []).toString("hex");

function print(context: CliContext, bundles: readonly Quarantined[]): void {
  context.table(bundles, [
    { title: { zh: "数据包", en: "BUNDLE" }, value: shownId },
    {
      title: { zh: "摘要（开头）", en: "DIGEST (begins)" },
      value: (row) => digestOf(row).slice(0, CONFIRM_DIGITS),
    },
    { title: { zh: "原因", en: "CODE" }, value: (row) => row.code ?? "" },
    { title: { zh: "通道", en: "LANE" }, value: (row) => row.lane ?? "" },
    { title: { zh: "流", en: "STREAM" }, value: (row) => row.stream ?? "" },
    { title: { zh: "序号", en: "NO" }, value: (row) => String(row.sequence ?? 0), align: "right" },
    { title: { zh: "隔离自", en: "SINCE" }, value: (row) => clock(row.sinceMs ?? 0) },
  ]);
}

function documents(bundles: readonly Quarantined[]): object[] {
  return bundles.map((row) => ({
    ...{ bundleId: shownId(row), headerDigest: digestOf(row), code: row.code, lane: row.lane },
    ...{ stream: row.stream, sequence: row.sequence, sinceMs: row.sinceMs },
  }));
}

export const quarantineVerb: CliVerb = {
  name: "quarantine",
  summary: {
    zh: "列出因密钥被吊销或禁用而隔离的数据包",
    en: "bundles kept because a key of theirs was revoked or denied",
  },
  usage: "[--zone ZONE]",
  args: [],
  examples: [
    {
      command: "exchange quarantine --zone business",
      summary: { zh: "接收网隔离了什么", en: "what the receiving network keeps" },
    },
  ],
  async run(context) {
    const { bundles = [] } = await withAdmin(context, (admin) => admin.listQuarantine({}));
    context.emitJson(documents(bundles));
    if (bundles.length === 0) {
      context.out(context.say({ zh: "隔离区为空", en: "nothing is in quarantine" }));
    } else print(context, bundles);
    return EXIT.done;
  },
};

/** @throws GatewayError `cli.usage`, `inbox.not-quarantined` */
function chosen(input: CliInput, bundles: readonly Quarantined[]): Quarantined | undefined {
  if (bundles.length === 0) throw new GatewayError("inbox.not-quarantined");
  const confirm = input.text("confirm")?.toLowerCase();
  if (confirm === undefined) return undefined;
  const found = bundles.filter((row) => digestOf(row).startsWith(confirm));
  const [one] = found;
  if (confirm.length < CONFIRM_DIGITS || one === undefined) {
    throw new GatewayError("cli.usage", {
      detail: `--confirm: the first ${CONFIRM_DIGITS} digits of the digest`,
    });
  }
  return one;
}

export const discardVerb: CliVerb = {
  name: "discard",
  summary: {
    zh: "依安全管理员的决定销毁隔离的数据包（先显示，再确认）",
    en: "destroy a quarantined bundle by the security administrator's decision: shown first, then confirmed",
  },
  usage: "<bundle-id> [--confirm DIGEST --reason TEXT]",
  args: [{ name: "bundle-id", summary: { zh: "数据包编号", en: "id of the bundle" } }],
  options: {
    confirm: {
      type: "string",
      value: "DIGEST",
      summary: {
        zh: `所显示摘要的前 ${CONFIRM_DIGITS} 位；省略时只显示，不销毁`,
        en: `first ${CONFIRM_DIGITS} digits of the digest shown; without it nothing is destroyed`,
      },
    },
    reason: {
      type: "string",
      value: "TEXT",
      summary: {
        zh: "理由与批准人，记入审计日志（确认时必填）",
        en: "why, and who decided; goes into the audit log (required with --confirm)",
      },
    },
  },
  examples: [
    {
      command: `exchange discard ${EXAMPLE_ID} --zone business`,
      summary: { zh: "第一步：查看", en: "first step: look" },
    },
    {
      command: `exchange discard ${EXAMPLE_ID} --zone business --confirm 5f0c2a91d47be630 --reason 安全管理员批准：伪造`,
      summary: { zh: "第二步：销毁", en: "second step: destroy" },
    },
  ],
  async run(context, input) {
    const bundleId = parseId(input.positionals[0] ?? "");
    return withAdmin(context, async (admin) => {
      const { bundles = [] } = await admin.listQuarantine({ bundleId });
      const one = chosen(input, bundles);
      if (one === undefined) {
        context.emitJson({ discarded: false, bundles: documents(bundles) });
        print(context, bundles);
        context.out(
          context.say({
            zh: "尚未销毁。销毁后无法恢复；确认请加 --confirm <摘要开头> --reason <理由>",
            en: "nothing was destroyed. It cannot be undone: add --confirm <digest> --reason <why>",
          }),
        );
        return EXIT.refused;
      }
      const reason = input.text("reason")?.trim() ?? "";
      if (reason === "") throw new GatewayError("cli.usage", { detail: "--reason" });
      const headerDigest = one.headerDigest ?? new Uint8Array();
      await admin.discardBundle({ bundleId, headerDigest, reason });
      context.emitJson({ discarded: true, bundles: documents([one]) });
      context.out(
        context.say({
          zh: `已销毁数据包 ${shownId(one)}，已记入审计日志`,
          en: `bundle ${shownId(one)} was destroyed; the log has it`,
        }),
      );
      return EXIT.done;
    });
  },
};
