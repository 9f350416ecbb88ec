/** Guarantee: `lightferry ferry inventory` asks the sending program for a full inventory and changes nothing else. */
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { type CliContext, type CliVerb, EXIT, type ExitCode } from "@lightferry/proto/cli";
import { ticketsDir, wishPath } from "../src/repair/folder.ts";
import { NO_SENDER, stateDir } from "./program-state.ts";

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

export const inventoryVerb: CliVerb = {
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
};
