/** Guarantee: the settings of the sending half are complete and within their limits before anything is opened. */

import { GatewayError } from "@lightferry/proto/errors";
import {
  type BaseConfig,
  readBaseConfig,
  readBoolean,
  readField,
  readInteger,
  readOneOf,
  readOptionalInteger,
  readOptionalString,
  readRingDir,
  readString,
  requireUnlock,
} from "@lightferry/proto/service";
import { MAX_DATA_SHARDS, MAX_PARITY_SHARDS } from "../erasure/index.ts";
import { DEFAULT_FRAME_SIZE, MAX_FRAME_SIZE, MAX_SHARDS, MIN_FRAME_SIZE } from "../frame.ts";
import {
  goesBy,
  type LinkId,
  readLaneLinks,
  readLanes,
  readLinks,
  requireDifferent,
} from "../lane-settings.ts";
import { type MetricsListen, readMetricsListen } from "../metrics/settings.ts";
import { type Code, DEFAULT_CODE } from "../object.ts";
import { DEFAULT_INVENTORY, type InventoryTimes } from "./inventory.ts";
import type { SenderLane } from "./lane.ts";

export interface TxLinkConfig extends LinkId {
  readonly host: string;
  readonly port: number;
  /** Wire bytes per second, headers of Ethernet included. */
  readonly rateBytesPerSecond: number;
  /** UDP payload of a full frame in bytes; the same on all links of a lane, whose objects are cut by it. */
  readonly frameSize: number;
  /** "dgram" asks for the fallback of systems without kernel filters. */
  readonly socket: "auto" | "dgram";
}

export interface TxConfig extends BaseConfig {
  readonly lanes: readonly SenderLane[];
  readonly links: readonly TxLinkConfig[];
  /** Ring of this node's ferry keys, `<key id>.key.json`. */
  readonly ferryKeysDir: string | undefined;
  readonly inventory: InventoryTimes;
  readonly gate: {
    readonly driver: "udp";
    /** Data and parity shards of a full group; no parity turns coding off. */
    readonly code: Code;
    /** Between two passes of a bundle. */
    readonly secondPassSeconds: number;
    readonly passes: number;
    /** Whether chunks have tags (SPEC.md §13). */
    readonly tags: boolean;
  };
  /** Where figures are shown; nowhere without it. */
  readonly metrics: MetricsListen | undefined;
}

/** 100 Gb/s; the pacer's lower bound is its own. */
const RATE = { min: 10_000, max: 12_500_000_000 };
/** A third pass costs the line as much again: for links that lose more than tickets should be carried for. */
const PASSES = { min: 2, max: 3, usual: 2 };
/** An hour is the longest that a missing bundle may go unnamed; the others only cost the line. */
const INVENTORY_SECONDS = { min: 1, max: 3_600 };
const WINDOW_SECONDS = { min: 1, max: 86_400 };
const FULL_SECONDS = { min: 1, max: 86_400 };
/** 0 repeats at once, for tests; a day is longer than any receiver is restarted. */
const SECOND_PASS = { min: 0, max: 86_400 };
const FRAME_SIZE = { min: MIN_FRAME_SIZE, max: MAX_FRAME_SIZE };
const GROUP_SHARDS = { min: 1, max: MAX_DATA_SHARDS };
const PARITY_SHARDS = { min: 0, max: MAX_PARITY_SHARDS };
const PORT = { min: 1, max: 65_535 };
/** A lane of a thousandth beside another one hardly moves; finer shares are caps. */
const WEIGHT = { min: 1, max: 1_000 };
const LANE_SETTINGS = ["outboxDir", "weight", "rateBytesPerSecond", "links"];
/** What a link of the list may have … */
const LINK_SETTINGS = ["host", "port", "rateBytesPerSecond", "frameSize", "socket"];
/** … and what then may not stand beside the list; a frame size there counts for every link. */
const LINK_ALONE = ["host", "port", "rateBytesPerSecond", "socket"];

/** @throws GatewayError `config.invalid` naming the field */
export function readTxConfig(raw: unknown): TxConfig {
  const base = readBaseConfig(raw);
  if (base.hsm?.keys.sign === undefined) requireUnlock(base);
  const links = readLinks(raw, LINK_SETTINGS, LINK_ALONE, (at) => readLink(raw, at));
  requireDifferent("gate.links", "address", links, ({ host, port }) => `${host}:${port}`);
  return {
    ...base,
    lanes: readLanesOf(raw, links),
    links,
    ferryKeysDir: readRingDir(raw, "ferryKeysDir", base, "sign"),
    inventory: readInventory(raw),
    gate: {
      driver: readOneOf(raw, "gate.driver", ["udp"]),
      code: readCode(raw),
      secondPassSeconds: readInteger(raw, "gate.secondPassSeconds", SECOND_PASS),
      passes: readOptionalInteger(raw, "gate.passes", PASSES) ?? PASSES.usual,
      tags: readField(raw, "gate.tags") !== undefined && readBoolean(raw, "gate.tags"),
    },
    metrics: readMetricsListen(raw),
  };
}

function readLink(raw: unknown, at: string): Omit<TxLinkConfig, "number"> {
  const socket = `${at}socket`;
  return {
    host: readString(raw, `${at}host`),
    port: readInteger(raw, `${at}port`, PORT),
    rateBytesPerSecond: readInteger(raw, `${at}rateBytesPerSecond`, RATE),
    frameSize:
      readOptionalInteger(raw, `${at}frameSize`, FRAME_SIZE) ??
      readOptionalInteger(raw, "gate.frameSize", FRAME_SIZE) ??
      DEFAULT_FRAME_SIZE,
    socket:
      readField(raw, socket) === undefined ? "auto" : readOneOf(raw, socket, ["auto", "dgram"]),
  };
}

function readLanesOf(raw: unknown, links: readonly TxLinkConfig[]): readonly SenderLane[] {
  const lanes = readLanes(raw, LANE_SETTINGS, (at) => {
    const outboxDir = readOptionalString(raw, `${at}outboxDir`) ?? readString(raw, "outboxDir");
    if (at === "") return { outboxDir, weight: 1, rateBytesPerSecond: undefined, links: undefined };
    const own = readLaneLinks(raw, at, links);
    // A cap that its links could not reach would only look like one.
    const max = links
      .filter(({ number }) => goesBy({ links: own }, number))
      .reduce((sum, { rateBytesPerSecond }) => sum + rateBytesPerSecond, 0);
    return {
      outboxDir,
      weight: readOptionalInteger(raw, `${at}weight`, WEIGHT) ?? 1,
      rateBytesPerSecond: readOptionalInteger(raw, `${at}rateBytesPerSecond`, {
        min: RATE.min,
        max,
      }),
      links: own,
    };
  });
  requireWays(lanes, links);
  return lanes;
}

/** A link without a lane would carry nothing; a group is cut for one size of frame and goes by any link of its lane. */
function requireWays(lanes: readonly SenderLane[], links: readonly TxLinkConfig[]): void {
  const invalid = (detail: string) => new GatewayError("config.invalid", { detail });
  const idle = links.find(({ number }) => !lanes.some((lane) => goesBy(lane, number)));
  if (idle !== undefined) throw invalid(`gate.links: no lane goes by link ${idle.number}`);
  for (const lane of lanes) {
    const sizes = links.filter(({ number }) => goesBy(lane, number)).map((link) => link.frameSize);
    if (new Set(sizes).size > 1) {
      throw invalid(`lanes: the links of ${lane.name} have frames of ${sizes.join(" and ")} bytes`);
    }
  }
}

function readInventory(raw: unknown): InventoryTimes {
  const read = (name: string, limits: { min: number; max: number }, usualMs: number): number => {
    const seconds = readOptionalInteger(raw, `inventory.${name}`, limits);
    return seconds === undefined ? usualMs : seconds * 1_000;
  };
  const { recentMs, windowMs, fullMs } = DEFAULT_INVENTORY;
  return {
    recentMs: read("recentSeconds", INVENTORY_SECONDS, recentMs),
    windowMs: read("windowSeconds", WINDOW_SECONDS, windowMs),
    fullMs: read("fullSeconds", FULL_SECONDS, fullMs),
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
