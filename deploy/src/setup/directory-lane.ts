/**
 * Guarantee: how a zone's ferry program reaches an appliance that ferries a folder, as the operator chose it: the one
 * place that knows which local folders and which secret files of the appliance are this zone's.
 */
import { GatewayError } from "@lightferry/proto/errors";

/** A folder of this machine, or a server's: settings `gate.target` of ferry-tx (ferry/DIRECTORY.md §6). */
export interface DirectoryTarget {
  readonly kind: "folder" | "sftp" | "ftp";
  readonly folder: string;
  readonly staging?: string;
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  readonly tls?: "none" | "explicit" | "implicit";
  readonly passwordPath?: string;
  readonly keyPath?: string;
  readonly hostKeySha256?: string;
  readonly caPath?: string;
}

/** `ferryDirectory` of `zone.json`: the lane, and `gate` of the zone's ferry program without its driver; {} = none. */
export interface FerryDirectory {
  readonly lane?: string;
  /** Where the zone sends. */
  readonly target?: DirectoryTarget;
  readonly profile?: object;
  /** Where it receives: the folder that the appliance fills. */
  readonly path?: string;
}

/** What most appliances bear, and those that know nothing but the oldest names. */
const PROFILES: Readonly<Record<string, object>> = {
  plain: { names: "lower", nameLength: 16, renames: true },
  "8.3": {
    ...{ names: "upper", nameLength: 8, extension: "DAT" },
    ...{ maxFileBytes: 1 << 20, renames: false },
  },
};
export const PROFILE_NAMES: readonly string[] = Object.keys(PROFILES);
export const profileNamed = (name: string): object | undefined => PROFILES[name];

/** Usual ports; `ftpes` is FTP with TLS on the plain port (RFC 4217), `ftps` with TLS from the first byte. */
const SERVERS = {
  "sftp:": { port: 22, kind: { kind: "sftp" } },
  "ftp:": { port: 21, kind: { kind: "ftp", tls: "none" } },
  "ftpes:": { port: 21, kind: { kind: "ftp", tls: "explicit" } },
  "ftps:": { port: 990, kind: { kind: "ftp", tls: "implicit" } },
} as const;

/**
 * Where files are dropped: `/folder`, or `sftp|ftp|ftpes|ftps://user@host[:port]/folder`.
 * @throws GatewayError `cli.usage`; a password has no place in an address
 */
export function dropOf(text: string): DirectoryTarget {
  if (text.startsWith("/")) return { kind: "folder", folder: text };
  const url = URL.parse(text);
  const server = SERVERS[url?.protocol as keyof typeof SERVERS];
  const [user, folder] = [url?.username, url?.pathname].map(decoded);
  const none = url !== null && `${url.password}${url.search}${url.hash}` === "";
  const plain = none && url.port !== "0";
  if (!plain || server === undefined || !user || !folder || folder === "/") {
    throw new GatewayError("cli.usage", {
      detail: `${text.replace(/:[^:@/]*@/, ":…@")}: /FOLDER | sftp|ftp|ftpes|ftps://USER@HOST[:PORT]/FOLDER`,
    });
  }
  return {
    ...server.kind,
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? server.port : Number(url.port),
    ...{ user, folder },
  };
}

/** Undefined where it is no text. */
function decoded(part = ""): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

export const isChosen = (directory: FerryDirectory): boolean => Object.keys(directory).length > 0;

/**
 * `lane` and `gate` of ferry-tx or ferry-rx; undefined where the zone has no such lane. What is wrong in them
 * the ferry names at its start.
 */
export function directorySettings(
  directory: FerryDirectory,
): { readonly lane: string | undefined; readonly gate: { readonly driver: string } } | undefined {
  if (!isChosen(directory)) return undefined;
  const { lane, ...end } = directory;
  const gate = { driver: "directory", ...end };
  return { lane, gate };
}

/** Folders of this machine that the zone's ferry writes into or takes from. */
export function foldersOf({ target, path }: FerryDirectory): string[] {
  const own = target?.kind === "folder" ? [target.folder, target.staging] : [];
  return [...own, path].filter((folder) => folder !== undefined);
}

/** Files of a password or key, which the ferry's user alone may read. */
export function secretsOf({ target }: FerryDirectory): string[] {
  return [target?.passwordPath, target?.keyPath].filter((file) => file !== undefined);
}

/** Files of this machine that the sending ferry reads for the appliance. */
export function filesOf(directory: FerryDirectory): string[] {
  const ca = directory.target?.caPath;
  return [...secretsOf(directory), ...(ca === undefined ? [] : [ca])];
}

/** For people: what carries the lane, and where from or to. */
export function shownOf({ target, path }: FerryDirectory): string {
  if (target === undefined) return path ?? "";
  const { kind, user, host, port, folder } = target;
  return kind === "folder" ? folder : `${kind} ${user}@${host}:${port} ${folder}`;
}
