/**
 * Guarantee: `lightferry ferry ticket` writes a signed repair ticket that names what is missing here, as a file or
 * as QR codes, and never over what is there already.
 */
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import {
  type CliContext,
  type CliInput,
  type CliVerb,
  EXIT,
  type ExitCode,
} from "@lightferry/proto/cli";
import { GatewayError } from "@lightferry/proto/errors";
import { QR_MAX_BYTES, writeQrFiles } from "@lightferry/proto/pki";
import { issueTicket, wantedOf } from "../src/repair/issue.ts";
import { type Missing, missingPath, readMissing } from "../src/repair/missing.ts";
import { MAX_TICKET_BYTES } from "../src/repair/ticket.ts";
import { withFerryKey } from "./ferry-key.ts";
import { NO_RECEIVER, stateDir } from "./program-state.ts";

const MISSING_FILE = /^missing-([A-Za-z0-9-]+)\.json$/;

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
  if (qr !== undefined)
    files.push(...writeQrFiles(qr, `ticket-${id.slice(0, 8)}`, bytes, writeNew));
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

function writeNew(path: string, content: string | Uint8Array): void {
  try {
    writeFileSync(path, content, { flag: "wx", mode: 0o644 });
  } catch (cause) {
    throw new GatewayError("cli.usage", { detail: `${path} cannot be written anew`, cause });
  }
}

function clock(ms: number): string {
  return new Date(ms).toISOString();
}

export const ticketVerb: CliVerb = {
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
};
