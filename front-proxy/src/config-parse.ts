/**
 * Guarantee: every setting of the front-proxy is read once and checked before
 * anything is opened; a wrong or unknown one is named in `config.invalid`.
 */
import {
  invalidField,
  readBaseConfig,
  readBoolean,
  readField,
  readInteger,
  readListen,
  readObject,
  readOneOf,
  readOptionalInteger,
  readOptionalString,
  readRingDir,
  readString,
  readTlsFiles,
  requireUnlock,
} from "@lightferry/proto/service";
import type { FrontProxyConfig, LimitsConfig, TargetConfig, WatchConfig } from "./config.ts";

const GIB = 1024 ** 3;
/** Three of the largest files a lane carries (20 GB), with room for what policy makes of them. */
const DEFAULT_HIGH_WATER_BYTES = 64 * GIB;
/** PostgreSQL stops when it cannot extend its log: 16 segments of 16 MiB stay free for it. */
const DEFAULT_RESERVE_BYTES = 256 * 1024 ** 2;
const MAX_BYTES = { min: 0, max: 1024 ** 5 };
/** A target that answers later than five minutes is down. */
const TARGET_TIMEOUT_MS = { min: 100, max: 300_000 };
const YEAR_SECONDS = 366 * 24 * 3_600;
/** A month lies between two rotations: by then nothing sealed for the old key is under way. */
const DEFAULT_KEY_OVERLAP_DAYS = 30;
/** Below a day a clock that is wrong by hours would decide; a key kept for years protects nothing. */
const KEY_OVERLAP_DAYS = { min: 1, max: 3_660 };

/** @throws GatewayError `config.invalid` naming the field. */
export function parseFrontProxyConfig(raw: unknown): FrontProxyConfig {
  const base = readBaseConfig(raw);
  if (base.listen === undefined)
    invalidField("listen", "host and port of the gRPC side are needed");
  requireUnlock(base);
  return {
    ...base,
    api: { ...readListen(raw, "api"), tls: readTlsFiles(raw, "api.tls") },
    databaseUrl: readString(raw, "databaseUrl"),
    spoolDir: readString(raw, "spoolDir"),
    outboxDir: readString(raw, "outboxDir"),
    arrivalsDir: readString(raw, "arrivalsDir"),
    inboxDir: readString(raw, "inboxDir"),
    vaultPath: readString(raw, "vaultPath"),
    encryptKeysDir: readRingDir(raw, "encryptKeysDir", base, "encrypt"),
    encryptKeyOverlapDays:
      readOptionalInteger(raw, "encryptKeyOverlapDays", KEY_OVERLAP_DAYS) ??
      DEFAULT_KEY_OVERLAP_DAYS,
    watch: readWatch(raw),
    targets: readTargets(raw),
    limits: readLimits(raw),
  };
}

function readWatch(raw: unknown): WatchConfig | null {
  if ((readField(raw, "watch") ?? null) === null) return null;
  return {
    outgoingDir: readString(raw, "watch.outgoingDir"),
    caller: readString(raw, "watch.caller"),
    grade: readWord(raw, "watch.grade"),
    purpose: readWord(raw, "watch.purpose"),
  };
}

/** Like an optional text, but an empty one is a value too. */
function readWord(raw: unknown, path: string): string {
  const value = readField(raw, path);
  return value === undefined || value === "" ? "" : (readOptionalString(raw, path) ?? "");
}

function readTargets(raw: unknown): Readonly<Record<string, TargetConfig>> {
  if (readField(raw, "targets") === undefined) return {};
  const targets = readObject(raw, "targets");
  return Object.fromEntries(Object.keys(targets).map((id) => [id, readTarget(targets, id)]));
}

function readTarget(targets: unknown, id: string): TargetConfig {
  const at = { target: readObject(targets, id) };
  const type = readOneOf(at, "target.type", ["http", "drop", "receipts"]);
  if (type === "receipts") return { type };
  if (type === "drop") return { type, dir: readString(at, "target.dir") };
  const baseUrl = readString(at, "target.baseUrl");
  if (!/^https?:\/\//.test(baseUrl) || !URL.canParse(baseUrl)) {
    invalidField(`targets.${id}.baseUrl`, "an http or https address is expected");
  }
  return {
    type,
    baseUrl,
    timeoutMs: readInteger(at, "target.timeoutMs", TARGET_TIMEOUT_MS),
    idempotency: readBoolean(at, "target.idempotency"),
    onDoubt: readOneOf(at, "target.onDoubt", ["retry", "hold"]),
  };
}

function readLimits(raw: unknown): LimitsConfig {
  const spoolHighWaterBytes =
    readOptionalInteger(raw, "limits.spoolHighWaterBytes", MAX_BYTES) ?? DEFAULT_HIGH_WATER_BYTES;
  return {
    spoolHighWaterBytes,
    sendingHighWaterBytes: readOptionalInteger(raw, "limits.sendingHighWaterBytes", MAX_BYTES),
    // Half of the spool: the largest file of a lane fits, and the other half stays for all others.
    uploadShareBytes:
      readOptionalInteger(raw, "limits.uploadShareBytes", MAX_BYTES) ??
      Math.floor(spoolHighWaterBytes / 2),
    spoolReserveBytes:
      readOptionalInteger(raw, "limits.spoolReserveBytes", MAX_BYTES) ?? DEFAULT_RESERVE_BYTES,
    // A million tries at the longest pause are ten years: more is a mistake.
    dispatchAttempts: readOptionalInteger(raw, "limits.dispatchAttempts", {
      min: 1,
      max: 1_000_000,
    }),
    outboxRetentionSeconds: readOptionalInteger(raw, "limits.outboxRetentionSeconds", {
      min: 0,
      max: YEAR_SECONDS,
    }),
    repairHorizonSeconds: readOptionalInteger(raw, "limits.repairHorizonSeconds", {
      min: 0,
      max: YEAR_SECONDS,
    }),
  };
}
