/**
 * Guarantee: of an appliance that ferries a folder for a zone: whether this machine's folders for it are there and shut,
 * whether a file can be renamed into place, and whether the password or key of its server is the owner's alone. No server is asked.
 */
import { statSync } from "node:fs";
import {
  type FerryDirectory,
  foldersOf,
  isChosen,
  secretsOf,
  shownOf,
} from "../setup/directory-lane.ts";
import { type Finding, NOTHING } from "./finding.ts";
import { graveInProduction, type Machine } from "./machine.ts";

/** Every right of others on a folder (ferry/DIRECTORY.md §6). */
const OTHERS = 0o007;
/** Every right of anybody but the owner on a secret. */
const NOT_OWNER = 0o077;
const RIGHTS = 0o777;

const rightsOf = (mode: number): string => (mode & RIGHTS).toString(8).padStart(4, "0");

function folder(machine: Machine, path: string): Finding {
  const found = statSync(path, { throwIfNoEntry: false });
  const about = {
    check: `appliance.folder:${path}`,
    name: { zh: "摆渡设备目录", en: "folder of the appliance" },
  };
  if (found?.isDirectory() !== true) {
    return {
      ...about,
      state: "fail",
      found: `${path}: –`,
      means: {
        zh: "目录不存在：通道停着，数据包在队列中等候",
        en: "it is not there: the lane stands still, its bundles wait",
      },
      advice: {
        zh: "建立或挂载该目录；路径见 zone.json 的 ferryDirectory",
        en: "make or mount it; its path is in ferryDirectory of zone.json",
      },
    };
  }
  const shut = (found.mode & OTHERS) === 0;
  return {
    ...about,
    state: shut ? "ok" : graveInProduction(machine),
    found: `${path}: ${rightsOf(found.mode)}`,
    means: shut
      ? { zh: "只有属主与同组可用", en: "for its owner and group alone" }
      : {
          zh: "其他账户可读写；生产模式拒绝启动",
          en: "open to others; production refuses to start",
        },
    advice: shut
      ? NOTHING
      : {
          zh: `chmod o-rwx ${path}，由设备账户与服务同组`,
          en: `chmod o-rwx ${path}; the appliance's account and the service share a group`,
        },
  };
}

function renames({ target }: FerryDirectory): Finding[] {
  if (target?.kind !== "folder" || target.staging === undefined) return [];
  const [from, to] = [target.staging, target.folder].map((path) =>
    statSync(path, { throwIfNoEntry: false }),
  );
  // The folders have findings of their own.
  if (from === undefined || to === undefined || from.dev === to.dev) return [];
  return [
    {
      check: `appliance.staging:${target.staging}`,
      state: "fail",
      name: { zh: "摆渡设备暂存目录", en: "staging folder of the appliance" },
      found: `${target.staging} ${target.folder}`,
      means: {
        zh: "两目录不在同一文件系统，无法改名移入",
        en: "on another file system: no file can be renamed into place",
      },
      advice: {
        zh: "把暂存目录放到投递目录所在的文件系统",
        en: "put it on the file system of the folder that files are dropped in",
      },
    },
  ];
}

function secret(path: string): Finding {
  const found = statSync(path, { throwIfNoEntry: false });
  const sound = found?.isFile() === true && (found.mode & NOT_OWNER) === 0;
  return {
    check: `appliance.secret:${path}`,
    state: sound ? "ok" : "fail",
    name: { zh: "摆渡设备口令或密钥", en: "password or key for the appliance" },
    found: `${path}: ${found === undefined ? "–" : rightsOf(found.mode)}`,
    means: sound
      ? { zh: "只有所有者可读", en: "readable by its owner only" }
      : {
          zh: "不存在，或他人可读；服务会拒绝使用",
          en: "missing, or others can read it; it is refused",
        },
    advice: sound
      ? NOTHING
      : {
          zh: `chmod 0400 ${path}，属主为服务账户`,
          en: `chmod 0400 ${path}, owned by the service's user`,
        },
  };
}

function server(zone: string, directory: FerryDirectory): Finding[] {
  const { target } = directory;
  if (target === undefined || target.kind === "folder") return [];
  const open = target.tls === "none";
  return [
    {
      check: `appliance.server:${zone}`,
      state: open ? "warn" : "ok",
      name: { zh: "摆渡设备服务器", en: "server of the appliance" },
      found: shownOf(directory),
      means: open
        ? {
            zh: "FTP 不加密：数据包已密封，口令在线路上可读",
            en: "FTP without TLS: bundles are sealed, the password can be read on the line",
          }
        : {
            zh: "加密连接，服务器须证明身份",
            en: "encrypted, and the server must prove who it is",
          },
      advice: open
        ? { zh: "设备支持时改用 ftpes 或 sftp", en: "use ftpes or sftp where the appliance can" }
        : NOTHING,
    },
  ];
}

/** None for a zone whose ferry has the gate. */
export function appliance(machine: Machine, zone: string, directory: FerryDirectory): Finding[] {
  if (!isChosen(directory)) return [];
  return [
    ...foldersOf(directory).map((path) => folder(machine, path)),
    ...renames(directory),
    ...server(zone, directory),
    ...secretsOf(directory).map(secret),
  ];
}
