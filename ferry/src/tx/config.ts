/** Guarantee: the settings of the sending half are complete and within their limits before anything is opened. */

import { GatewayError } from "@lightferry/proto/errors";
import {
  type BaseConfig,
  readBaseConfig,
  readField,
  readInteger,
  readOneOf,
  readOptionalInteger,
  readRingDir,
  readString,
  requireUnlock,
} from "@lightferry/proto/service";
import { MAX_DATA_SHARDS } from "../erasure/index.ts";
import { DEFAULT_FRAME_SIZE, MAX_FRAME_SIZE, MAX_SHARDS, MIN_FRAME_SIZE } from "../frame.ts";
import { type MetricsListen, readMetricsListen } from "../metrics/settings.ts";
import { type Code, DEFAULT_CODE, MAX_PARITY_SHARDS } from "../object.ts";

export interface TxConfig extends BaseConfig {
  readonly lane: string;
  readonly outboxDir: string;
  /** Ring of this node's ferry keys, `<key id>.key.json`. */
  readonly ferryKeysDir: string | undefined;
  readonly gate: {
    readonly driver: "udp";
    readonly host: string;
    readonly port: number;
    /** UDP payload of a full frame in bytes; one number for the whole link. */
    readonly frameSize: number;
    /** Data and parity shards of a full group; no parity turns coding off. */
    readonly code: Code;
    /** Wire bytes per second, headers of Ethernet included. */
    readonly rateBytesPerSecond: number;
    readonly secondPassSeconds: number;
    /** "dgram" asks for the fallback of systems without kernel filters. */
    readonly socket: "auto" | "dgram";
  };
  /** Where figures are shown; nowhere without it. */
  readonly metrics: MetricsListen | undefined;
}

/** 100 Gb/s; the pacer's lower bound is its own. */
const RATE = { min: 10_000, max: 12_500_000_000 };
/** 0 repeats at once, for tests; a day is longer than any receiver is restarted. */
const SECOND_PASS = { min: 0, max: 86_400 };
const FRAME_SIZE = { min: MIN_FRAME_SIZE, max: MAX_FRAME_SIZE };
const GROUP_SHARDS = { min: 1, max: MAX_DATA_SHARDS };
const PARITY_SHARDS = { min: 0, max: MAX_PARITY_SHARDS };
const PORT = { min: 1, max: 65_535 };

/** @throws GatewayError `config.invalid` naming the field */
export function readTxConfig(raw: unknown): TxConfig {
  const base = readBaseConfig(raw);
  if (base.hsm?.keys.sign === undefined) requireUnlock(base);
  const socket = readField(raw, "gate.socket");
  return {
    ...base,
    lane: readString(raw, "lane"),
    outboxDir: readString(raw, "outboxDir"),
    ferryKeysDir: readRingDir(raw, "ferryKeysDir", base, "sign"),
    gate: {
      driver: readOneOf(raw, "gate.driver", ["udp"]),
      host: readString(raw, "gate.host"),
      port: readInteger(raw, "gate.port", PORT),
      frameSize: readOptionalInteger(raw, "gate.frameSize", FRAME_SIZE) ?? DEFAULT_FRAME_SIZE,
      code: readCode(raw),
      rateBytesPerSecond: readInteger(raw, "gate.rateBytesPerSecond", RATE),
      secondPassSeconds: readInteger(raw, "gate.secondPassSeconds", SECOND_PASS),
      socket: socket === undefined ? "auto" : readOneOf(raw, "gate.socket", ["auto", "dgram"]),
    },
    metrics: readMetricsListen(raw),
  };
}

function readCode(raw: unknown): Code {
  const groupShards =
    readOptionalInteger(raw, "gate.groupShards", GROUP_SHARDS) ?? DEFAULT_CODE.groupShards;
  const parityShards =
    readOptionalInteger(raw, "gate.parityShards", PARITY_SHARDS) ?? DEFAULT_CODE.parityShards;
  if (groupShards + parityShards > MAX_SHARDS) {
    throw new GatewayError("config.invalid", {
      detail: `gate.groupShards + gate.parityShards above ${MAX_SHARDS}`,
    });
  }
  return { groupShards, parityShards };
}
