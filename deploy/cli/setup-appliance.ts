/** Guarantee: the words of `setup` for an appliance that ferries a folder, whichever lane it carries, are whole and fit the zone before anything is made. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { type CliInput, type CliVerb, EXIT, readUpTo, type Words } from "@lightferry/proto/cli";
import { GatewayError } from "@lightferry/proto/errors";
import { otherZone, type ZoneName } from "../src/layout.ts";
import { REPOSITORY } from "../src/repository.ts";
import {
  type DirectoryTarget,
  dropOf,
  type FerryDirectory,
  PROFILE_NAMES,
  profileNamed,
} from "../src/setup/directory-lane.ts";

/** A profile has thirteen settings. */
const MAX_PROFILE_BYTES = 65_536;
const DEFAULT_PROFILE = "8.3";
const LIGHTFERRY = join(REPOSITORY, "deploy/cli/lightferry.ts");

/** What can be said of each kind of place beside its name; `staging` of all. */
const WORDS_OF: Readonly<Record<DirectoryTarget["kind"], readonly string[]>> = {
  folder: [],
  sftp: ["password", "key", "host-key"],
  ftp: ["password", "ca"],
};
/** As `ssh-keygen -l` shows it. */
const HOST_KEY = /^(SHA256:)?[A-Za-z0-9+/]{43}$/;

/** Only where the zone sends. */
const SENDING = ["drop", "profile", "staging", "password", "key", "host-key", "ca"] as const;

export type Options = NonNullable<CliVerb["options"]>;

const SIDES: Readonly<Record<ZoneName, Words>> = {
  extranet: { zh: "外网侧", en: "extranet" },
  business: { zh: "业务网侧", en: "business" },
};

/**
 * The words for both ends of an appliance.
 * @param prefix before each of them @param from the zone that sends through it
 */
export function applianceOptions(prefix: string, from: ZoneName): Options {
  const [sends, takes] = [SIDES[from], SIDES[otherZone(from)]];
  const option = (name: string, value: string, zh: string, en: string) =>
    [`${prefix}-${name}`, { type: "string", value, summary: { zh, en } }] as const;
  const sending = (name: string, value: string, zh: string, en: string) =>
    option(name, value, `${sends.zh}，${zh}`, `${sends.en}: ${en}`);
  return Object.fromEntries([
    sending(
      "drop",
      "FOLDER|URL",
      "投递处：目录，或 sftp|ftp|ftpes|ftps://用户@主机[:端口]/目录",
      "where files are dropped, a folder or sftp|ftp|ftpes|ftps://USER@HOST[:PORT]/FOLDER",
    ),
    sending(
      "profile",
      "PROFILE",
      `设备的限制：${PROFILE_NAMES.join("、")}，或 JSON 文件；默认 ${DEFAULT_PROFILE}`,
      `what the appliance bears, ${PROFILE_NAMES.join(", ")} or a JSON file; ${DEFAULT_PROFILE} by default`,
    ),
    sending(
      "staging",
      "FOLDER",
      "设备能见改名时：先在此目录写成再改名移入",
      "where the appliance sees renames, files are made in this folder first",
    ),
    sending("password", "FILE", "服务器口令文件", "file of the server's password"),
    sending("key", "FILE", "SFTP 私钥文件", "private key for SFTP"),
    sending(
      "host-key",
      "SHA256:…",
      "SFTP 主机密钥摘要（ssh-keygen -l）",
      "digest of the SFTP server's host key (ssh-keygen -l)",
    ),
    sending(
      "ca",
      "FILE",
      "签发 FTP 服务器证书的 CA（PEM）；默认用系统信任的",
      "PEM of who may certify the FTP server; whom the system trusts by default",
    ),
    option(
      "pick-up",
      "FOLDER",
      `${takes.zh}，设备放入文件的目录`,
      `${takes.en}: the folder that the appliance fills`,
    ),
  ]);
}

/** Whose words these are, and which zone sends. */
interface Ends {
  readonly prefix: string;
  readonly from: ZoneName;
}

/**
 * A zone's end of an appliance.
 * @throws GatewayError `cli.usage` for words that are missing or of the other zone
 */
export function applianceEnd(
  zone: ZoneName,
  { prefix, from }: Ends,
  input: CliInput,
): Omit<FerryDirectory, "lane"> {
  if (zone !== from) {
    for (const name of SENDING) {
      if (input.text(`${prefix}-${name}`) !== undefined) misused(`${prefix}-${name}`, zone);
    }
    return { path: absolute(`${prefix}-pick-up`, wanted(input, `${prefix}-pick-up`)) };
  }
  if (input.text(`${prefix}-pick-up`) !== undefined) misused(`${prefix}-pick-up`, zone);
  const [target, profile] = [targetOf(prefix, input), profileOf(prefix, input)];
  const renames = (profile as { readonly renames?: unknown }).renames === true;
  if (renames !== (target.staging !== undefined)) {
    misused(`${prefix}-staging`, `profile with renames: ${renames}`);
  }
  return { target, profile };
}

function targetOf(prefix: string, input: CliInput): DirectoryTarget {
  const target = dropOf(wanted(input, `${prefix}-drop`));
  const said = (name: string) => input.text(`${prefix}-${name}`);
  const foreign = SENDING.slice(SENDING.indexOf("password")).find(
    (name) => said(name) !== undefined && !WORDS_OF[target.kind].includes(name),
  );
  if (foreign !== undefined) misused(`${prefix}-${foreign}`, target.kind);
  checkSecrets(prefix, target.kind, said);
  const staging = said("staging");
  const file = (name: string): string | undefined => {
    const path = said(name);
    return path === undefined ? undefined : resolve(path);
  };
  const given = {
    staging: staging === undefined ? undefined : absolute(`${prefix}-staging`, staging),
    passwordPath: file("password"),
    keyPath: file("key"),
    hostKeySha256: said("host-key"),
    caPath: file("ca"),
  };
  const told = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...target, ...(Object.fromEntries(told) as Partial<DirectoryTarget>) };
}

/** Of SFTP: the server's key by its digest, and one of password and key. The ferry would say it at its start. */
function checkSecrets(
  prefix: string,
  kind: DirectoryTarget["kind"],
  said: (name: string) => string | undefined,
): void {
  if (kind !== "sftp") return;
  if (!HOST_KEY.test(said("host-key") ?? "")) misused(`${prefix}-host-key`, "SHA256:…");
  if ((said("key") === undefined) === (said("password") === undefined)) {
    misused(`${prefix}-key`, `--${prefix}-password`);
  }
}

function profileOf(prefix: string, input: CliInput): object {
  const option = `--${prefix}-profile`;
  const said = input.text(`${prefix}-profile`) ?? DEFAULT_PROFILE;
  const named = profileNamed(said);
  if (named !== undefined) return named;
  if (!existsSync(said)) {
    const detail = `${option} ${said}: ${PROFILE_NAMES.join(" | ")} | FILE`;
    throw new GatewayError("cli.usage", { detail });
  }
  judge(option, said);
  return JSON.parse(Buffer.from(readUpTo(said, MAX_PROFILE_BYTES)).toString("utf8")) as object;
}

/** By the ferry itself, which would refuse it at its start: it alone knows what it bears. */
function judge(option: string, path: string): void {
  const words = ["ferry", "profile", resolve(path), "--json"];
  const { status, stdout } = spawnSync(process.execPath, [LIGHTFERRY, ...words], {
    encoding: "utf8",
  });
  if (status === EXIT.done) return;
  const detail = `${option} ${path}: ${faultOf(stdout)}`;
  throw new GatewayError("cli.usage", { detail });
}

/** What a command says of its failure under `--json`. */
function faultOf(said: string): string {
  try {
    return (JSON.parse(said) as { readonly error: { readonly detail: string } }).error.detail;
  } catch {
    return "lightferry ferry profile";
  }
}

export function wanted(input: CliInput, name: string): string {
  const value = input.text(name);
  if (value === undefined) throw new GatewayError("cli.usage", { detail: `--${name}` });
  return value;
}

/** The services run in folders of their own. */
function absolute(option: string, path: string): string {
  if (!isAbsolute(path)) throw new GatewayError("cli.usage", { detail: `--${option} /FOLDER` });
  return path;
}

export function misused(option: string, where: string): never {
  throw new GatewayError("cli.usage", { detail: `--${option}: ${where}` });
}
