/** Guarantee: the codes of setting up and running; see table.ts for what a row must say. */
import type { ErrorTable } from "./table.ts";

export const DEPLOY_ERRORS = {
  "setup.failed": {
    http: 500,
    grpc: "FAILED_PRECONDITION",
    actor: "system-admin",
    zh: "安装准备失败",
    en: "setting up failed",
    doZh: "按提示的步骤排查后重新运行 npm start",
    doEn: "look at the named step, then run npm start again",
  },
  "setup.media-lane-outbound": {
    http: 422,
    grpc: "FAILED_PRECONDITION",
    actor: "security-admin",
    zh: "业务网外发的介质通道未建：外发须经策略服务复核放行，该部分尚未实现",
    en: "no media lane out of the business network: what leaves it needs policy's releaser, which is not built",
    doZh: "只设置由外网出发的介质通道；见 deploy/THREAT-MODEL.md",
    doEn: "set up a media lane that begins in the extranet; see deploy/THREAT-MODEL.md",
  },
  "setup.already-running": {
    http: 409,
    grpc: "ALREADY_EXISTS",
    actor: "system-admin",
    zh: "本目录的光渡已在运行",
    en: "Lightferry is already running on this folder",
    doZh: "使用正在运行的实例，或先运行 lightferry stop",
    doEn: "use the running one, or run lightferry stop first",
  },
  "setup.port-taken": {
    http: 409,
    grpc: "ALREADY_EXISTS",
    actor: "system-admin",
    zh: "端口已被占用",
    en: "a port is already taken",
    doZh: "用 --port-base 换一段端口",
    doEn: "move all ports with --port-base",
  },
  "setup.not-running": {
    http: 503,
    grpc: "UNAVAILABLE",
    actor: "system-admin",
    zh: "光渡未在运行",
    en: "Lightferry is not running on this folder",
    doZh: "先运行 npm start",
    doEn: "run npm start first",
  },
  "setup.service-failed": {
    http: 503,
    grpc: "UNAVAILABLE",
    actor: "system-admin",
    zh: "服务未能启动",
    en: "a service did not come up",
    doZh: "查看该服务的日志文件",
    doEn: "read the log file of that service",
  },
} as const satisfies ErrorTable;
