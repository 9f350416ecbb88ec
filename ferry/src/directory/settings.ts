/** Guarantee: the settings of both halves of an appliance's link are complete and within their limits before anything is opened. */
import {
  type BaseConfig,
  invalidField,
  readBaseConfig,
  readBoolean,
  readField,
  readInteger,
  readOneOf,
  readOptionalInteger,
  readOptionalString,
  readRingDir,
  readString,
  refuseUnknownFields,
  requireUnlock,
} from "@lightferry/proto/service";
import { type MetricsListen, readMetricsListen } from "../metrics/settings.ts";
import { type RoomLimits, readRoomLimits } from "../rx/room.ts";
import { type Profile, readProfile } from "./profile.ts";

/** Where files are put. */
export type TargetSettings =
  | { readonly kind: "folder"; readonly folder: string; readonly staging: string | undefined }
  | (RemoteSettings & {
      readonly kind: "sftp";
      /** SHA-256 of the server's host key, base64 without padding, as ssh-keygen -l shows it. */
      readonly hostKeySha256: string;
      readonly keyPath: string | undefined;
    })
  | (RemoteSettings & {
      readonly kind: "ftp";
      readonly tls: "none" | "explicit" | "implicit";
      /** PEM of who may certify the server; without it whom the system trusts. */
      readonly caPath: string | undefined;
    });

interface RemoteSettings {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly passwordPath: string | undefined;
  readonly folder: string;
  readonly staging: string | undefined;
}

export interface DirectoryTxConfig extends BaseConfig {
  readonly lane: string;
  readonly outboxDir: string;
  readonly ferryKeysDir: string | undefined;
  readonly metrics: MetricsListen | undefined;
  readonly gate: {
    readonly driver: "directory";
    readonly target: TargetSettings;
    readonly profile: Profile;
    readonly secondPassSeconds: number;
    readonly heartbeatSeconds: number;
  };
}

export interface DirectoryRxConfig extends BaseConfig {
  readonly lane: string;
  readonly arrivalsDir: string;
  /** Node id of the sender; nobody else's signature counts. */
  readonly expectedSender: string;
  readonly metrics: MetricsListen | undefined;
  readonly space: RoomLimits;
  readonly gate: {
    readonly driver: "directory";
    /** Folder that the appliance fills. */
    readonly path: string;
    readonly pollMs: number;
    /** Listen for notices of the system as well. */
    readonly watch: boolean;
    readonly heartbeatSeconds: number;
    readonly delaySeconds: number;
    readonly settleSeconds: number;
    readonly maxPartialBytes: number;
  };
}

/** A pass of an hourly appliance is over in a day. */
const SECOND_PASS = { min: 0, max: 86_400 };
const HEARTBEAT = { min: 1, max: 86_400 };
/** Longer, and the sender's clock and keys are not believed any more (proto/SPEC.md §8.2). */
const DELAY = { min: 0, max: 86_400 };
const SETTLE = { min: 1, max: 86_400 };
const POLL = { min: 20, max: 3_600_000 };
const PORT = { min: 1, max: 65_535 };
/** One group of the smallest files … a petabyte. */
const PARTIAL = { min: 1 << 20, max: 2 ** 50 };
const DEFAULT_SECOND_PASS = 600;
const DEFAULT_HEARTBEAT = 30;
const DEFAULT_DELAY = 300;
const DEFAULT_SETTLE = 300;
const DEFAULT_POLL_MS = 2_000;
const DEFAULT_PARTIAL = 16 * 1024 ** 3;
const TX_GATE = ["driver", "target", "profile", "secondPassSeconds", "heartbeatSeconds"];
const RX_GATE = [
  ...["driver", "path", "pollMs", "watch", "heartbeatSeconds", "delaySeconds", "settleSeconds"],
  "maxPartialBytes",
];
const REMOTE = ["kind", "host", "port", "user", "passwordPath", "folder", "staging"];
const HOST_KEY = /^[A-Za-z0-9+/]{43}$/;

/** Whether the settings ask for this driver. */
export function isDirectoryDriver(raw: unknown): boolean {
  return readField(raw, "gate.driver") === "directory";
}

/** @throws GatewayError `config.invalid` naming the field */
export function readDirectoryTxConfig(raw: unknown): DirectoryTxConfig {
  const base = readBaseConfig(raw);
  if (base.hsm?.keys.sign === undefined) requireUnlock(base);
  refuseUnknownFields(raw, "gate", TX_GATE);
  const profile = readProfile(raw, "gate.profile");
  return {
    ...base,
    lane: readString(raw, "lane"),
    outboxDir: readString(raw, "outboxDir"),
    ferryKeysDir: readRingDir(raw, "ferryKeysDir", base, "sign"),
    metrics: readMetricsListen(raw),
    gate: {
      driver: "directory",
      target: readTarget(raw, profile),
      profile,
      secondPassSeconds:
        readOptionalInteger(raw, "gate.secondPassSeconds", SECOND_PASS) ?? DEFAULT_SECOND_PASS,
      heartbeatSeconds:
        readOptionalInteger(raw, "gate.heartbeatSeconds", HEARTBEAT) ?? DEFAULT_HEARTBEAT,
    },
  };
}

/** @throws GatewayError `config.invalid` naming the field */
export function readDirectoryRxConfig(raw: unknown): DirectoryRxConfig {
  const number = (name: string, limits: { readonly min: number; readonly max: number }) =>
    readOptionalInteger(raw, `gate.${name}`, limits);
  refuseUnknownFields(raw, "gate", RX_GATE);
  return {
    ...readBaseConfig(raw),
    lane: readString(raw, "lane"),
    arrivalsDir: readString(raw, "arrivalsDir"),
    expectedSender: readString(raw, "expectedSender"),
    metrics: readMetricsListen(raw),
    space: readRoomLimits(raw),
    gate: {
      driver: "directory",
      path: readString(raw, "gate.path"),
      pollMs: number("pollMs", POLL) ?? DEFAULT_POLL_MS,
      watch: readField(raw, "gate.watch") === undefined || readBoolean(raw, "gate.watch"),
      heartbeatSeconds: number("heartbeatSeconds", HEARTBEAT) ?? DEFAULT_HEARTBEAT,
      delaySeconds: number("delaySeconds", DELAY) ?? DEFAULT_DELAY,
      settleSeconds: number("settleSeconds", SETTLE) ?? DEFAULT_SETTLE,
      maxPartialBytes: number("maxPartialBytes", PARTIAL) ?? DEFAULT_PARTIAL,
    },
  };
}

function readTarget(raw: unknown, { renames }: Profile): TargetSettings {
  const at = (name: string): string => `gate.target.${name}`;
  const kind = readOneOf(raw, at("kind"), ["folder", "sftp", "ftp"]);
  const staging = readOptionalString(raw, at("staging"));
  if (renames && staging === undefined) {
    invalidField(at("staging"), "a folder beside is expected where the appliance sees renames");
  }
  if (!renames && staging !== undefined) {
    invalidField(at("staging"), "of no use where the appliance does not see renames");
  }
  const folder = readString(raw, at("folder"));
  if (kind === "folder") {
    refuseUnknownFields(raw, "gate.target", ["kind", "folder", "staging"]);
    return { kind, folder, staging };
  }
  const remote = {
    host: readString(raw, at("host")),
    port: readInteger(raw, at("port"), PORT),
    user: readString(raw, at("user")),
    passwordPath: readOptionalString(raw, at("passwordPath")),
    ...{ folder, staging },
  };
  if (kind === "ftp") {
    refuseUnknownFields(raw, "gate.target", [...REMOTE, "tls", "caPath"]);
    const tls = readOneOf(raw, at("tls"), ["none", "explicit", "implicit"]);
    return { kind, ...remote, tls, caPath: readOptionalString(raw, at("caPath")) };
  }
  refuseUnknownFields(raw, "gate.target", [...REMOTE, "hostKeySha256", "keyPath"]);
  const hostKeySha256 = readString(raw, at("hostKeySha256")).replace(/^SHA256:/, "");
  if (!HOST_KEY.test(hostKeySha256)) {
    invalidField(at("hostKeySha256"), "SHA256:… as ssh-keygen -l shows it is expected");
  }
  const keyPath = readOptionalString(raw, at("keyPath"));
  if ((keyPath === undefined) === (remote.passwordPath === undefined)) {
    invalidField(at("keyPath"), "either keyPath or passwordPath is expected");
  }
  return { kind, ...remote, hostKeySha256, keyPath };
}
