/** Guarantee: what a `<folder>/cli/<noun>.ts` exports and what its verbs are given. */
import type { TlsFiles } from "../rpc/index.ts";

/** A text in both languages of the product. */
export interface Words {
  readonly zh: string;
  readonly en: string;
}

export type Locale = "zh" | "en";

/** Exit codes of every command. */
export const EXIT = { done: 0, usage: 2, refused: 3, unavailable: 4 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export interface CliOption {
  readonly type: "string" | "boolean";
  /** One letter. */
  readonly short?: string;
  /** How help shows the value, e.g. `DAYS`. */
  readonly value?: string;
  readonly multiple?: boolean;
  readonly summary: Words;
}

export interface CliArgument {
  readonly name: string;
  readonly summary: Words;
  readonly optional?: boolean;
  /** Takes all that follow; only the last argument may. */
  readonly many?: boolean;
}

export interface CliExample {
  /** What stands behind `lightferry`, e.g. `token issue bureau-01 --days 30`. */
  readonly command: string;
  readonly summary: Words;
}

export interface CliVerb {
  /** "" for a noun that needs no verb, such as `lightferry stop`. */
  readonly name: string;
  readonly summary: Words;
  /** What stands behind the verb, e.g. `<caller> [--days N]`. */
  readonly usage: string;
  readonly options?: Readonly<Record<string, CliOption>>;
  /** Checked when given: too few or too many is a usage error. */
  readonly args?: readonly CliArgument[];
  readonly examples?: readonly CliExample[];
  run(context: CliContext, input: CliInput): Promise<ExitCode>;
}

export interface CliNoun {
  readonly name: string;
  readonly summary: Words;
  readonly verbs: readonly CliVerb[];
}

/** What was typed behind the verb. */
export interface CliInput {
  readonly positionals: readonly string[];
  readonly values: Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;
  /** Value of a string option, undefined when absent. */
  text(option: string): string | undefined;
  /** True when a boolean option was given. */
  flag(option: string): boolean;
  /** Whole number of a string option. @throws GatewayError `cli.usage` when it is none or out of limits. */
  integer(
    option: string,
    limits: { readonly min: number; readonly max: number },
  ): number | undefined;
}

export interface Column<Row> {
  readonly title: Words;
  readonly value: keyof Row | ((row: Row) => string | number | undefined);
  readonly align?: "left" | "right";
  /** Wider values are cut and end with …; terminal cells, a Chinese character takes two. */
  readonly max?: number;
}

export interface CliContext {
  readonly locale: Locale;
  readonly json: boolean;
  /** Folder of the installation, `.lightferry` unless said otherwise. */
  readonly home: string;
  /** As given by `--zone` or LIGHTFERRY_ZONE. */
  readonly zone: string | undefined;
  /** The text of the chosen language. */
  say(words: Words): string;
  /** Prints a line; nothing under `--json`. */
  out(text: string): void;
  /** Prints a table; nothing under `--json`. */
  table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): void;
  /** Prints one JSON document on one line; nothing without `--json`. */
  emitJson(value: unknown): void;
  /**
   * Connection settings of a zone: the named one, else the one of `--zone`, else the only one there is.
   * @throws GatewayError `cli.usage` when none or several come into question, `config.invalid`
   */
  zoneConfig(zone?: string): CliZoneConfig;
}

/** `<home>/<zone>/config/cli.json`. */
export interface CliZoneConfig {
  readonly zone: string;
  readonly node: string;
  /** The operator's certificate. */
  readonly tls: TlsFiles;
  readonly peers: {
    readonly policy?: string;
    readonly audit?: string;
    readonly frontProxy?: string;
  };
  /** `https://host:port` of the front-proxy's API. */
  readonly api?: string;
  readonly apiCa?: string;
  readonly databaseUrls: Readonly<Record<string, string>>;
  readonly anchorPath: string;
  /** The pinned root certificate; absent in a home set up before there was one. */
  readonly trustRootPath?: string;
  /** Folder of the unlock files of the key rings. */
  readonly unlockDir?: string;
}
