/** Guarantee: the words of `setup` for an appliance that ferries a folder are whole and fit the zone before anything is made. */
import { existsSync } from "node:fs";
import { isAbsolute, resolve } from "node:path";
import { type CliInput, type CliVerb, readUpTo } from "@lightferry/proto/cli";
import { GatewayError } from "@lightferry/proto/errors";
import { ZONE_SERVICES, type ZoneName } from "../src/layout.ts";
import {
  type DirectoryTarget,
  dropOf,
  type FerryDirectory,
  PROFILE_NAMES,
  profileNamed,
} from "../src/setup/directory-lane.ts";

/** A profile has fifteen settings. */
const MAX_PROFILE_BYTES = 65_536;
const DEFAULT_PROFILE = "8.3";

/** Only where the zone sends. */
const SENDING = ["drop", "profile", "staging", "password", "key", "host-key", "ca"] as const;

export const DIRECTORY_OPTIONS: NonNullable<CliVerb["options"]> = {
  "directory-lane": {
    type: "string",
    value: "LANE",
    summary: {
      zh: "由摆渡文件夹的设备代替光闸承运的通道，两侧相同（ferry/DIRECTORY.md）",
      en: "the lane that an appliance which ferries a folder carries in place of the gate, the same on both sides (ferry/DIRECTORY.md)",
    },
  },
  "directory-drop": {
    type: "string",
    value: "FOLDER|URL",
    summary: {
      zh: "外网侧投递处：目录，或 sftp|ftp|ftpes|ftps://用户@主机[:端口]/目录",
      en: "extranet: where files are dropped, a folder or sftp|ftp|ftpes|ftps://USER@HOST[:PORT]/FOLDER",
    },
  },
  "directory-profile": {
    type: "string",
    value: "PROFILE",
    summary: {
      zh: `外网侧，设备的限制：${PROFILE_NAMES.join("、")}，或 JSON 文件；默认 ${DEFAULT_PROFILE}`,
      en: `extranet: what the appliance bears, ${PROFILE_NAMES.join(", ")} or a JSON file; ${DEFAULT_PROFILE} by default`,
    },
  },
  "directory-staging": {
    type: "string",
    value: "FOLDER",
    summary: {
      zh: "外网侧，设备能见改名时：先在此目录写成再改名移入",
      en: "extranet, where the appliance sees renames: files are made in this folder first",
    },
  },
  "directory-password": {
    type: "string",
    value: "FILE",
    summary: { zh: "外网侧，服务器口令文件", en: "extranet: file of the server's password" },
  },
  "directory-key": {
    type: "string",
    value: "FILE",
    summary: { zh: "外网侧，SFTP 私钥文件", en: "extranet: private key for SFTP" },
  },
  "directory-host-key": {
    type: "string",
    value: "SHA256:…",
    summary: {
      zh: "外网侧，SFTP 主机密钥摘要（ssh-keygen -l）",
      en: "extranet: digest of the SFTP server's host key (ssh-keygen -l)",
    },
  },
  "directory-ca": {
    type: "string",
    value: "FILE",
    summary: {
      zh: "外网侧，签发 FTP 服务器证书的 CA（PEM）；默认用系统信任的",
      en: "extranet: PEM of who may certify the FTP server; whom the system trusts by default",
    },
  },
  "directory-pick-up": {
    type: "string",
    value: "FOLDER",
    summary: {
      zh: "业务网侧，设备放入文件的目录",
      en: "business: the folder that the appliance fills",
    },
  },
};

/** @throws GatewayError `cli.usage` for words that are missing, of the other zone, or of the gate */
export function directoryOf(zone: ZoneName, input: CliInput): FerryDirectory {
  const said = Object.keys(DIRECTORY_OPTIONS).filter((name) => input.text(name) !== undefined);
  const [first] = said;
  if (first === undefined) return {};
  const lane = wanted(input, "lane");
  if (input.text("gate-host") !== undefined) misused("gate-host", "--directory-lane");
  if (!ZONE_SERVICES[zone].includes("ferry-tx")) {
    for (const name of SENDING) {
      if (input.text(`directory-${name}`) !== undefined) misused(`directory-${name}`, zone);
    }
    return { lane, path: absolute("directory-pick-up", wanted(input, "pick-up")) };
  }
  if (input.text("directory-pick-up") !== undefined) misused("directory-pick-up", zone);
  const [target, profile] = [targetOf(input), profileOf(input)];
  const renames = (profile as { readonly renames?: unknown }).renames === true;
  if (renames !== (target.staging !== undefined)) {
    misused("directory-staging", `profile with renames: ${renames}`);
  }
  return { lane, target, profile };
}

function targetOf(input: CliInput): DirectoryTarget {
  const target = dropOf(wanted(input, "drop"));
  const staging = input.text("directory-staging");
  const file = (name: string): string | undefined => {
    const path = input.text(`directory-${name}`);
    if (path !== undefined && target.kind === "folder") misused(`directory-${name}`, target.folder);
    return path === undefined ? undefined : resolve(path);
  };
  const given = {
    staging: staging === undefined ? undefined : absolute("directory-staging", staging),
    passwordPath: file("password"),
    keyPath: file("key"),
    hostKeySha256: input.text("directory-host-key"),
    caPath: file("ca"),
  };
  const said = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...target, ...(Object.fromEntries(said) as Partial<DirectoryTarget>) };
}

function profileOf(input: CliInput): object {
  const said = input.text("directory-profile") ?? DEFAULT_PROFILE;
  const named = profileNamed(said);
  if (named !== undefined) return named;
  if (!existsSync(said)) {
    const detail = `--directory-profile ${said}: ${PROFILE_NAMES.join(" | ")} | FILE`;
    throw new GatewayError("cli.usage", { detail });
  }
  const read = parsed(said);
  if (typeof read === "object" && read !== null && !Array.isArray(read)) return read;
  throw new GatewayError("cli.usage", { detail: `--directory-profile ${said}: {…}` });
}

function parsed(path: string): unknown {
  const bytes = readUpTo(path, MAX_PROFILE_BYTES);
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (cause) {
    throw new GatewayError("cli.usage", { detail: `--directory-profile ${path}: JSON`, cause });
  }
}

function wanted(input: CliInput, name: string): string {
  const value = input.text(`directory-${name}`);
  if (value === undefined) throw new GatewayError("cli.usage", { detail: `--directory-${name}` });
  return value;
}

/** The services run in folders of their own. */
function absolute(option: string, path: string): string {
  if (!isAbsolute(path)) throw new GatewayError("cli.usage", { detail: `--${option} /FOLDER` });
  return path;
}

function misused(option: string, where: string): never {
  throw new GatewayError("cli.usage", { detail: `--${option}: ${where}` });
}
