/** Guarantee: ends what runs on a home folder in order and returns when it is gone. */
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type CliContext, type CliNoun, EXIT, type ExitCode } from "@lightferry/proto/cli";
import { GatewayError } from "@lightferry/proto/errors";
import { ZONES, zonePaths } from "../src/layout.ts";
import { type LockRecord, lockHolder } from "../src/zone/lock.ts";

/** Services may take 10 s to end, PostgreSQL 30 s more on a slow disk. */
const STOP_LIMIT_MS = 60_000;
const POLL_MS = 50;

async function stop(context: CliContext): Promise<ExitCode> {
  const locks = [
    join(context.home, "start.lock"),
    ...ZONES.map((zone) => join(zonePaths(context.home, zone).state, "zone.lock")),
  ];
  const holders = locks.flatMap((path): [string, LockRecord][] => {
    const holder = lockHolder(path);
    return holder === undefined ? [] : [[path, holder]];
  });
  if (holders.length === 0) throw new GatewayError("setup.not-running", { detail: context.home });
  // The start ends its zones itself; a zone that runs without it is asked directly.
  const asked = holders.some(([path]) => path === locks[0]) ? holders.slice(0, 1) : holders;
  for (const [, { pid }] of asked) process.kill(pid, "SIGTERM");
  const deadline = Date.now() + STOP_LIMIT_MS;
  while (locks.some((path) => lockHolder(path) !== undefined)) {
    if (Date.now() > deadline) {
      throw new GatewayError("setup.service-failed", { detail: "still running after a minute" });
    }
    await delay(POLL_MS);
  }
  context.out(context.say({ zh: "已停止。", en: "Stopped." }));
  context.emitJson({ stopped: holders.map(([, { pid }]) => pid) });
  return EXIT.done;
}

export const noun: CliNoun = {
  name: "stop",
  summary: { zh: "停止本目录上运行的光渡", en: "stop what runs on this folder" },
  verbs: [
    {
      name: "",
      summary: { zh: "停止两个网络的全部服务", en: "stop all services of both zones" },
      usage: "",
      args: [],
      examples: [
        {
          command: "stop",
          summary: { zh: "停止 .lightferry 上的实例", en: "stop what runs on .lightferry" },
        },
      ],
      run: stop,
    },
  ],
};
