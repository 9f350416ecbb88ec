/**
 * Guarantee: the settings that every service has, read and checked in one
 * place. A service reads its own settings with the readers in fields.ts.
 */
import { readFileSync } from "node:fs";
import { GatewayError } from "../errors/index.ts";
import { checkZoneName, SERVICE_NAMES, type ServiceName, type TlsFiles } from "../rpc/index.ts";
import {
  invalidField,
  readAddress,
  readField,
  readListen,
  readOneOf,
  readOptionalInteger,
  readOptionalString,
  readString,
  readTlsFiles,
} from "./fields.ts";
import { type HsmSettings, readHsm } from "./hsm-settings.ts";

/** A configuration is a page of settings; anything larger is another file by mistake. */
const MAX_CONFIG_BYTES = 1024 * 1024;
/** Below this a journal would stop traffic at the first hiccup; above, a start would scan for minutes. */
const JOURNAL_LIMITS = { min: 64 * 1024, max: 64 * 1024 ** 3 };
const MODES = ["demo", "production"] as const;

export interface Peers {
  readonly policy?: string;
  readonly audit?: string;
  readonly frontProxy?: string;
}

export interface BaseConfig {
  readonly zone: string;
  /** Node id, as in the registry. */
  readonly node: string;
  readonly service: ServiceName;
  readonly mode: "demo" | "production";
  /** Owned by this service alone: journal, lock. */
  readonly stateDir: string;
  readonly listen?: { readonly host: string; readonly port: number };
  readonly tls: TlsFiles;
  /** `host:port` of the services of this zone. */
  readonly peers: Peers;
  /** File with the authority's public key: the anchor of everything signed. */
  readonly anchorPath: string;
  /** File with the pinned root certificate, PEM or DER: what every other certificate is judged by. */
  readonly trustRootPath: string;
  /** What opens this service's keys: a file, or the name of a credential of the service manager. */
  readonly unlockPath?: string;
  readonly unlockCredential?: string;
  /** A cipher machine that holds keys of this service. */
  readonly hsm?: HsmSettings;
  /** Bytes; 256 MiB when absent. */
  readonly journalMaxBytes?: number;
}

/** @throws GatewayError `config.invalid` naming the field */
export function readBaseConfig(raw: unknown): BaseConfig {
  const has = (path: string): boolean => readField(raw, path) !== undefined;
  const unlockPath = readOptionalString(raw, "unlockPath");
  const unlockCredential = readOptionalString(raw, "unlockCredential");
  if (unlockPath !== undefined && unlockCredential !== undefined) {
    invalidField("unlockCredential", "either unlockPath or unlockCredential, not both");
  }
  const journalMaxBytes = readOptionalInteger(raw, "journalMaxBytes", JOURNAL_LIMITS);
  return {
    zone: checkZoneName(readString(raw, "zone")),
    node: readString(raw, "node"),
    service: readOneOf(raw, "service", SERVICE_NAMES),
    mode: readOneOf(raw, "mode", MODES),
    stateDir: readString(raw, "stateDir"),
    tls: readTlsFiles(raw, "tls"),
    peers: {
      ...(has("peers.policy") ? { policy: readAddress(raw, "peers.policy") } : {}),
      ...(has("peers.audit") ? { audit: readAddress(raw, "peers.audit") } : {}),
      ...(has("peers.frontProxy") ? { frontProxy: readAddress(raw, "peers.frontProxy") } : {}),
    },
    anchorPath: readString(raw, "anchorPath"),
    trustRootPath: readString(raw, "trustRootPath"),
    ...(has("listen") ? { listen: readListen(raw, "listen") } : {}),
    ...(has("hsm") ? { hsm: readHsm(raw, "hsm") } : {}),
    ...(unlockPath === undefined ? {} : { unlockPath }),
    ...(unlockCredential === undefined ? {} : { unlockCredential }),
    ...(journalMaxBytes === undefined ? {} : { journalMaxBytes }),
  };
}

/**
 * Where the unlock secret of this service's keys lies, as the keystore takes it.
 * @throws GatewayError `config.invalid` when neither setting is there
 */
export function requireUnlock(
  config: Pick<BaseConfig, "unlockPath" | "unlockCredential">,
): { readonly file: string } | { readonly credential: string } {
  if (config.unlockPath !== undefined) return { file: config.unlockPath };
  if (config.unlockCredential !== undefined) return { credential: config.unlockCredential };
  return invalidField("unlockPath", "unlockPath or unlockCredential is expected");
}

/**
 * Folder of a key ring; undefined where it is not set and the cipher machine has the keys of that kind.
 * @throws GatewayError `config.invalid` when there is neither
 */
export function readRingDir(
  raw: unknown,
  path: string,
  { hsm }: Pick<BaseConfig, "hsm">,
  kind: "sign" | "encrypt",
): string | undefined {
  return hsm?.keys[kind] === undefined ? readString(raw, path) : readOptionalString(raw, path);
}

/** Reads a JSON file of settings. @throws GatewayError `config.invalid` naming the file */
export function readConfigFile(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new GatewayError("config.invalid", { detail: `${path} cannot be read`, cause });
  }
  if (text.length > MAX_CONFIG_BYTES) {
    throw new GatewayError("config.invalid", { detail: `${path} is too large` });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new GatewayError("config.invalid", { detail: `${path} is not JSON`, cause });
  }
}
