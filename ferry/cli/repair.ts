/**
 * Guarantee: `lightferry ferry ticket | repair | inventory` carry a wish for repair
 * from the receiving side to the sending one by file or QR code, and say what
 * became of it. Nothing counts for having been typed, carried or scanned: the
 * sending program verifies it.
 */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { rename, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  type CliContext,
  type CliInput,
  type CliVerb,
  EXIT,
  type ExitCode,
  type Words,
} from "@lightferry/proto/cli";
import { errorRow, GatewayError, isErrorCode } from "@lightferry/proto/errors";
import { QR_MAX_BYTES, QrCollector, qrParts, qrSvg } from "@lightferry/proto/pki";
import { countOf } from "../src/ranges.ts";
import { answerOf, type TicketAnswer, ticketsDir, wishPath } from "../src/repair/folder.ts";
import { issueTicket, wantedOf } from "../src/repair/issue.ts";
import { type Missing, missingPath, readMissing } from "../src/repair/missing.ts";
import { MAX_TICKET_BYTES, peekTicket } from "../src/repair/ticket.ts";
import { withFerryKey } from "./ferry-key.ts";

/** The sending program looks once a second, and asks its outbox. */
const ANSWER_MS = 15_000;
const ANSWER_LOOK_MS = 100;
const MISSING_FILE = /^missing-([A-Za-z0-9-]+)\.json$/;
/** 64 codes of 480 characters, and their line ends. */
const MAX_TEXT_BYTES = 64 * 512;

const NO_RECEIVER: Words = {
  zh: "没有找到接收程序（ferry-rx）的状态：它还没有在这里运行过",
  en: "no state of a receiving program (ferry-rx) was found: it has not run here",
};
const NO_SENDER: Words = {
  zh: "没有找到发送程序（ferry-tx）的状态：它还没有在这里运行过",
  en: "no state of a sending program (ferry-tx) was found: it has not run here",
};

function stateDir(context: CliContext, service: "ferry-tx" | "ferry-rx"): string {
  return join(context.home, context.zoneConfig().zone, "state", service);
}

async function ticket(context: CliContext, input: CliInput): Promise<ExitCode> {
  const out = input.text("out");
  const qr = input.text("qr");
  if (out === undefined && qr === undefined) {
    throw new GatewayError("cli.usage", { detail: "--out FILE | --qr DIR" });
  }
  const missing = await missingHere(context, input.text("lane"));
  if (missing === undefined) {
    context.out(context.say(NO_RECEIVER));
    return EXIT.unavailable;
  }
  if (wantedOf(missing).size === 0) {
    context.emitJson({ bundles: 0 });
    context.out(context.say({ zh: "没有可以补发的缺失数据包", en: "nothing can be asked for" }));
    return EXIT.done;
  }
  const maxBytes = qr === undefined ? MAX_TICKET_BYTES : QR_MAX_BYTES;
  const about = { lane: missing.lane, sender: missing.sender };
  const issued = await withFerryKey(
    context,
    input.text("operator"),
    "ferry ticket",
    about,
    (key) => {
      const made = issueTicket(missing, key.node, key.signer, Date.now(), maxBytes);
      if (made !== undefined) key.note({ ticket: made.id, bundles: String(made.bundles) });
      return made;
    },
  );
  if (issued === undefined) return EXIT.done;
  const { bytes, id, expiresMs, bundles, objects, left } = issued;
  const files: string[] = [];
  if (out !== undefined) {
    writeNew(out, bytes);
    files.push(out);
  }
  if (qr !== undefined) files.push(...writeCodes(qr, id, bytes));
  const pictureMs = missing.timeMs;
  context.emitJson({ ticket: id, bundles, objects, left, expiresMs, pictureMs, files });
  for (const file of files) context.out(file);
  context.out(
    context.say({
      zh: `补发单 ${id}：${bundles} 个数据包，其中 ${objects} 个只缺部分；缺失情况截至 ${clock(pictureMs)}；有效至 ${clock(expiresMs)}`,
      en: `repair ticket ${id}: ${bundles} bundles, ${objects} of them in part; as of ${clock(pictureMs)}; valid until ${clock(expiresMs)}`,
    }),
  );
  if (left > 0) {
    context.out(
      context.say({
        zh: `另有 ${left} 个放不下：补发之后再签发一张`,
        en: `${left} more found no room: write another ticket after the repair`,
      }),
    );
  }
  return EXIT.done;
}

async function repair(context: CliContext, input: CliInput): Promise<ExitCode> {
  const bytes = ticketBytes(input.positionals);
  const asked = peekTicket(bytes);
  const dir = ticketsDir(stateDir(context, "ferry-tx"));
  if (!existsSync(dir)) {
    context.out(context.say(NO_SENDER));
    return EXIT.unavailable;
  }
  const id = Buffer.from(asked.ticketId).toString("hex");
  const bundles = countOf(
    asked.streams.flatMap(({ ranges }) =>
      (ranges ?? []).map(({ first, last }) => [first ?? 0, last ?? 0] as const),
    ),
  );
  context.out(
    context.say({
      zh: `补发单 ${id}：通道 ${asked.lane}，${asked.receiver} 请 ${asked.sender} 补发 ${bundles} 个数据包`,
      en: `repair ticket ${id}: lane ${asked.lane}, ${asked.receiver} asks ${asked.sender} for ${bundles} bundles`,
    }),
  );
  const name = `${randomBytes(16).toString("hex")}.lft`;
  const path = join(dir, name);
  // Readable for the program, which runs as a user of its own; nothing in it is secret.
  await writeFile(`${path}.new`, bytes, { mode: 0o644 });
  await rename(`${path}.new`, path);
  const answer = await answered(join(dir, answerOf(name)));
  context.emitJson({ ticket: id, ...answer });
  return tell(context, answer);
}

function tell(context: CliContext, answer: TicketAnswer | undefined): ExitCode {
  if (answer === undefined) {
    context.out(
      context.say({
        zh: "已放入补发单文件夹；发送程序尚未回答：运行后会处理，结果见审计事件",
        en: "left in the folder for tickets; the sending program has not answered: it will when it runs, see its audit events",
      }),
    );
    return EXIT.unavailable;
  }
  const { code, detail = "", recalled, underWay, gone, goneRanges } = answer;
  if (code !== undefined) {
    const row = isErrorCode(code) ? errorRow(code) : undefined;
    context.out(`${code} ${detail}`);
    if (row !== undefined) context.out(`  ${context.say({ zh: row.zh, en: row.en })}`);
    if (row !== undefined) context.out(`  ${context.say({ zh: row.doZh, en: row.doEn })}`);
    return EXIT.refused;
  }
  context.out(
    context.say({
      zh: `已接受：重新排队 ${recalled} 个，正在发送 ${underWay} 个，无法补发 ${gone} 个`,
      en: `accepted: ${recalled} queued again, ${underWay} under way, ${gone} cannot be sent again`,
    }),
  );
  if (goneRanges) {
    context.out(
      context.say({
        zh: `无法补发的须由提交方重新提交：${goneRanges}`,
        en: `what cannot be sent again must be submitted anew: ${goneRanges}`,
      }),
    );
  }
  return EXIT.done;
}

async function inventory(context: CliContext): Promise<ExitCode> {
  const dir = stateDir(context, "ferry-tx");
  if (!existsSync(ticketsDir(dir))) {
    context.out(context.say(NO_SENDER));
    return EXIT.unavailable;
  }
  await writeFile(wishPath(dir), "", { mode: 0o644 });
  context.emitJson({ asked: true });
  context.out(
    context.say({
      zh: "已要求发送完整清单：发送程序一秒内开始；接收侧用 lightferry ferry gaps 查看",
      en: "a full inventory is asked for: the sending program begins within a second; see lightferry ferry gaps on the receiving side",
    }),
  );
  return EXIT.done;
}

/** @returns undefined when no receiving program has run here. @throws GatewayError `cli.usage`, `ferry.state-corrupt` */
async function missingHere(
  context: CliContext,
  wanted: string | undefined,
): Promise<Missing | undefined> {
  const dir = stateDir(context, "ferry-rx");
  const names = existsSync(dir) ? readdirSync(dir) : [];
  const lanes = names.flatMap((name) => MISSING_FILE.exec(name)?.[1] ?? []).sort();
  if (wanted !== undefined && !lanes.includes(wanted)) {
    throw new GatewayError("cli.usage", { detail: `--lane ${lanes.join(" | ")}` });
  }
  const lane = wanted ?? lanes[0];
  if (lane === undefined) return undefined;
  if (wanted === undefined && lanes.length > 1) {
    throw new GatewayError("cli.usage", { detail: `--lane ${lanes.join(" | ")}` });
  }
  return await readMissing(missingPath(dir, lane), { lane });
}

/** A ticket file, a file of scanned texts, or the texts themselves. */
function ticketBytes(given: readonly string[]): Uint8Array {
  const texts: string[] = [];
  for (const one of given) {
    if (one.startsWith("LF1:")) {
      texts.push(one);
      continue;
    }
    const bytes = readShort(one);
    const text = Buffer.from(bytes).toString("latin1");
    if (!text.trimStart().startsWith("LF1:")) {
      if (given.length > 1) throw new GatewayError("cli.usage", { detail: "one FILE" });
      return bytes;
    }
    texts.push(...text.split(/\r?\n/));
  }
  const collector = new QrCollector();
  for (const text of texts) if (text.trim() !== "") collector.add(text.trim());
  const whole = collector.result();
  if (whole !== undefined) return whole;
  throw new GatewayError("trust.qr-invalid", {
    detail: `parts missing: ${collector.missing().join(", ")}`,
  });
}

function readShort(path: string): Uint8Array {
  let size: number;
  try {
    ({ size } = statSync(path));
  } catch (cause) {
    throw new GatewayError("cli.usage", { detail: path, cause });
  }
  if (size > Math.max(MAX_TICKET_BYTES, MAX_TEXT_BYTES)) {
    throw new GatewayError("ferry.ticket-invalid", { detail: `${path}: ${size} bytes` });
  }
  return readFileSync(path);
}

/** One SVG a code, and all their texts one a line. */
function writeCodes(dir: string, id: string, bytes: Uint8Array): string[] {
  const parts = qrParts(bytes);
  const name = `ticket-${id.slice(0, 8)}`;
  mkdirSync(dir, { recursive: true });
  const files = parts.map((part, at) => {
    const path = join(dir, `${name}-${at + 1}-of-${parts.length}.svg`);
    writeNew(path, qrSvg(part));
    return path;
  });
  const texts = join(dir, `${name}.txt`);
  writeNew(texts, `${parts.join("\n")}\n`);
  return [...files, texts];
}

function writeNew(path: string, content: string | Uint8Array): void {
  try {
    writeFileSync(path, content, { flag: "wx", mode: 0o644 });
  } catch (cause) {
    throw new GatewayError("cli.usage", { detail: `${path} cannot be written anew`, cause });
  }
}

/** What the sending program said, and forgets. */
async function answered(path: string): Promise<TicketAnswer | undefined> {
  const until = Date.now() + ANSWER_MS;
  while (Date.now() < until) {
    try {
      const answer = JSON.parse(readFileSync(path, "utf8")) as TicketAnswer;
      await unlink(path).catch(() => undefined);
      return answer;
    } catch {
      // Not there, or not written to its end.
      await delay(ANSWER_LOOK_MS);
    }
  }
  return undefined;
}

function clock(ms: number): string {
  return new Date(ms).toISOString();
}

export const repairVerbs: readonly CliVerb[] = [
  {
    name: "ticket",
    summary: {
      zh: "接收侧：签发补发单，列明缺失的数据包",
      en: "receiving side: write a signed repair ticket that names what is missing",
    },
    usage: "--out FILE | --qr DIR [--lane LANE] [--operator NAME]",
    options: {
      out: { type: "string", value: "FILE", summary: { zh: "写入文件", en: "write it to a file" } },
      qr: {
        type: "string",
        value: "DIR",
        summary: { zh: "写成可打印的二维码（SVG）", en: "write it as printable QR codes (SVG)" },
      },
      lane: {
        type: "string",
        value: "LANE",
        summary: { zh: "通道，有多条时必填", en: "lane, where there are several" },
      },
      operator: {
        type: "string",
        value: "NAME",
        summary: { zh: "操作人，默认为系统用户", en: "who does it, the system's user by default" },
      },
    },
    args: [],
    examples: [
      {
        command: "ferry ticket --zone business --out repair.lft",
        summary: { zh: "写成文件带走", en: "to be carried as a file" },
      },
      {
        command: "ferry ticket --zone business --qr codes",
        summary: { zh: "打印二维码，用眼睛带走", en: "as codes, to be carried by eye" },
      },
    ],
    run: ticket,
  },
  {
    name: "repair",
    summary: {
      zh: "发送侧：提交补发单",
      en: "sending side: hand in a repair ticket",
    },
    usage: "FILE | TEXT…",
    args: [
      {
        name: "FILE",
        summary: {
          zh: "补发单文件、扫描文本的文件，或扫描到的文本",
          en: "ticket, file of scanned texts, or the texts",
        },
        many: true,
      },
    ],
    examples: [
      {
        command: "ferry repair repair.lft --zone extranet",
        summary: { zh: "提交文件", en: "hand in a file" },
      },
    ],
    run: repair,
  },
  {
    name: "inventory",
    summary: {
      zh: "发送侧：立即发送一份完整清单",
      en: "sending side: send a full inventory now",
    },
    usage: "",
    args: [],
    examples: [
      {
        command: "ferry inventory --zone extranet",
        summary: { zh: "让接收侧知道缺什么", en: "so that the far side knows what it lacks" },
      },
    ],
    run: inventory,
  },
];
