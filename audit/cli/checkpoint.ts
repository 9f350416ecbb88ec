/**
 * Guarantee: `lightferry audit checkpoint` writes a signed checkpoint to a new file, to be kept where
 * nobody who can change this log can reach it. With it `audit verify --checkpoint` finds a log that was
 * cut back or rewritten as a whole, which no log can show by itself.
 */
import { writeFileSync } from "node:fs";
import { type CliContext, type CliVerb, EXIT } from "@lightferry/proto/cli";
import { GatewayError } from "@lightferry/proto/errors";
import { readNote } from "../src/verify/note.ts";
import { newestNote } from "../src/verify/rows.ts";
import { localTime } from "./words.ts";

export const checkpoint: CliVerb = {
  name: "checkpoint",
  summary: {
    zh: "取出检查点另行留存，供日后核验",
    en: "write out a checkpoint, to be kept elsewhere for later verifications",
  },
  usage: "--out FILE [--witnessed]",
  args: [],
  options: {
    out: {
      type: "string",
      value: "FILE",
      summary: { zh: "写入的新文件", en: "the new file" },
    },
    witnessed: {
      type: "boolean",
      summary: {
        zh: "取本网络所见证的对端检查点，用于在对端核验",
        en: "that of the other zone, as this zone witnessed it: for the verification over there",
      },
    },
  },
  examples: [
    {
      command: "audit checkpoint --zone business --witnessed --out extranet.note",
      summary: {
        zh: "由业务网取出外网日志的检查点，在外网以 audit verify --checkpoint 核对",
        en: "the extranet's checkpoint as the business zone has it; over there: audit verify --checkpoint",
      },
    },
  ],
  run: async (context, input) => {
    const out = input.text("out");
    if (out === undefined) throw new GatewayError("cli.usage", { detail: "--out FILE" });
    const config = context.zoneConfig();
    const databaseUrl = config.databaseUrls.audit;
    if (databaseUrl === undefined) {
      throw new GatewayError("config.invalid", { detail: "cli.json: databaseUrls.audit" });
    }
    const of = input.values.witnessed === true ? "witness" : "checkpoint";
    const note = await newestNote(databaseUrl, of);
    if (note === undefined) throw new GatewayError("audit.checkpoint-none");
    try {
      writeFileSync(out, note, { flag: "wx", mode: 0o644, flush: true });
    } catch (cause) {
      throw new GatewayError("cli.usage", { detail: `${out} cannot be written`, cause });
    }
    show(context, out, note);
    return EXIT.done;
  },
};

function show(context: CliContext, out: string, note: string): void {
  const read = readNote(note);
  // What is not of the form is written out all the same: it is what the log holds.
  if (read === undefined) throw new GatewayError("audit.witness-invalid", { detail: out });
  const { origin, size, loggedMs } = read;
  const root = Buffer.from(read.root).toString("hex");
  context.emitJson({ out, origin, size, root, loggedMs });
  context.out(
    context.say({
      zh: `检查点已写入 ${out}：${origin}，长度 ${size}，${localTime(loggedMs)}`,
      en: `checkpoint written to ${out}: ${origin}, size ${size}, ${localTime(loggedMs)}`,
    }),
  );
}
