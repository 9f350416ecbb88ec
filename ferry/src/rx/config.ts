/** Guarantee: the settings of the receiving half are complete and within their limits before anything is opened. */
import { GatewayError } from "@lightferry/proto/errors";
import {
  type BaseConfig,
  readAddress,
  readBaseConfig,
  readBoolean,
  readField,
  readInteger,
  readOneOf,
  readOptionalInteger,
  readOptionalString,
  readString,
} from "@lightferry/proto/service";
import { MAX_DATA_SHARDS, MAX_PARITY_SHARDS } from "../erasure/index.ts";
import { MAX_FRAME_SIZE, MIN_FRAME_SIZE } from "../frame.ts";
import {
  comesBy,
  type LaneId,
  type LaneWay,
  type LinkId,
  readLaneLinks,
  readLanes,
  readLinks,
  requireDifferent,
} from "../lane-settings.ts";
import { type MetricsListen, readMetricsListen } from "../metrics/settings.ts";
import { requirePeer } from "../peers.ts";
import { type AlarmLimits, readAlarmLimits } from "./alarm-limits.ts";
import { type RoomLimits, readRoomLimits } from "./room.ts";

export interface RxLaneConfig extends LaneId, LaneWay {
  /** Node id of the sender; nobody else's signature counts. */
  readonly expectedSender: string;
  readonly arrivalsDir: string;
  /** `host:port` of the front-proxy whose inbox takes this lane. */
  readonly frontProxy: string;
}

export interface RxLinkConfig extends LinkId {
  /** Node id of whoever sends through it. */
  readonly expectedSender: string;
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly receiveBufferBytes: number;
  /** What its sender was told, where this end was told it too; what differs is alarmed. */
  readonly frameSize: number | undefined;
  /** "dgram" asks for the fallback of systems without kernel filters. */
  readonly socket: "auto" | "dgram";
}

export interface RxConfig extends BaseConfig {
  readonly lanes: readonly RxLaneConfig[];
  readonly links: readonly RxLinkConfig[];
  readonly gate: {
    readonly driver: "udp";
    /** What the sender was told, as far as this end was told it too; what differs is alarmed. */
    readonly groupShards: number | undefined;
    readonly parityShards: number | undefined;
    /** Whether tags are believed (SPEC.md §13). */
    readonly tags: boolean;
  };
  readonly alarms: AlarmLimits;
  readonly space: RoomLimits;
  /** Where figures are shown; nowhere without it. */
  readonly metrics: MetricsListen | undefined;
}

/** From one large burst to half of what a socket option can name. */
const BUFFER = { min: 65_536, max: 2 ** 30 - 1 };
const FRAME_SIZE = { min: MIN_FRAME_SIZE, max: MAX_FRAME_SIZE };
const GROUP_SHARDS = { min: 1, max: MAX_DATA_SHARDS };
const PARITY_SHARDS = { min: 0, max: MAX_PARITY_SHARDS };
const PORT = { min: 0, max: 65_535 };
/** What a link of the list may have … */
const LINK_SETTINGS = [
  ...["host", "port", "receiveBufferBytes", "frameSize", "socket", "expectedSender"],
];
/** … and what then may not stand beside the list; the others count there for every link. */
const LINK_ALONE = ["host", "port"];
const LANE_SETTINGS = ["arrivalsDir", "expectedSender", "frontProxy", "links"];

/** @throws GatewayError `config.invalid` naming the field */
export function readRxConfig(raw: unknown): RxConfig {
  const base = readBaseConfig(raw);
  const links = readLinks(raw, LINK_SETTINGS, LINK_ALONE, (at) => readLink(raw, at));
  const lanes = readLanes(raw, LANE_SETTINGS, (at) => ({
    expectedSender: readSender(raw, `${at}expectedSender`),
    arrivalsDir: readOptionalString(raw, `${at}arrivalsDir`) ?? readString(raw, "arrivalsDir"),
    frontProxy:
      at !== "" && readField(raw, `${at}frontProxy`) !== undefined
        ? readAddress(raw, `${at}frontProxy`)
        : requirePeer(base, "frontProxy"),
    links: readLaneLinks(raw, at, links),
  }));
  requireDifferent("gate.links", "address", links, ({ host, port }) =>
    port === 0 ? undefined : `${host}:${port}`,
  );
  requireSenders(lanes, links);
  return {
    ...base,
    lanes,
    links,
    gate: {
      driver: readOneOf(raw, "gate.driver", ["udp"]),
      groupShards: readOptionalInteger(raw, "gate.groupShards", GROUP_SHARDS),
      parityShards: readOptionalInteger(raw, "gate.parityShards", PARITY_SHARDS),
      tags: readField(raw, "gate.tags") !== undefined && readBoolean(raw, "gate.tags"),
    },
    alarms: readAlarmLimits(raw),
    space: readRoomLimits(raw),
    metrics: readMetricsListen(raw),
  };
}

function readLink(raw: unknown, at: string): Omit<RxLinkConfig, "number"> {
  const own = (name: string) =>
    (readField(raw, `${at}${name}`) === undefined ? "gate." : at) + name;
  const socket = own("socket");
  return {
    expectedSender: readSender(raw, `${at}expectedSender`),
    host: readString(raw, `${at}host`),
    port: readInteger(raw, `${at}port`, PORT),
    receiveBufferBytes: readInteger(raw, own("receiveBufferBytes"), BUFFER),
    frameSize: readOptionalInteger(raw, own("frameSize"), FRAME_SIZE),
    socket:
      readField(raw, socket) === undefined ? "auto" : readOneOf(raw, socket, ["auto", "dgram"]),
  };
}

/** That of the lane or link itself, else the one of all. */
function readSender(raw: unknown, path: string): string {
  return readOptionalString(raw, path) ?? readString(raw, "expectedSender");
}

/** A link without a lane would take nothing, a lane without a link would get nothing. */
function requireSenders(lanes: readonly RxLaneConfig[], links: readonly RxLinkConfig[]): void {
  const invalid = (detail: string) => new GatewayError("config.invalid", { detail });
  for (const lane of lanes) {
    const { name, expectedSender, links: named } = lane;
    if (!links.some((link) => link.expectedSender === expectedSender)) {
      throw invalid(`lanes: no link is from ${expectedSender}`);
    }
    const other = links.find((link) => named?.includes(link.number) && !comesBy(lane, link));
    if (other === undefined) continue;
    throw invalid(`lanes: link ${other.number} of ${name} is from ${other.expectedSender}`);
  }
  const idle = links.find((link) => !lanes.some((lane) => comesBy(lane, link)));
  if (idle !== undefined) {
    throw invalid(`gate.links: no lane from ${idle.expectedSender} goes by link ${idle.number}`);
  }
}
