/** Guarantee: what a program of this folder left on this machine is looked for in one place, and said to be missing in the same words. */
import { join } from "node:path";
import type { CliContext, Words } from "@lightferry/proto/cli";

export const NO_RECEIVER: Words = {
  zh: "没有找到接收程序（ferry-rx）的状态：它还没有在这里运行过",
  en: "no state of a receiving program (ferry-rx) was found: it has not run here",
};
export const NO_SENDER: Words = {
  zh: "没有找到发送程序（ferry-tx）的状态：它还没有在这里运行过",
  en: "no state of a sending program (ferry-tx) was found: it has not run here",
};

export function stateDir(context: CliContext, service: "ferry-tx" | "ferry-rx"): string {
  return join(context.home, context.zoneConfig().zone, "state", service);
}
