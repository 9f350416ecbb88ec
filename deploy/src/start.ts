/**
 * Guarantee: brings up both zones on this machine, each with its own
 * processes, database cluster, keys and folders; moves real input across the
 * one-way gate; shows where each exchange ended; stays up until it is stopped.
 *
 * Usage: npm start -- [--once] [--receipt-lane] [--home DIR] [--port-base N]
 */
import { existsSync, mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { asGatewayError, GatewayError } from "@lightferry/proto/errors";
import { runDemo } from "./demo/run-demo.ts";
import { printHead } from "./demo/table.ts";
import { PORT_SPAN, tcpPorts, ZONES, zonePaths, zonePorts } from "./layout.ts";
import { REPOSITORY } from "./repository.ts";
import { issueDemo } from "./setup/authority.ts";
import { introduceZone } from "./setup/introduction.ts";
import {
  DEFAULT_OPTIONS,
  DEMO_RECEIPT_LANE,
  readZoneOptions,
  writeZoneOptions,
  type ZoneOptions,
} from "./setup/zone-options.ts";
import { takeLock } from "./zone/lock.ts";
import { ZoneProcess } from "./zone/zone-process.ts";

const USAGE = `npm start -- [--once] [--receipt-lane] [--home DIR] [--port-base N]
  --once         演示结束后停止，全部按预期才返回 0 / end after the demonstration, 0 only if all ended as it must
  --receipt-lane 另设一条只走回执的反向通道 / also a lane back, by a gate of its own, for receipts alone
  --home DIR     安装目录 / folder of the installation (.lightferry)
  --port-base N  端口起点 / first port (${DEFAULT_OPTIONS.portBase})`;

function readWords() {
  try {
    return parseArgs({
      options: {
        once: { type: "boolean", default: false },
        "receipt-lane": { type: "boolean", default: false },
        home: { type: "string", default: join(REPOSITORY, ".lightferry") },
        "port-base": { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    }).values;
  } catch (cause) {
    console.error(`${cause instanceof Error ? cause.message : ""}\n${USAGE}`);
    process.exit(2);
  }
}

const values = readWords();
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}

function portBase(): number | undefined {
  const text = values["port-base"];
  if (text === undefined) return undefined;
  const base = Number(text);
  if (!Number.isInteger(base) || base < 1024 || base + PORT_SPAN > 65_535) {
    throw new GatewayError("config.invalid", {
      detail: `--port-base ${text}: 1024…${65_535 - PORT_SPAN}`,
    });
  }
  return base;
}

/** @throws GatewayError `setup.port-taken` naming the first port that somebody else holds. */
async function checkPorts(base: number): Promise<void> {
  for (const zone of ZONES) {
    // A gate is UDP: what else listens there does not take its port.
    for (const port of tcpPorts(zone, base)) {
      await new Promise<void>((free, taken) => {
        const probe = createServer();
        probe.once("error", () =>
          taken(new GatewayError("setup.port-taken", { detail: `127.0.0.1:${port}` })),
        );
        probe.listen(port, "127.0.0.1", () => probe.close(() => free()));
      });
    }
  }
}

async function setUp(home: string): Promise<ZoneOptions> {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  // The demonstration would put its own root, anchor and registry in the place of theirs.
  for (const zone of ZONES) {
    if (readZoneOptions(zonePaths(home, zone).root).mode === "production") {
      const detail = `${zone} in ${home} is a production zone: start it by deploy/src/zone/supervisor.ts`;
      throw new GatewayError("setup.failed", { detail });
    }
  }
  const introductions = [];
  for (const zone of ZONES) {
    introductions.push(await introduceZone(home, zone, { demo: true }));
  }
  const [first] = ZONES;
  const kept = first === undefined ? DEFAULT_OPTIONS : readZoneOptions(zonePaths(home, first).root);
  const receiptLane = values["receipt-lane"] ? DEMO_RECEIPT_LANE : kept.receiptLane;
  const options = { ...kept, portBase: portBase() ?? kept.portBase, receiptLane };
  await issueDemo(home, introductions, receiptLane, kept.ferryDirectory.lane);
  for (const zone of ZONES) {
    const { root } = zonePaths(home, zone);
    // Two zones never share a place for their unlock files.
    writeZoneOptions(root, { ...options, unlockDir: readZoneOptions(root).unlockDir });
  }
  return options;
}

async function main(): Promise<number> {
  const home = resolve(values.home);
  const again = existsSync(home);
  const release = takeLock(join(home, "start.lock"), portBase() ?? 0);
  const zones: ZoneProcess[] = [];
  const stop = async () => {
    await Promise.all(zones.map((zone) => zone.stop()));
    release();
  };
  let asked: () => void = () => undefined;
  const askedToStop = new Promise<void>((resolveStop) => {
    asked = resolveStop;
  });
  process.on("SIGINT", () => asked());
  process.on("SIGTERM", () => asked());
  try {
    say(
      again
        ? "从已有状态继续 / resuming from what is there"
        : "首次准备：密钥（演示）、许可、证书、数据库 / first set-up: keys (演示), licences, certificates, databases",
    );
    const options = await setUp(home);
    await checkPorts(options.portBase);
    for (const zone of ZONES) {
      zones.push(
        new ZoneProcess(home, zone, ({ event, service, pid }) => {
          if (event === "service-ready")
            say(`  ${zone}/${service ?? ""} 就绪 / ready (pid ${pid ?? 0})`);
          else if (event === "service-exit")
            say(`  ${zone}/${service ?? ""} 退出，重新启动 / ended, starting again`);
        }),
      );
    }
    const up = Promise.all(zones.map((zone) => zone.ready));
    const early = await Promise.race([up.then(() => false), askedToStop.then(() => true)]);
    if (early) return 0;
    say("两个网络均已就绪，开始提交真实数据 / both networks are up; submitting real input\n");
    printHead();
    const stopped = askedToStop.then(() => ({ ok: true, crossed: "" }));
    const { ok, crossed } = await Promise.race([runDemo(home, options), stopped]);
    say(
      ok
        ? "\n全部按预期结束。/ Everything ended as it must."
        : "\n有交换未按预期结束。/ Something did not end as it must.",
    );
    if (values.once) return ok ? 0 : 1;
    printNext(home, options, crossed);
    await askedToStop;
    return 0;
  } finally {
    say("正在停止 … / stopping …");
    await stop();
  }
}

function say(text: string): void {
  console.log(text);
}

function printNext(home: string, options: ZoneOptions, crossed: string): void {
  const elsewhere = home === resolve(".lightferry") ? "" : ` --home ${home}`;
  const command = (words: string) => `  npx lightferry ${words}${elsewhere}`;
  const id = crossed === "" ? "ID" : crossed;
  const [extranet, business] = ZONES.map((zone) => zonePorts(zone, options.portBase));
  say(`
接口 / APIs
  电子政务外网 extranet     https://127.0.0.1:${extranet?.api}/v1   (/openapi.json, /v1/errors)
  自然资源业务网 business   https://127.0.0.1:${business?.api}/v1
  演示业务系统 receiver     http://127.0.0.1:${business?.receiver}/records
  监视文件夹 watched folder ${join(home, "extranet/outgoing")}
  落地文件 drop folder      ${join(home, "business/drop")}

接下来可以试 / try next
${[
  "exchange list --zone extranet",
  `exchange show ${id} --zone extranet`,
  `audit trail ${id} --zone business`,
  "audit list --zone extranet --outcome refused",
  "audit verify --zone business",
  "ferry status --zone extranet",
  "token issue registration-office --zone extranet",
]
  .map(command)
  .join("\n")}
${command("stop")}   (或 Ctrl-C / or Ctrl-C)
`);
}

try {
  process.exitCode = await main();
} catch (error) {
  const fault = asGatewayError(error);
  console.error(`${fault.row.zh}：${fault.detail}\n  → ${fault.row.doZh}`);
  console.error(`${fault.message}\n  → ${fault.row.doEn}`);
  if (fault.code === "internal.fault") console.error(fault.cause);
  process.exitCode = 1;
}
