/**
 * Guarantee: `lightferry ferry repair` hands a ticket to the sending program, from a file, a file of scanned texts
 * or the texts, and says what became of it. Nothing counts for having been typed, carried or scanned: the sending
 * program verifies it.
 */
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { rename, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  type CliContext,
  type CliInput,
  type CliVerb,
  EXIT,
  type ExitCode,
} from "@lightferry/proto/cli";
import { errorRow, GatewayError, isErrorCode } from "@lightferry/proto/errors";
import { QrCollector } from "@lightferry/proto/pki";
import { countOf } from "../src/ranges.ts";
import { answerOf, type TicketAnswer, ticketsDir } from "../src/repair/folder.ts";
import { MAX_TICKET_BYTES, peekTicket } from "../src/repair/ticket.ts";
import { NO_SENDER, stateDir } from "./program-state.ts";

/** The sending program looks once a second, and asks its outbox. */
const ANSWER_MS = 15_000;
const ANSWER_LOOK_MS = 100;
/** 64 codes of 480 characters, and their line ends. */
const MAX_TEXT_BYTES = 64 * 512;

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

export const repairVerb: CliVerb = {
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
};
