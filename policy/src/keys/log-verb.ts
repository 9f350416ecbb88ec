/** Guarantee: `keys log` shows the record of key operations only after its chain was verified from the first line on. */
import { existsSync } from "node:fs";
import { type CliVerb, type Column, EXIT } from "@lightferry/proto/cli";
import { GatewayError } from "@lightferry/proto/errors";
import {
  actionsDirBeside,
  actionsFile,
  type KeyActionEntry,
  readKeyActions,
  totalUses,
} from "@lightferry/proto/service";
import { CA_OPTIONS, clock, example, tell } from "./options.ts";
import { zoneKeys } from "./zone-keys.ts";

const RESULTS = {
  ok: { zh: "完成", en: "done" },
  error: { zh: "失败", en: "failed" },
  open: { zh: "结果未知", en: "outcome unknown" },
} as const;

type Result = keyof typeof RESULTS;

/** An intent with its end, or alone. */
interface Row {
  readonly line: number;
  readonly atMs: number;
  readonly verb: string;
  readonly operator: string;
  readonly user: string;
  readonly about: Readonly<Record<string, string>>;
  readonly result: Result;
  readonly code: string;
  readonly keys: readonly string[];
  readonly serials: readonly string[];
  readonly uses: readonly object[];
}

function rowsOf(entries: readonly KeyActionEntry[]): Row[] {
  const rows = new Map<number, Row>();
  for (const entry of entries) {
    const { line, atMs, verb, operator, user, about } = entry;
    if (entry.event === "begun") {
      const open = { result: "open", code: "", keys: [], serials: [], uses: [] } as const;
      rows.set(line, { line, atMs, verb, operator, user, about, ...open });
      continue;
    }
    const begun = rows.get(entry.begun);
    if (begun === undefined) continue;
    const { outcome: result, code, keys, serials, uses } = entry;
    rows.set(entry.begun, { ...begun, about, result, code, keys, serials, uses });
  }
  return [...rows.values()];
}

const factsOf = ({ about, serials }: Row): string =>
  [...Object.entries(about).map(([name, text]) => `${name}=${text}`), ...serials].join(" ");

export const logVerb: CliVerb = {
  name: "log",
  summary: {
    zh: "核验并显示密钥操作记录",
    en: "verify and show the record of key operations",
  },
  usage: "[--zone ZONE] [--ca DIR]",
  args: [],
  options: { ca: CA_OPTIONS.ca },
  examples: [
    example(
      "keys log --ca ca/root",
      "离线机器上对根做过的操作",
      "what was done with the root on its offline machine",
    ),
  ],
  run: async (context, input) => {
    const ca = input.text("ca");
    const dir = ca === undefined ? zoneKeys(context).actionsDir : actionsDirBeside(ca);
    const file = actionsFile(dir);
    if (!existsSync(file)) throw new GatewayError("cli.usage", { detail: `${file}: no record` });
    const { entries, head } = readKeyActions(dir);
    const rows = rowsOf(entries);
    const totals = [...totalUses(entries).values()];
    context.emitJson({ file, lines: entries.length, head, actions: rows, uses: totals });
    const columns: Column<Row>[] = [
      { title: { zh: "行", en: "LINE" }, value: "line", align: "right" },
      { title: { zh: "时间", en: "TIME" }, value: ({ atMs }) => clock(atMs) },
      { title: { zh: "操作", en: "VERB" }, value: "verb" },
      { title: { zh: "操作人", en: "OPERATOR" }, value: "operator", max: 20 },
      { title: { zh: "系统用户", en: "USER" }, value: "user", max: 16 },
      {
        title: { zh: "结果", en: "RESULT" },
        value: ({ result, code }) => `${context.say(RESULTS[result])} ${code}`.trim(),
      },
      { title: { zh: "密钥", en: "KEYS" }, value: ({ keys }) => keys.join(" "), max: 70 },
      { title: { zh: "说明", en: "ABOUT" }, value: factsOf, max: 80 },
    ];
    context.table(rows, columns);
    context.out("");
    context.table(totals, [
      { title: { zh: "密钥", en: "KEY" }, value: "keyId" },
      { title: { zh: "用途", en: "OPERATION" }, value: "operation" },
      { title: { zh: "次数", en: "USES" }, value: "count", align: "right" },
    ]);
    tell(context, {
      zh: `链完整，${entries.length} 行，末行 SM3 ${head}；请抄录此值，下次核对`,
      en: `the chain holds, ${entries.length} lines, SM3 of the last ${head}: note it for the next time`,
    });
    return EXIT.done;
  },
};
