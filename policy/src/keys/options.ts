/** Guarantee: an option that several verbs of `keys` have is read, and explained, in one way. */
import { existsSync, writeFileSync } from "node:fs";
import type { CliContext, CliInput, CliOption, Words } from "@lightferry/proto/cli";
import { GatewayError } from "@lightferry/proto/errors";
import { PKI_FILE_MAX_BYTES, type PkiItem, readPkiItems } from "@lightferry/proto/pki";
import { readUpTo } from "./bounded-file.ts";

export const DAY_MS = 86_400_000;
/** Twenty years and their leap days: a root's. */
export const MAX_DAYS = 7_320;
/** Clocks of the other machines may be behind. */
export const CLOCK_MARGIN_MS = 5 * 60_000;

export const OPTIONS = {
  ca: {
    type: "string",
    value: "DIR",
    summary: { zh: "签发机构目录", en: "folder of the certification authority" },
  },
  use: {
    type: "string",
    value: "USE",
    summary: {
      zh: "密钥用途：sign | encrypt | policy | audit | ferry",
      en: "what the key is for: sign | encrypt | policy | audit | ferry",
    },
  },
  organisation: {
    type: "string",
    value: "NAME",
    summary: { zh: "证书中的单位名称", en: "organisation named in the certificate" },
  },
  out: { type: "string", value: "FILE", summary: { zh: "写入此文件", en: "file to write" } },
  yes: {
    type: "boolean",
    summary: { zh: "不再询问，直接执行", en: "do it without asking" },
  },
  demo: {
    type: "boolean",
    summary: {
      zh: "标记为演示；生产模式拒绝",
      en: "mark as demonstration; production mode refuses it",
    },
  },
  "passphrase-file": {
    type: "string",
    value: "FILE",
    summary: {
      zh: "口令文件（权限 0600）；省略时在终端询问",
      en: "file with the passphrase (mode 0600); asked at the terminal otherwise",
    },
  },
  "backup-passphrase-file": {
    type: "string",
    value: "FILE",
    summary: { zh: "备份的口令文件", en: "file with the passphrase of the backup" },
  },
  "unlock-file": {
    type: "string",
    value: "FILE",
    summary: {
      zh: "以解锁密钥文件代替口令",
      en: "an unlock key file instead of a passphrase",
    },
  },
  "unlock-dir": {
    type: "string",
    value: "DIR",
    summary: {
      zh: "解锁密钥文件所在目录，默认按 zone.json；服务也要用时请在 setup 时指定",
      en: "folder of the unlock key files, as in zone.json by default; name it at setup for the services to find them",
    },
  },
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
