/** Guarantee: limits of the kernel that the gate, the databases and many open files run into. */
import { GATE_RECEIVE_BUFFER_BYTES } from "../setup/ferry-way.ts";
import { command, type Finding, NOTHING, type State, UNKNOWN } from "./finding.ts";
import { graveInProduction, type Machine } from "./machine.ts";

/** What ferry-tx asks for: several bursts, so that it does not wait for the device after each. */
const SEND_BUFFER = 1024 * 1024;
/** Bundles, spools and connections of one process at its busiest, several times over. */
const OPEN_FILES = 4_096;

function buffer(
  machine: Machine,
  name: "rmem_max" | "wmem_max",
  wanted: number,
  lacking: State,
): Finding[] {
  const limit = machine.read(`/proc/sys/net/core/${name}`);
  if (limit === undefined) return [];
  // SO_RCVBUFFORCE goes past the limit; ferry-tx has no such need.
  const forced = machine.uid === 0 && name === "rmem_max";
  const ok = Number(limit) >= wanted || forced;
  const receiving = name === "rmem_max";
  return [
    {
      check: `net.core.${name}`,
      state: ok ? "ok" : lacking,
      name: receiving
        ? { zh: "接收缓冲上限 rmem_max", en: "receive buffer rmem_max" }
        : { zh: "发送缓冲上限 wmem_max", en: "send buffer wmem_max" },
      found: `${limit} / ${wanted}${forced ? ", root: SO_RCVBUFFORCE" : ""}`,
      means: ok
        ? { zh: "够光闸使用", en: "enough for the gate" }
        : receiving
          ? {
              zh: "接收端停顿时内核会丢帧；生产模式拒绝启动",
              en: "the kernel drops frames while the receiver pauses; production refuses to start",
            }
          : { zh: "光闸发送达不到全速", en: "the gate does not send at full speed" },
      advice: ok ? NOTHING : command(`sysctl -w net.core.${name}=${wanted}`),
    },
  ];
}

function openFiles(machine: Machine): Finding[] {
  const limits = machine.read("/proc/self/limits");
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(limits ?? "")?.[1];
  if (hard === undefined) return [];
  const ok = hard === "unlimited" || Number(hard) >= OPEN_FILES;
  return [
    {
      check: "nofile",
      state: ok ? "ok" : "warn",
      name: { zh: "打开文件数上限", en: "open files" },
      // Node raises its soft limit to the hard one when it starts.
      found: `${hard} / ${OPEN_FILES}`,
      means: ok
        ? { zh: "够用", en: "enough" }
        : { zh: "繁忙时会打不开文件或连接", en: "files and connections fail to open when busy" },
      advice: ok
        ? NOTHING
        : {
            zh: `systemd 单元写 LimitNOFILE=${OPEN_FILES * 16}，或 ulimit -Hn`,
            en: `LimitNOFILE=${OPEN_FILES * 16} in the systemd unit, or ulimit -Hn`,
          },
    },
  ];
}

/** PostgreSQL does not run as root: a start by root gives it another user in a namespace. */
function userNamespaces(machine: Machine): Finding[] {
  const most = machine.read("/proc/sys/user/max_user_namespaces");
  if (machine.uid !== 0) return [];
  const probe = machine.run("unshare", ["--user", "--map-user=1", "--map-group=1", "true"]);
  const ok = probe?.status === 0;
  return [
    {
      check: "user-namespaces",
      state: ok ? "ok" : "fail",
      name: { zh: "数据库运行身份", en: "user of PostgreSQL" },
      found: `root, max_user_namespaces ${most ?? UNKNOWN}`,
      means: ok
        ? {
            zh: "数据库在用户命名空间里以普通用户运行",
            en: "PostgreSQL runs as another user in a namespace",
          }
        : {
            zh: "数据库不能以 root 运行，也换不了用户",
            en: "PostgreSQL cannot run as root nor change its user",
          },
      advice: ok ? NOTHING : { zh: "改用普通用户运行", en: "run as an ordinary user" },
    },
  ];
}

export function kernelLimits(machine: Machine): Finding[] {
  return [
    ...buffer(machine, "rmem_max", GATE_RECEIVE_BUFFER_BYTES, graveInProduction(machine)),
    ...buffer(machine, "wmem_max", SEND_BUFFER, "warn"),
    ...openFiles(machine),
    ...userNamespaces(machine),
  ];
}
