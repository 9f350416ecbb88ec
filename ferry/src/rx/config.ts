/** Guarantee: the settings of the receiving half are complete and within their limits before anything is opened. */
import {
  type BaseConfig,
  readBaseConfig,
  readField,
  readInteger,
  readOneOf,
  readOptionalInteger,
  readString,
} from "@lightferry/proto/service";
import { MAX_DATA_SHARDS } from "../erasure/index.ts";
import { MAX_FRAME_SIZE, MIN_FRAME_SIZE } from "../frame.ts";
import { type MetricsListen, readMetricsListen } from "../metrics/settings.ts";
import { MAX_PARITY_SHARDS } from "../object.ts";
import { type AlarmLimits, readAlarmLimits } from "./alarm-limits.ts";

export interface RxConfig extends BaseConfig {
  readonly lane: string;
  readonly arrivalsDir: string;
  /** Node id of the sender; nobody else's signature counts. */
  readonly expectedSender: string;
  readonly gate: {
    readonly driver: "udp";
    readonly host: string;
    /** 0 lets the system choose. */
    readonly port: number;
    readonly receiveBufferBytes: number;
    /** "dgram" asks for the fallback of systems without kernel filters. */
    readonly socket: "auto" | "dgram";
    /** What the sender was told, as far as this end was told it too; what differs is alarmed. */
    readonly frameSize: number | undefined;
    readonly groupShards: number | undefined;
    readonly parityShards: number | undefined;
  };
  readonly alarms: AlarmLimits;
  /** Where figures are shown; nowhere without it. */
  readonly metrics: MetricsListen | undefined;
}

/** From one large burst to half of what a socket option can name. */
const BUFFER = { min: 65_536, max: 2 ** 30 - 1 };
const FRAME_SIZE = { min: MIN_FRAME_SIZE, max: MAX_FRAME_SIZE };
const GROUP_SHARDS = { min: 1, max: MAX_DATA_SHARDS };
const PARITY_SHARDS = { min: 0, max: MAX_PARITY_SHARDS };
const PORT = { min: 0, max: 65_535 };

/** @throws GatewayError `config.invalid` naming the field */
export function readRxConfig(raw: unknown): RxConfig {
  const base = readBaseConfig(raw);
  const socket = readField(raw, "gate.socket");
  return {
    ...base,
    lane: readString(raw, "lane"),
    arrivalsDir: readString(raw, "arrivalsDir"),
    expectedSender: readString(raw, "expectedSender"),
    gate: {
      driver: readOneOf(raw, "gate.driver", ["udp"]),
      host: readString(raw, "gate.host"),
      port: readInteger(raw, "gate.port", PORT),
      receiveBufferBytes: readInteger(raw, "gate.receiveBufferBytes", BUFFER),
      socket: socket === undefined ? "auto" : readOneOf(raw, "gate.socket", ["auto", "dgram"]),
      frameSize: readOptionalInteger(raw, "gate.frameSize", FRAME_SIZE),
      groupShards: readOptionalInteger(raw, "gate.groupShards", GROUP_SHARDS),
      parityShards: readOptionalInteger(raw, "gate.parityShards", PARITY_SHARDS),
    },
    alarms: readAlarmLimits(raw),
    metrics: readMetricsListen(raw),
  };
}
