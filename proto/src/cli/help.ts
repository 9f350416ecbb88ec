/** Guarantee: help shows what a command is for, how it is written and real examples of it. */
import type { CliNoun, CliOption, CliVerb, Locale, Words } from "./types.ts";
import { cellWidth, padTo } from "./width.ts";

/** Understood by every command. */
export const GLOBAL_OPTIONS: Readonly<Record<string, CliOption>> = {
  json: { type: "boolean", summary: { zh: "以 JSON 输出", en: "print JSON" } },
  zone: {
    type: "string",
    value: "NAME",
    summary: {
      zh: "对哪个网络执行（business | extranet）",
      en: "which zone (business | extranet)",
    },
  },
  home: {
    type: "string",
    value: "DIR",
    summary: { zh: "安装目录，默认 ./.lightferry", en: "installation, default ./.lightferry" },
  },
  help: { type: "boolean", short: "h", summary: { zh: "显示帮助", en: "show this help" } },
};

const WORDS = {
  usage: { zh: "用法", en: "Usage" },
  commands: { zh: "命令", en: "Commands" },
  options: { zh: "选项", en: "Options" },
  arguments: { zh: "参数", en: "Arguments" },
  examples: { zh: "示例", en: "Examples" },
  exits: { zh: "退出码", en: "Exit codes" },
  exitList: {
    zh: "0 完成，2 用法有误，3 被策略或状态拒绝，4 服务不可用",
    en: "0 done, 2 usage, 3 refused, 4 unavailable",
  },
  more: {
    zh: "npx lightferry <对象> <动作> --help 查看详细用法",
    en: "npx lightferry <noun> <verb> --help says more",
  },
  product: { zh: "光渡：跨网数据交换网关", en: "Lightferry: a cross-network exchange gateway" },
} as const satisfies Record<string, Words>;

/** How the command is typed in a clone of the repository, so that examples work as they stand. */
const PROGRAM = "npx lightferry";

/** All nouns with their verbs. */
export function productHelp(nouns: readonly CliNoun[], locale: Locale): string {
  const lines = nouns.flatMap((noun) =>
    noun.verbs.map(
      (verb) => [`${PROGRAM} ${commandOf(noun, verb)}`, verb.summary[locale]] as const,
    ),
  );
  return [
    WORDS.product[locale],
    "",
    ...section(WORDS.commands, lines, locale),
    ...section(WORDS.options, optionLines(GLOBAL_OPTIONS, locale), locale),
    `${WORDS.exits[locale]}: ${WORDS.exitList[locale]}`,
    WORDS.more[locale],
  ].join("\n");
}

/** The verbs of a noun with the examples of each. */
export function nounHelp(noun: CliNoun, locale: Locale): string {
  const lines = noun.verbs.map(
    (verb) =>
      [
        `${PROGRAM} ${commandOf(noun, verb)} ${verb.usage}`.trimEnd(),
        verb.summary[locale],
      ] as const,
  );
  return [
    noun.summary[locale],
    "",
    ...section(WORDS.commands, lines, locale),
    ...exampleSection(
      noun.verbs.flatMap((verb) => verb.examples ?? []),
      locale,
    ),
    WORDS.more[locale],
  ].join("\n");
}

export function verbHelp(noun: CliNoun, verb: CliVerb, locale: Locale): string {
  return [
    verb.summary[locale],
    "",
    `${WORDS.usage[locale]}: ${PROGRAM} ${commandOf(noun, verb)} ${verb.usage}`.trimEnd(),
    "",
    ...section(
      WORDS.arguments,
      (verb.args ?? []).map(({ name, summary }) => [name, summary[locale]] as const),
      locale,
    ),
    ...section(
      WORDS.options,
      optionLines({ ...(verb.options ?? {}), ...GLOBAL_OPTIONS }, locale),
      locale,
    ),
    ...exampleSection(verb.examples ?? [], locale),
    `${WORDS.exits[locale]}: ${WORDS.exitList[locale]}`,
  ].join("\n");
}

export function commandOf(noun: CliNoun, verb: CliVerb): string {
  return verb.name === "" ? noun.name : `${noun.name} ${verb.name}`;
}

function exampleSection(
  examples: readonly { readonly command: string; readonly summary: Words }[],
  locale: Locale,
): string[] {
  if (examples.length === 0) return [];
  const lines = examples.flatMap(({ command, summary }) => [
    `  # ${summary[locale]}`,
    `  ${PROGRAM} ${command}`,
  ]);
  return [`${WORDS.examples[locale]}:`, ...lines, ""];
}

function optionLines(
  options: Readonly<Record<string, CliOption>>,
  locale: Locale,
): (readonly [string, string])[] {
  return Object.entries(options).map(([name, option]) => {
    const short = option.short === undefined ? "" : `-${option.short}, `;
    const value = option.type === "string" ? ` ${option.value ?? "TEXT"}` : "";
    return [`${short}--${name}${value}`, option.summary[locale]] as const;
  });
}

function section(
  title: Words,
  lines: readonly (readonly [string, string])[],
  locale: Locale,
): string[] {
  if (lines.length === 0) return [];
  const width = Math.max(...lines.map(([left]) => cellWidth(left)));
  return [
    `${title[locale]}:`,
    ...lines.map(([left, right]) => `  ${padTo(left, width, "left")}  ${right}`.trimEnd()),
    "",
  ];
}
