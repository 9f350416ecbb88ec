/** Guarantee: what the operator chose for a zone, kept in `<zone>/zone.json`, read back strictly. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { GatewayError } from "@lightferry/proto/errors";
import { isRegistryId } from "@lightferry/proto/registry";
import { DEFAULT_PORT_BASE, type ZoneName, type ZonePaths } from "../layout.ts";
import { type FerryDirectory, isChosen } from "./directory-lane.ts";
import { checkReceiptLane, type ReceiptLane } from "./receipt-lane.ts";

/** Of the demonstration's registry. */
export const DEMO_MEDIA_LANE = "inbound-media";
/** By another port of the loopback than the gate's. */
export const DEMO_RECEIPT_LANE: ReceiptLane = { lane: "return", gate: { host: "127.0.0.1" } };

export interface MediaLane {
  readonly lane: string;
  readonly from: ZoneName;
}

/**
 * The medium's lane of a zone, as its options name it.
 * @throws GatewayError `config.invalid`; `setup.media-lane-outbound`: nothing leaves the business network
 * without policy's releaser, by whatever it is carried (deploy/THREAT-MODEL.md).
 */
export function mediaLaneOf(text: string): MediaLane | undefined {
  if (text === "") return undefined;
  const [lane, zone, ...more] = text.split(":");
  if (!isRegistryId(lane) || zone === undefined || more.length > 0) {
    throw new GatewayError("config.invalid", { detail: `media lane ${text}` });
  }
  const from = zoneName(zone);
  if (from === "business") throw new GatewayError("setup.media-lane-outbound", { detail: text });
  return { lane, from };
}

export interface ZoneOptions {
  readonly mode: "demo" | "production";
  readonly portBase: number;
  /** Address the gate's receiving end binds and the sending end aims at. */
  readonly gateHost: string;
  /** UDP payload bytes of one frame: 1456 fits an MTU of 1500, 8944 one of 9000. */
  readonly gateFrameSize: number;
  /** Data shards of a coded group, 1 to 224, and its parity shards, up to 64; 0 turns coding off. */
  readonly gateGroupShards: number;
  readonly gateParityShards: number;
  readonly gateRateBytesPerSecond: number;
  readonly gateSecondPassSeconds: number;
  /** Tags of the gate (ferry/SPEC.md §13), at both ends of the lane that leads in; its lane of receipts has nothing long enough for them. */
  readonly gateTags: boolean;
  /** Lanes and links of this zone's ferry program, as its settings have them (ferry/README.md); none = one of each. */
  readonly ferryLanes: readonly object[];
  readonly ferryLinks: readonly object[];
  /** In place of the gate: an appliance that ferries a folder; {} = none. */
  readonly ferryDirectory: FerryDirectory;
  /** The lane by which receipts return by themselves; {} = none. */
  readonly receiptLane: ReceiptLane;
  /** Bytes of the spool's file system that uploads and what the gate brings leave free for the database; 0 when the spool has a disk of its own. */
  readonly spoolReserveBytes: number;
  /** Folder of unlock files and vaults; "" keeps them in `<zone>/keys`, beside what they open. */
  readonly unlockDir: string;
  /** Services get their unlock secrets from the service manager as credentials, not from files (`setup --systemd`). */
  readonly unlockByCredential: boolean;
  /** `<lane>:<zone it begins in>`: the lane that removable media carry (`lightferry media`); "" = none. */
  readonly mediaLane: string;
}

export const DEFAULT_OPTIONS: ZoneOptions = {
  mode: "demo",
  portBase: DEFAULT_PORT_BASE,
  gateHost: "127.0.0.1",
  gateFrameSize: 8944,
  gateGroupShards: 128,
  gateParityShards: 16,
  gateRateBytesPerSecond: 120_000_000,
  gateSecondPassSeconds: 30,
  gateTags: false,
  ferryLanes: [],
  ferryLinks: [],
  ferryDirectory: {},
  receiptLane: {},
  // 16 segments of 16 MiB: the log that PostgreSQL must be able to extend.
  spoolReserveBytes: 256 * 1024 * 1024,
  unlockDir: "",
  unlockByCredential: false,
  mediaLane: `${DEMO_MEDIA_LANE}:extranet`,
};

export const unlockDirOf = (paths: ZonePaths, { unlockDir }: ZoneOptions): string =>
  unlockDir === "" ? paths.keys : resolve(paths.root, unlockDir);

export function readZoneOptions(zoneRoot: string): ZoneOptions {
  const path = join(zoneRoot, "zone.json");
  if (!existsSync(path)) return DEFAULT_OPTIONS;
  const json = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  const options: Record<string, unknown> = { ...DEFAULT_OPTIONS };
  for (const [name, value] of Object.entries(json)) {
    if (!(name in DEFAULT_OPTIONS) || !sameKind(value, options[name])) {
      throw new GatewayError("config.invalid", { detail: `zone.json: ${name}` });
    }
    options[name] = value;
  }
  const read = options as unknown as ZoneOptions;
  // Such a ferry program has one lane and no link.
  if (isChosen(read.ferryDirectory) && read.ferryLanes.length + read.ferryLinks.length > 0) {
    throw new GatewayError("config.invalid", { detail: "zone.json: ferryDirectory" });
  }
  // An appliance has no gate that could have tags.
  if (isChosen(read.ferryDirectory) && read.gateTags) {
    throw new GatewayError("config.invalid", { detail: "zone.json: gateTags" });
  }
  checkReceiptLane(read);
  return read;
}

function sameKind(value: unknown, usual: unknown): boolean {
  // The ferry itself reads what stands in an object, and names what is wrong.
  if (Array.isArray(usual)) return Array.isArray(value) && value.every(isObject);
  return typeof usual === "object" ? isObject(value) : typeof value === typeof usual;
}

const isObject = (value: unknown): boolean =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export function writeZoneOptions(zoneRoot: string, options: ZoneOptions): void {
  writeFileSync(join(zoneRoot, "zone.json"), `${JSON.stringify(options, null, 2)}\n`, {
    mode: 0o600,
  });
}

export function zoneName(text: string): ZoneName {
  if (text === "business" || text === "extranet") return text;
  throw new GatewayError("config.invalid", { detail: `zone ${text}` });
}
