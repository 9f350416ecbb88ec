/** Guarantee: tells what of this machine Lightferry uses, what it lacks, and what to do about it. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, statfsSync } from "node:fs";
import { type CliContext, type CliNoun, EXIT, type ExitCode } from "@lightferry/proto/cli";
import { asGatewayError } from "@lightferry/proto/errors";
import { bulkInUse, loadProvider } from "@lightferry/proto/sm";

interface Finding {
  readonly check: string;
  readonly ok: boolean;
  readonly found: string;
  /** Empty when there is nothing to do. */
  readonly advice: { readonly zh: string; readonly en: string };
}

const NOTHING = { zh: "", en: "" };
/** What each check is called on screen; `--json` keeps the names. */
const CHECKS: Readonly<Record<string, { readonly zh: string; readonly en: string }>> = {
  node: { zh: "Node 版本", en: "Node version" },
  "sm-provider": { zh: "国密算法", en: "SM cryptography" },
  "sm4-bulk": { zh: "SM4 批量加解密", en: "SM4 in bulk" },
  "postgres-as-user": { zh: "数据库运行身份", en: "user of PostgreSQL" },
  "net.core.rmem_max": { zh: "接收缓冲上限 rmem_max", en: "receive buffer rmem_max" },
  disk: { zh: "磁盘空间", en: "disk space" },
  clock: { zh: "系统时钟", en: "system clock" },
};
/** Room for a spool of one large file, its bundle and the database's log. */
const WANTED_DISK_BYTES = 10e9;
/** 0.75 s of a 1 Gb/s line: below this the kernel drops frames while the receiver pauses. */
const WANTED_RECEIVE_BUFFER = 96 * 1024 * 1024;

function provider(): Finding {
  try {
    const { name } = loadProvider();
    return {
      check: "sm-provider",
      ok: true,
      found: `${name}, OpenSSL ${process.versions.openssl}, self-test passed`,
      advice: NOTHING,
    };
  } catch (error) {
    const { row, detail } = asGatewayError(error);
    return {
      check: "sm-provider",
      ok: false,
      found: detail,
      advice: { zh: row.doZh, en: row.doEn },
    };
  }
}

/** Never a reason to refuse: OpenSSL does the same, several times slower. */
function bulk(): Finding {
  const { name, reason } = bulkInUse();
  return {
    check: "sm4-bulk",
    ok: true,
    found: reason === "" ? `${name}, self-test passed` : `${name}: ${reason}`,
    advice:
      reason === "" || process.env.LIGHTFERRY_SM4_BULK === "openssl"
        ? NOTHING
        : {
            zh: "apt-get install libgcrypt20（可选，SM4 约快四倍）",
            en: "apt-get install libgcrypt20 (optional, SM4 about four times as fast)",
          },
  };
}

function runtime(): Finding {
  const ok = process.versions.node.startsWith("26.");
  return {
    check: "node",
    ok,
    found: process.versions.node,
    advice: ok
      ? NOTHING
      : {
          zh: "用 npm start 启动以使用固定版本",
          en: "start through npm, which uses the pinned one",
        },
  };
}

function userNamespaces(): Finding {
  const asRoot = process.getuid?.() === 0;
  const probe = spawnSync("unshare", ["--user", "--map-user=1", "--map-group=1", "true"]);
  const ok = !asRoot || probe.status === 0;
  return {
    check: "postgres-as-user",
    ok,
    found: asRoot ? `root, user namespaces ${ok ? "usable" : "refused"}` : "ordinary user",
    advice: ok ? NOTHING : { zh: "改用普通用户运行", en: "run as an ordinary user" },
  };
}

function receiveBuffer(): Finding {
  const path = "/proc/sys/net/core/rmem_max";
  const limit = existsSync(path) ? Number(readFileSync(path, "utf8")) : 0;
  const ok = limit >= WANTED_RECEIVE_BUFFER || process.getuid?.() === 0;
  return {
    check: "net.core.rmem_max",
    ok,
    found: `${limit} bytes${process.getuid?.() === 0 ? ", lifted by SO_RCVBUFFORCE" : ""}`,
    advice: ok
      ? NOTHING
      : {
          zh: `sysctl -w net.core.rmem_max=${WANTED_RECEIVE_BUFFER}`,
          en: `sysctl -w net.core.rmem_max=${WANTED_RECEIVE_BUFFER}`,
        },
  };
}

function disk(home: string): Finding {
  const at = existsSync(home) ? home : ".";
  const { bavail, bsize } = statfsSync(at);
  const free = bavail * bsize;
  const ok = free >= WANTED_DISK_BYTES;
  return {
    check: "disk",
    ok,
    found: `${(free / 1e9).toFixed(1)} GB free`,
    advice: ok ? NOTHING : { zh: "腾出至少 10 GB", en: "make at least 10 GB free" },
  };
}

function clock(): Finding {
  const year = new Date().getUTCFullYear();
  const ok = year >= 2026;
  return {
    check: "clock",
    ok,
    found: new Date().toISOString(),
    advice: ok ? NOTHING : { zh: "校准系统时钟", en: "set the system clock" },
  };
}

function doctor(context: CliContext): Promise<ExitCode> {
  const findings = [
    runtime(),
    provider(),
    bulk(),
    userNamespaces(),
    receiveBuffer(),
    disk(context.home),
    clock(),
  ];
  context.table(findings, [
    { title: { zh: "", en: "" }, value: (row) => (row.ok ? "✔" : "✘") },
    {
      title: { zh: "检查", en: "check" },
      value: ({ check }) => context.say(CHECKS[check] ?? { zh: check, en: check }),
    },
    { title: { zh: "结果", en: "found" }, value: "found" },
    { title: { zh: "怎么办", en: "what to do" }, value: (row) => context.say(row.advice) },
  ]);
  context.emitJson(findings);
  return Promise.resolve(findings.every((finding) => finding.ok) ? EXIT.done : EXIT.unavailable);
}

export const noun: CliNoun = {
  name: "doctor",
  summary: { zh: "检查本机是否满足运行条件", en: "check whether this machine is fit to run on" },
  verbs: [
    {
      name: "",
      summary: { zh: "逐项检查并给出处理办法", en: "check each point and say what to do" },
      usage: "",
      args: [],
      examples: [{ command: "doctor", summary: { zh: "检查本机", en: "check this machine" } }],
      run: doctor,
    },
  ],
};
