/** Guarantee: an option that several verbs of `keys` have is read, and explained, in one way. */
import { existsSync, writeFileSync } from "node:fs";
import {
  type CliContext,
  type CliExample,
  type CliInput,
  type CliOption,
  EXIT,
  type ExitCode,
  readUpTo,
  type Words,
} from "@lightferry/proto/cli";
import { GatewayError } from "@lightferry/proto/errors";
import { PKI_FILE_MAX_BYTES, type PkiItem, readPkiItems } from "@lightferry/proto/pki";

export const DAY_MS = 86_400_000;
/** Twenty years and their leap days: a root's. */
const MAX_DAYS = 7_320;
/** Clocks of the other machines may be behind. */
export const CLOCK_MARGIN_MS = 5 * 60_000;

/** An option with a value, and what it is for. */
export const valued = (value: string, zh: string, en: string) =>
  ({ type: "string", value, summary: { zh, en } }) as const;

/** An option that is there or not. */
export const flagged = (zh: string, en: string) =>
  ({ type: "boolean", summary: { zh, en } }) as const;

export const example = (command: string, zh: string, en: string): CliExample => ({
  command,
  summary: { zh, en },
});

const [OUT, OPERATOR] = [
  valued("FILE", "写入此文件", "file to write"),
  valued(
    "NAME",
    "操作人，记入密钥操作记录；默认为系统用户",
    "who does this, for the record of key operations; the system's user by default",
  ),
];

/** Options that several verbs have. */
export const OPTIONS = {
  use: valued(
    "USE",
    "密钥用途：sign | encrypt | policy | audit | ferry",
    "what the key is for: sign | encrypt | policy | audit | ferry",
  ),
  out: OUT,
  operator: OPERATOR,
  days: valued(
    "DAYS",
    "有效天数；加密 45，其他 365，签发机构 5 年，根 20 年",
    "days it is good for; encryption 45, others 365, issuers 5 years, a root 20",
  ),
  yes: flagged("不再询问，直接执行", "do it without asking"),
  demo: flagged("标记为演示；生产模式拒绝", "mark as demonstration; production mode refuses it"),
  "backup-passphrase-file": valued(
    "FILE",
    "备份的口令文件",
    "file with the passphrase of the backup",
  ),
} as const satisfies Record<string, CliOption>;

/** Of every verb that makes or asks for keys of a node. */
export const NODE_OPTIONS = {
  organisation: valued("NAME", "证书中的单位名称", "organisation named in the certificate"),
  "unlock-dir": valued(
    "DIR",
    "解锁密钥文件所在目录，默认按 zone.json；服务也要用时请在 setup 时指定",
    "folder of the unlock key files, as in zone.json by default; name it at setup for the services to find them",
  ),
  out: OUT,
  operator: OPERATOR,
} as const satisfies Record<string, CliOption>;

/** Of every verb that needs a CA's key. */
export const CA_OPTIONS = {
  ca: valued("DIR", "签发机构目录", "folder of the certification authority"),
  "passphrase-file": valued(
    "FILE",
    "口令文件（权限 0600）；省略时在终端询问",
    "file with the passphrase (mode 0600); asked at the terminal otherwise",
  ),
  "unlock-file": valued(
    "FILE",
    "以解锁密钥文件代替口令",
    "an unlock key file instead of a passphrase",
  ),
  operator: OPERATOR,
} as const satisfies Record<string, CliOption>;

/** @throws GatewayError `cli.usage` when the option is missing. */
export function needed(input: CliInput, option: string): string {
  const value = input.text(option);
  if (value === undefined || value === "") {
    throw new GatewayError("cli.usage", { detail: `--${option}` });
  }
  return value;
}

/** @throws GatewayError `cli.usage` when the file cannot be read or is no file of certificates. */
export function readBytes(path: string): Uint8Array {
  return readUpTo(path, PKI_FILE_MAX_BYTES);
}

/** @throws GatewayError `cli.usage`, `certificate.malformed` */
export function readItems(path: string): PkiItem[] {
  return readPkiItems(readBytes(path));
}

/** Before any work is done. @throws GatewayError `cli.usage` when the file exists. */
export function assertFree(path: string): string {
  if (existsSync(path)) throw new GatewayError("cli.usage", { detail: `${path} exists` });
  return path;
}

/** Where the answer goes, as `--out` says. @throws GatewayError `cli.usage` without it, or when the file exists. */
export const outFile = (input: CliInput): string => assertFree(needed(input, "out"));

/** The same where the option may be left out. @throws GatewayError `cli.usage` when the file exists. */
export function outFileIfAny(input: CliInput): string | undefined {
  return input.text("out") === undefined ? undefined : outFile(input);
}

/** The zone as it was typed. @throws GatewayError `cli.usage` */
export function zoneNamed({ zone }: CliContext): string {
  if (zone === undefined) throw new GatewayError("cli.usage", { detail: "--zone" });
  return zone;
}

/** Whole days, in milliseconds. @throws GatewayError `cli.usage` */
export function termOf(input: CliInput): number | undefined {
  const days = input.integer("days", { min: 1, max: MAX_DAYS });
  return days === undefined ? undefined : days * DAY_MS;
}

/** Writes a new public file. @throws GatewayError `cli.usage` when it exists or cannot be written. */
export function writeNew(path: string, content: string | Uint8Array): void {
  try {
    writeFileSync(path, content, { flag: "wx", mode: 0o644 });
  } catch (cause) {
    throw new GatewayError("cli.usage", { detail: `${path} cannot be written`, cause });
  }
}

/** Milliseconds of an ISO 8601 time. @throws GatewayError `cli.usage` */
export function timeOf(input: CliInput, option: string): number | undefined {
  const text = input.text(option);
  if (text === undefined) return undefined;
  const ms = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2}))?$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
  if (Number.isNaN(ms)) {
    throw new GatewayError("cli.usage", { detail: `--${option} 2026-03-01T08:00:00+08:00` });
  }
  return ms;
}

/** Every value of an option that may be given several times. */
export function manyOf(input: CliInput, option: string): string[] {
  const value = input.values[option];
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}

/** Local time of the terminal, to the second. */
export function clock(ms: number): string {
  // Swedish writes dates as ISO 8601 does, with a space.
  return new Date(ms).toLocaleString("sv-SE");
}

/** One line in the reader's language; nothing under `--json`. */
export function tell(context: CliContext, words: Words): void {
  context.out(context.say(words));
}

/** The end of a verb that did its work: one JSON document, or one line. */
export function answered(context: CliContext, json: object, words: Words): ExitCode {
  context.emitJson(json);
  tell(context, words);
  return EXIT.done;
}
