/**
 * Guarantee: a passphrase comes from an owner-only file or from a terminal that
 * does not show it, is asked twice when it is new, and is wiped after use. What
 * cannot be undone is done only after `--yes` or an answer at the terminal.
 */
import type { Readable } from "node:stream";
import type { CliContext, CliInput, Words } from "@lightferry/proto/cli";
import { GatewayError } from "@lightferry/proto/errors";
import { readSecretFile, type UnlockSource } from "@lightferry/proto/keystore";
import { constantTimeEqual } from "@lightferry/proto/sm";

/** What the terminal must offer; `process` unless a test says otherwise. */
export interface Terminal {
  readonly input: Readable & {
    readonly isTTY?: boolean;
    setRawMode?(on: boolean): unknown;
  };
  readonly output: { write(text: string): unknown };
}

/** Prompts go to the error stream, so that `--json` and pipes stay clean. */
const PROCESS: Terminal = { input: process.stdin, output: process.stderr };

/** A line longer than any passphrase is not one. */
const MAX_LINE_BYTES = 1024;
const ENTER = [0x0a, 0x0d];
const END = 0x04;
const INTERRUPT = 0x03;
const ERASE = [0x08, 0x7f];

/**
 * Reads one line byte by byte; the caller wipes it.
 * @throws GatewayError `key.passphrase-missing` at the end of input, on Ctrl-C and without a terminal.
 */
export async function readHidden(
  prompt: string,
  terminal: Terminal = PROCESS,
): Promise<Uint8Array> {
  const { input, output } = terminal;
  if (input.isTTY !== true)
    throw new GatewayError("key.passphrase-missing", { detail: "no terminal" });
  output.write(prompt);
  const line = Buffer.allocUnsafeSlow(MAX_LINE_BYTES);
  let length = 0;
  input.setRawMode?.(true);
  try {
    for await (const chunk of input.iterator({ destroyOnReturn: false })) {
      const typed = Uint8Array.from(chunk as Buffer);
      (chunk as Buffer).fill(0);
      try {
        for (const byte of typed) {
          if (ENTER.includes(byte)) return Uint8Array.from(line.subarray(0, length));
          if (byte === INTERRUPT || byte === END) throw new GatewayError("key.passphrase-missing");
          if (ERASE.includes(byte)) length = erased(line, length);
          else if (length < MAX_LINE_BYTES) line[length++] = byte;
        }
      } finally {
        typed.fill(0);
      }
    }
    throw new GatewayError("key.passphrase-missing");
  } finally {
    line.fill(0);
    input.setRawMode?.(false);
    input.pause();
    output.write("\n");
  }
}

/** Takes one character back: all bytes of its UTF-8 form. */
function erased(line: Buffer, length: number): number {
  let at = length;
  while (at > 0) {
    at -= 1;
    if (((line[at] ?? 0) & 0xc0) !== 0x80) break;
  }
  return at;
}

async function fromTerminal(
  context: CliContext,
  what: Words,
  fresh: boolean,
  terminal: Terminal,
): Promise<Uint8Array> {
  const name = context.say(what);
  const first = await readHidden(context.say({ zh: `${name}：`, en: `${name}: ` }), terminal);
  if (!fresh) return first;
  const again = context.say({ zh: `${name}（再输一次）：`, en: `${name} (again): ` });
  const second = await readHidden(again, terminal);
  const same = constantTimeEqual(first, second);
  second.fill(0);
  if (same) return first;
  first.fill(0);
  throw new GatewayError("key.passphrase-missing", { detail: "the two entries differ" });
}

function fromFile(path: string): Uint8Array {
  const bytes = readSecretFile(path, MAX_LINE_BYTES, "key.passphrase-missing");
  let end = bytes.length;
  while (end > 0 && ENTER.includes(bytes[end - 1] ?? 0)) end -= 1;
  const passphrase = Uint8Array.from(bytes.subarray(0, end));
  bytes.fill(0);
  return passphrase;
}

/** Which options say where a secret comes from, and how it is called at the terminal. */
export interface SecretOptions {
  readonly passphraseFile: string;
  readonly unlockFile?: string;
  readonly what: Words;
  /** It is being set, not used: asked twice. */
  readonly fresh?: boolean;
}

/** Runs `body` with an unlock source and wipes the passphrase afterwards. */
export async function withSecret<T>(
  context: CliContext,
  input: CliInput,
  options: SecretOptions,
  body: (unlock: UnlockSource) => T | Promise<T>,
  terminal: Terminal = PROCESS,
): Promise<T> {
  const file = options.unlockFile === undefined ? undefined : input.text(options.unlockFile);
  if (file !== undefined) return body({ file });
  const path = input.text(options.passphraseFile);
  if (path === undefined && terminal.input.isTTY !== true) {
    const others = [options.passphraseFile, options.unlockFile].filter(
      (name) => name !== undefined,
    );
    const detail = `no terminal: ${others.map((name) => `--${name} FILE`).join(" | ")}`;
    throw new GatewayError("key.passphrase-missing", { detail });
  }
  const passphrase =
    path === undefined
      ? await fromTerminal(context, options.what, options.fresh === true, terminal)
      : fromFile(path);
  try {
    return await body({ passphrase });
  } finally {
    passphrase.fill(0);
  }
}

/** @throws GatewayError `cli.usage` without `--yes` where nobody can be asked, or when the answer is no. */
export async function confirm(
  input: CliInput,
  context: CliContext,
  question: Words,
  terminal: Terminal = PROCESS,
): Promise<void> {
  if (input.flag("yes")) return;
  if (terminal.input.isTTY !== true) {
    throw new GatewayError("cli.usage", { detail: "no terminal to confirm at: --yes" });
  }
  const asked = context.say({
    zh: `${question.zh}（输入 yes 确认）`,
    en: `${question.en} (type yes)`,
  });
  const answer = await readHidden(`${asked} `, terminal);
  if (Buffer.from(answer).toString("utf8").trim() !== "yes") {
    throw new GatewayError("cli.usage", { detail: context.say({ zh: "已取消", en: "cancelled" }) });
  }
}
