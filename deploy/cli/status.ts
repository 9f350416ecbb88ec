/** Guarantee: shows which services of which zone run, as their supervisors last wrote it. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type CliContext, type CliNoun, EXIT, type ExitCode } from "@lightferry/proto/cli";
import { ZONES, zonePaths } from "../src/layout.ts";
import { isChosen, shownOf } from "../src/setup/directory-lane.ts";
import { applianceOf, receiptProgram, shownReceipts } from "../src/setup/receipt-lane.ts";
import { readZoneOptions } from "../src/setup/zone-options.ts";
import { lockHolder } from "../src/zone/lock.ts";

interface Row {
  readonly zone: string;
  readonly service: string;
  readonly state: "ready" | "starting" | "stopped";
  readonly pid: number | undefined;
  readonly restarts: number;
  /** Of a ferry program that has an appliance in place of the gate: its lane, and where files are put or taken. */
  readonly appliance?: string;
  /** Of the program that carries receipts: their lane, and by what. */
  readonly receipts?: string;
}

interface SupervisorFile {
  readonly postgresPid: number;
  readonly services: Readonly<
    Record<string, { readonly pid?: number; readonly ready: boolean; readonly restarts: number }>
  >;
}

function rowsOf(home: string): Row[] {
  return ZONES.flatMap((zone) => {
    const { root, state } = zonePaths(home, zone);
    const path = join(state, "supervisor.json");
    if (!existsSync(path)) return [];
    const running = lockHolder(join(state, "zone.lock")) !== undefined;
    const options = readZoneOptions(root);
    const file = JSON.parse(readFileSync(path, "utf8")) as SupervisorFile;
    const services = {
      postgres: { pid: file.postgresPid, ready: true, restarts: 0 },
      ...file.services,
    };
    return Object.entries(services).map(([service, { pid, ready, restarts }]): Row => {
      const state = running ? (ready ? "ready" : "starting") : "stopped";
      const row = { zone, service, state, pid: running ? pid : undefined, restarts } as const;
      if (service !== "ferry-tx" && service !== "ferry-rx") return row;
      if (service === receiptProgram(zone)) {
        return { ...row, receipts: shownReceipts(options.receiptLane) };
      }
      const appliance = applianceOf(zone, service, options);
      if (!isChosen(appliance)) return row;
      return { ...row, appliance: `${appliance.lane} ${shownOf(appliance)}` };
    });
  });
}

const STATES = {
  ready: { zh: "就绪", en: "ready" },
  starting: { zh: "启动中", en: "starting" },
  stopped: { zh: "已停止", en: "stopped" },
} as const;

function status(context: CliContext): Promise<ExitCode> {
  const rows = rowsOf(context.home);
  context.table(rows, [
    { title: { zh: "网络", en: "zone" }, value: "zone" },
    { title: { zh: "服务", en: "service" }, value: "service" },
    { title: { zh: "状态", en: "state" }, value: (row) => context.say(STATES[row.state]) },
    { title: { zh: "进程", en: "pid" }, value: "pid", align: "right" },
    { title: { zh: "重启次数", en: "restarts" }, value: "restarts", align: "right" },
    ...(rows.some(({ appliance }) => appliance !== undefined)
      ? [
          {
            title: { zh: "摆渡设备", en: "appliance" },
            value: (row: Row) => row.appliance ?? "",
          } as const,
        ]
      : []),
    ...(rows.some(({ receipts }) => receipts !== undefined)
      ? [
          {
            title: { zh: "回执通道", en: "lane of receipts" },
            value: (row: Row) => row.receipts ?? "",
          } as const,
        ]
      : []),
  ]);
  context.emitJson(rows);
  const allReady = rows.length > 0 && rows.every((row) => row.state === "ready");
  return Promise.resolve(allReady ? EXIT.done : EXIT.unavailable);
}

export const noun: CliNoun = {
  name: "status",
  summary: { zh: "查看两个网络的服务状态", en: "show the services of both zones" },
  verbs: [
    {
      name: "",
      summary: { zh: "列出服务、进程与重启次数", en: "list services, processes and restarts" },
      usage: "",
      args: [],
      examples: [
        {
          command: "status --json",
          summary: {
            zh: "供脚本使用；全部就绪时退出码为 0",
            en: "for scripts; exit code 0 when all are ready",
          },
        },
      ],
      run: status,
    },
  ],
};
