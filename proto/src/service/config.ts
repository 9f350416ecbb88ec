/**
 * Guarantee: the settings that every service has, read and checked in one
 * place. A service reads its own settings with the readers in fields.ts.
 */
import { readFileSync } from "node:fs";
import { GatewayError } from "../errors/index.ts";
import { checkZoneName, SERVICE_NAMES, type ServiceName, type TlsFiles } from "../rpc/index.ts";
import {
  readAddress,
  readField,
  readListen,
  readOneOf,
  readOptionalInteger,
  readOptionalString,
  readString,
  readTlsFiles,
} from "./fields.ts";

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
  readonly unlockPath?: string;
  /** Bytes; 256 MiB when absent. */
  readonly journalMaxBytes?: number;
}

/** @throws GatewayError `config.invalid` naming the field */
export function readBaseConfig(raw: unknown): BaseConfig {
  const has = (path: string): boolean => readField(raw, path) !== undefined;
  const unlockPath = readOptionalString(raw, "unlockPath");
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
    ...(has("listen") ? { listen: readListen(raw, "listen") } : {}),
    ...(unlockPath === undefined ? {} : { unlockPath }),
    ...(journalMaxBytes === undefined ? {} : { journalMaxBytes }),
  };
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
