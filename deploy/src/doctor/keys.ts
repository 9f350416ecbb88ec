/**
 * Guarantee: files with keys, passwords and unlock secrets are reachable by
 * their owner alone, and no unlock secret lies on the disk of what it opens.
 * Looks at names, owners and rights; opens no file.
 */
import { existsSync, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { unlockLocationWarnings } from "@lightferry/proto/keystore";
import { CERTIFICATE_USES } from "@lightferry/proto/pki";
import type { ZonePaths } from "../layout.ts";
import { ringDir, unlockFile } from "../setup/introduction.ts";
import { readZoneOptions, unlockDirOf } from "../setup/zone-options.ts";
import { type Finding, NOTHING } from "./finding.ts";
import { graveInProduction, type Machine } from "./machine.ts";

/** Deeper than any folder of keys, and more files than any holds. */
const MAX_DEPTH = 5;
const MAX_FILES = 20_000;
const OTHERS = 0o077;
/** Whoever may write in the folder may put another file in the place of a key. */
const OTHERS_WRITE = 0o022;
/** Paths shown; the count tells the rest. */
const SHOWN = 3;

interface Exposed {
  readonly path: string;
  readonly folder: boolean;
}

interface Walk {
  files: number;
  readonly exposed: Exposed[];
  readonly foreign: string[];
}

/** @param secret whether a file of this name holds a secret. */
function walk(
  folder: string,
  uid: number | undefined,
  secret: (name: string) => boolean,
  into: Walk,
  depth = 0,
): void {
  const own = lstatSync(folder, { throwIfNoEntry: false });
  if (own === undefined || !own.isDirectory()) return;
  if ((own.mode & OTHERS_WRITE) !== 0) into.exposed.push({ path: folder, folder: true });
  if (depth > MAX_DEPTH) return;
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat?.isDirectory() === true) walk(path, uid, secret, into, depth + 1);
    if (stat?.isFile() !== true || !secret(name) || into.files >= MAX_FILES) continue;
    into.files += 1;
    if ((stat.mode & OTHERS) !== 0) into.exposed.push({ path, folder: false });
    // root reads everything, so its own files and those it looks at are no finding.
    if (uid !== undefined && uid !== 0 && stat.uid !== uid) into.foreign.push(path);
  }
}

function shown(paths: readonly string[]): string {
  const more = paths.length > SHOWN ? ` +${paths.length - SHOWN}` : "";
  return `${paths.slice(0, SHOWN).join(" ")}${more}`;
}

function permissions(machine: Machine, label: string, found: Walk): Finding[] {
  if (found.files === 0) return [];
  const { exposed, foreign, files } = found;
  const state = exposed.length > 0 ? "fail" : foreign.length > 0 ? "warn" : "ok";
  const paths = exposed.length > 0 ? exposed.map(({ path }) => path) : foreign;
  return [
    {
      check: `keys.rights:${label}`,
      state,
      name: { zh: "密钥文件权限", en: "rights of key files" },
      found: `${label}: ${files - exposed.filter(({ folder }) => !folder).length}/${files}${paths.length > 0 ? `, ${shown(paths)}` : ""}`,
      means:
        state === "ok"
          ? { zh: "只有所有者可读", en: "readable by their owner only" }
          : state === "fail"
            ? {
                zh: "他人可读，或可换掉；服务会拒绝使用",
                en: "others can read or replace them; the services refuse them",
              }
            : { zh: "属于另一个用户", en: "they belong to another user" },
      advice:
        state === "ok"
          ? NOTHING
          : state === "fail"
            ? {
                zh: `chmod -R go-rwx ${shown(paths)}，并评估是否更换密钥`,
                en: `chmod -R go-rwx ${shown(paths)}, and consider replacing the keys`,
              }
            : {
                zh: `以该用户运行，或 chown（本用户 uid ${machine.uid}）`,
                en: `run as that user, or chown them (this user is uid ${machine.uid})`,
              },
    },
  ];
}

/**
 * Which uses have their unlock file, and which vaults lie, on the disk of their keys or content. A use without such a file
 * is opened by a credential of the service manager, which lies in memory.
 */
function unlockPlaces(machine: Machine, zone: string, paths: ZonePaths): Finding {
  const beside = [paths.spool, paths.outbox, paths.inbox, paths.postgres];
  const unlockDir = unlockDirOf(paths, readZoneOptions(paths.root));
  const together: string[] = CERTIFICATE_USES.filter((use) => {
    const unlock = { file: join(unlockDir, unlockFile(use)) };
    if (!existsSync(unlock.file)) return false;
    return unlockLocationWarnings({ unlock, beside: [ringDir(paths, use), ...beside] }).length > 0;
  });
  // The keys of content are vaults: whoever has one needs no unlock file.
  for (const vault of ["spool.vault", "sealed-away.vault"]) {
    const unlock = { file: join(unlockDir, vault) };
    if (existsSync(unlock.file) && unlockLocationWarnings({ unlock, beside }).length > 0)
      together.push(vault);
  }
  const ok = together.length === 0;
  return {
    check: `keys.unlock:${zone}`,
    state: ok ? "ok" : graveInProduction(machine),
    name: { zh: "解锁文件位置", en: "place of unlock files" },
    found: ok ? zone : `${zone}: ${together.join(" ")}`,
    means: ok
      ? { zh: "与密钥、内容不在同一磁盘", en: "on another disk than keys and content" }
      : {
          zh: "与密钥或内容同盘：丢一块磁盘即全部泄露",
          en: "on the disk of keys or content: one stolen disk gives everything away",
        },
    advice: ok
      ? NOTHING
      : {
          zh: "停止后连同两个 .vault 移到另一介质，在 zone.json 写明 unlockDir 再启动",
          en: "stop, move them and both .vault files to another medium, name it as unlockDir in zone.json, start",
        },
  };
}

const anyFile = () => true;

export function zoneKeys(machine: Machine, zone: string, paths: ZonePaths): Finding[] {
  const found: Walk = { files: 0, exposed: [], foreign: [] };
  walk(paths.keys, machine.uid, anyFile, found);
  const unlockDir = unlockDirOf(paths, readZoneOptions(paths.root));
  if (unlockDir !== paths.keys) walk(unlockDir, machine.uid, anyFile, found);
  // Configuration files carry the passwords of the databases.
  walk(paths.config, machine.uid, (name) => name.endsWith(".json"), found);
  walk(paths.tls, machine.uid, (name) => name.endsWith(".key.pem"), found);
  return [...permissions(machine, zone, found), unlockPlaces(machine, zone, paths)];
}

/** The signing authority's and the CAs' folder, where it lies on this machine. */
export function authorityKeys(machine: Machine, folder: string): Finding[] {
  const found: Walk = { files: 0, exposed: [], foreign: [] };
  walk(folder, machine.uid, (name) => /\.(key\.json|key|unlock|vault)$/.test(name), found);
  return permissions(machine, "authority", found);
}
