/**
 * Guarantee: every command reads its words the same way, answers in the
 * reader's language or in JSON, and ends with an exit code that scripts can use.
 * A failure names what happened and what to do, in both languages.
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { asGatewayError, GatewayError } from "../errors/index.ts";
import { hardenProcess } from "../service/index.ts";
import { commandOf, GLOBAL_OPTIONS, nounHelp, productHelp, verbHelp } from "./help.ts";
import { localeOf } from "./locale.ts";
import { renderTable } from "./table.ts";
import {
  type CliContext,
  type CliInput,
  type CliNoun,
  type CliVerb,
  EXIT,
  type ExitCode,
  type Locale,
} from "./types.ts";
import { harmlessJson, harmlessText } from "./width.ts";
import { readZoneConfig } from "./zone-config.ts";

/** Where a command writes and what surrounds it; the real process unless a test says otherwise. */
export interface CliSurroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  stdout(text: string): void;
  stderr(text: string): void;
}

const PROCESS: CliSurroundings = {
  environment: process.env,
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
};

/**
 * Runs `lightferry <noun> …`.
 * @param argv what stands behind the noun
 * @returns the exit code; never throws
 */
export async function runNoun(
  noun: CliNoun,
  argv: readonly string[],
  surroundings: CliSurroundings = PROCESS,
): Promise<number> {
  const locale = localeOf(surroundings.environment);
  let json = argv.includes("--json");
  const print = (help: string): void => printHelp(help, json, surroundings);
  // Some verbs load private keys, and no verb needs a core file. A test's process stays as it is.
  if (surroundings === PROCESS) hardenProcess();
  try {
    const { verb, rest } = chooseVerb(noun, argv);
    if (verb === undefined) {
      print(nounHelp(noun, locale));
      return EXIT.done;
    }
    const input = parse(noun, verb, rest);
    json = input.flag("json");
    if (input.flag("help")) {
      print(verbHelp(noun, verb, locale));
      return EXIT.done;
    }
    checkArguments(noun, verb, input);
    return await verb.run(contextOf(input, locale, surroundings), input);
  } catch (thrown) {
    const error = asGatewayError(thrown);
    report(error, thrown, locale, json, surroundings);
    return exitCodeOf(error);
  }
}

/** `lightferry --help`, or an unknown noun: lists everything there is. */
export function runHelp(
  nouns: readonly CliNoun[],
  asked: string,
  json: boolean,
  surroundings: CliSurroundings = PROCESS,
): number {
  const locale = localeOf(surroundings.environment);
  if (["--help", "-h", "help"].includes(asked)) {
    printHelp(productHelp(nouns, locale), json, surroundings);
    return EXIT.done;
  }
  const error = new GatewayError("cli.usage", { detail: `lightferry ${asked}` });
  report(error, error, locale, json, surroundings);
  surroundings.stderr(`\n${productHelp(nouns, locale)}\n`);
  return EXIT.usage;
}

/** Under `--json` help is a document too, so that a script never meets anything else. */
function printHelp(help: string, json: boolean, surroundings: CliSurroundings): void {
  const text = harmlessText(help);
  surroundings.stdout(json ? `${JSON.stringify({ help: text })}\n` : `${text}\n`);
}

/** 3 = understood and refused; 4 = something that must run does not. */
export function exitCodeOf(error: GatewayError): ExitCode {
  if (error.code === "cli.usage" || error.row.http === 400) return EXIT.usage;
  return error.row.http >= 500 ? EXIT.unavailable : EXIT.refused;
}

function chooseVerb(
  noun: CliNoun,
  argv: readonly string[],
): { verb: CliVerb | undefined; rest: readonly string[] } {
  const [first] = argv;
  const named = noun.verbs.find((verb) => verb.name !== "" && verb.name === first);
  if (named !== undefined) return { verb: named, rest: argv.slice(1) };
  const only = noun.verbs.find((verb) => verb.name === "");
  if (only !== undefined) return { verb: only, rest: argv };
  if (first === undefined || ["--help", "-h", "help"].includes(first)) {
    return { verb: undefined, rest: [] };
  }
  const verbs = noun.verbs.map((verb) => verb.name).join(" | ");
  throw new GatewayError("cli.usage", { detail: `${noun.name} ${first}: ${verbs}` });
}

function parse(noun: CliNoun, verb: CliVerb, argv: readonly string[]): CliInput {
  const options = { ...(verb.options ?? {}), ...GLOBAL_OPTIONS };
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: Object.fromEntries(
        Object.entries(options).map(([name, { type, short, multiple }]) => [
          name,
          {
            type,
            ...(short === undefined ? {} : { short }),
            ...(multiple === undefined ? {} : { multiple }),
          },
        ]),
      ),
      allowPositionals: true,
    });
    return inputOf(values, positionals);
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : "";
    throw new GatewayError("cli.usage", {
      detail: `lightferry ${commandOf(noun, verb)}: ${said.split(". ")[0] ?? said}`,
      cause,
    });
  }
}

function inputOf(values: CliInput["values"], positionals: readonly string[]): CliInput {
  const text = (option: string): string | undefined => {
    const value = values[option];
    return typeof value === "string" ? value : undefined;
  };
  return {
    values,
    positionals,
    text,
    flag: (option) => values[option] === true,
    integer: (option, { min, max }) => {
      const typed = text(option);
      if (typed === undefined) return undefined;
      const value = Number(typed);
      if (!/^-?\d+$/.test(typed) || value < min || value > max) {
        throw new GatewayError("cli.usage", { detail: `--${option}: ${min}…${max}` });
      }
      return value;
    },
  };
}

function checkArguments(noun: CliNoun, verb: CliVerb, input: CliInput): void {
  if (verb.args === undefined) return;
  const needed = verb.args.filter((argument) => argument.optional !== true);
  const most = verb.args.some((argument) => argument.many === true)
    ? Number.POSITIVE_INFINITY
    : verb.args.length;
  const given = input.positionals.length;
  if (given < needed.length) {
    const missing = needed[given]?.name ?? "";
    throw new GatewayError("cli.usage", { detail: `${commandOf(noun, verb)}: <${missing}>` });
  }
  if (given > most) {
    throw new GatewayError("cli.usage", {
      detail: `${commandOf(noun, verb)}: ${input.positionals[verb.args.length] ?? ""}`,
    });
  }
}

function contextOf(input: CliInput, locale: Locale, surroundings: CliSurroundings): CliContext {
  const json = input.flag("json");
  const { environment } = surroundings;
  const home = resolve(input.text("home") ?? environment.LIGHTFERRY_HOME ?? ".lightferry");
  const zone = input.text("zone") ?? environment.LIGHTFERRY_ZONE;
  const out = (text: string): void => {
    if (!json) surroundings.stdout(`${harmlessText(text)}\n`);
  };
  return {
    locale,
    json,
    home,
    zone,
    say: (words) => words[locale],
    out,
    table: (rows, columns) => out(renderTable(rows, columns, locale).join("\n")),
    emitJson: (value) => {
      if (json) surroundings.stdout(`${harmlessJson(JSON.stringify(value))}\n`);
    },
    zoneConfig: (wanted) => readZoneConfig(home, wanted ?? zone),
  };
}

function report(
  error: GatewayError,
  thrown: unknown,
  locale: Locale,
  json: boolean,
  surroundings: CliSurroundings,
): void {
  const { row, code, detail } = error;
  if (json) {
    const { actor, zh, en, doZh, doEn } = row;
    const body = { code, detail, actor, zh, en, doZh, doEn };
    surroundings.stdout(`${harmlessJson(JSON.stringify({ error: body }))}\n`);
    return;
  }
  const about = detail === "" ? "" : `: ${detail}`;
  const chinese = `${row.zh}。${row.doZh}。`;
  const english = `${row.en}; ${row.doEn}.`;
  const lines = locale === "zh" ? [chinese, english] : [english, chinese];
  surroundings.stderr(harmlessText(`${code}${about}\n  ${lines.join("\n  ")}\n`));
  if (code === "internal.fault" && thrown instanceof Error) {
    surroundings.stderr(`${harmlessText(thrown.stack ?? thrown.message)}\n`);
  }
}
