/**
 * Guarantee: a lane of receipts leads back by a gate, an appliance or media of its own, never by those of the lane it
 * answers; the one place that knows what an installation has for it, and which programs that adds to a zone.
 */
import { GatewayError } from "@lightferry/proto/errors";
import { isRegistryId } from "@lightferry/proto/registry";
import {
  nodeIdOf,
  otherZone,
  type ServiceEntryName,
  ZONE_SERVICES,
  ZONES,
  type ZoneName,
} from "../layout.ts";
import { type FerryDirectory, foldersOf, isChosen, shownOf } from "./directory-lane.ts";

/** Receipts of what was received here go out; where they are matched, they come in. */
export const RECEIPTS_FROM: ZoneName = "business";
/** The service of the other zone that takes them, as its settings name it. */
export const RECEIPT_SERVICE = "receipts";

/** `receiptLane` of `zone.json`; {} = none. With neither gate nor appliance it goes by removable medium. */
export interface ReceiptLane {
  readonly lane?: string;
  readonly gate?: ReceiptGate;
  /** What the zone's end of an appliance has: `target` and `profile`, or `path`. */
  readonly directory?: Omit<FerryDirectory, "lane">;
}

/** What of a zone's options a lane of receipts is compared with. */
interface Chosen {
  readonly mode: "demo" | "production";
  readonly receiptLane: ReceiptLane;
  readonly mediaLane: string;
  readonly gateHost: string;
  readonly ferryLinks: readonly object[];
  readonly ferryDirectory: FerryDirectory;
}

interface ReceiptGate {
  /** Address that the receiving end binds and the sending end aims at. */
  readonly host: string;
  readonly port?: number;
  readonly rateBytesPerSecond?: number;
}

/** 30 bytes a receipt: of 3,000 exchanges a second they take a hundredth of this. */
const RATE_BYTES_PER_SECOND = 10_000_000;
/** 0.75 s of that, as the gate has of its own rate. */
const RECEIVE_BUFFER_BYTES = 8 * 1024 * 1024;

export const FERRY_PROGRAMS = ["ferry-tx", "ferry-rx"] as const;
export type FerryProgram = (typeof FERRY_PROGRAMS)[number];

/** The program of a zone that a lane of receipts adds. */
export const receiptProgram = (zone: ZoneName): FerryProgram =>
  zone === RECEIPTS_FROM ? "ferry-tx" : "ferry-rx";

export const isOnline = ({ gate, directory }: ReceiptLane): boolean =>
  gate !== undefined || directory !== undefined;

/** By which driver the registry must have it. */
export function driverOf({ gate, directory }: ReceiptLane): "udp" | "directory" | "media" {
  if (directory !== undefined) return "directory";
  return gate === undefined ? "media" : "udp";
}

/** What runs in a zone. */
export function servicesOf(zone: ZoneName, receipts: ReceiptLane): readonly ServiceEntryName[] {
  const usual = ZONE_SERVICES[zone];
  return isOnline(receipts) ? [...usual, receiptProgram(zone)] : usual;
}

/** The appliance that a ferry program of the zone has in place of a gate; {} = none. */
export function applianceOf(
  zone: ZoneName,
  program: FerryProgram,
  { ferryDirectory, receiptLane }: Pick<Chosen, "ferryDirectory" | "receiptLane">,
): FerryDirectory {
  if (program !== receiptProgram(zone)) {
    return ZONE_SERVICES[zone].includes(program) ? ferryDirectory : {};
  }
  const { lane, directory } = receiptLane;
  return directory === undefined || lane === undefined ? {} : { lane, ...directory };
}

/** For people: the lane, and what carries it. */
export function shownReceipts({ lane = "", gate, directory }: ReceiptLane): string {
  if (directory !== undefined) return `${lane} ${shownOf(directory)}`;
  return gate === undefined ? lane : `${lane} udp ${gate.host}`;
}

/** `lane` and `gate` of the program that a lane of receipts by a gate adds; undefined where it has none. */
export function receiptGateSettings(
  { lane, gate }: ReceiptLane,
  zone: ZoneName,
  usualPort: number,
): { readonly lane: string; readonly gate: { readonly driver: string } } | undefined {
  if (lane === undefined || gate === undefined) return undefined;
  const { host, port = usualPort, rateBytesPerSecond = RATE_BYTES_PER_SECOND } = gate;
  const end =
    zone === RECEIPTS_FROM ? { rateBytesPerSecond } : { receiveBufferBytes: RECEIVE_BUFFER_BYTES };
  const settings = { driver: "udp", host, port, ...end };
  return { lane, gate: settings };
}

/** Who may hand receipts to the lane: the node that signed them. */
export const receiptCaller = (): string => nodeIdOf(RECEIPTS_FROM);
export const receiptsTo = (): ZoneName => otherZone(RECEIPTS_FROM);

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  receiptLane: ["lane", "gate", "directory"],
  "receiptLane.gate": ["host", "port", "rateBytesPerSecond"],
};

/**
 * What the operator chose, as far as the ferry would not name it at its start.
 * @throws GatewayError `config.invalid`; `setup.receipt-lane-shared`: one gate, one appliance, one way.
 */
export function checkReceiptLane(options: Chosen): void {
  const { receiptLane, mediaLane } = options;
  refuseUnknown("receiptLane", receiptLane);
  const { lane, gate, directory } = receiptLane;
  refuseUnknown("receiptLane.gate", gate);
  refuseUnknown("receiptLane.directory", directory);
  if (lane === undefined) {
    if (isOnline(receiptLane)) invalid("receiptLane.lane");
    return;
  }
  if (!isRegistryId(lane)) invalid("receiptLane.lane");
  if (gate !== undefined && (directory !== undefined || typeof gate.host !== "string")) {
    invalid("receiptLane.gate");
  }
  if (ZONES.some((zone) => mediaLane === `${lane}:${zone}`)) invalid("receiptLane.lane");
  refuseShared(options);
}

function refuseShared({ mode, receiptLane, gateHost, ferryLinks, ...rest }: Chosen): void {
  const host = receiptLane.gate?.host;
  const inward = isChosen(rest.ferryDirectory)
    ? []
    : [gateHost, ...ferryLinks.map((link) => (link as { readonly host?: unknown }).host)];
  // On one machine for show, both are ports of its loopback.
  if (mode === "production" && host !== undefined && inward.includes(host)) shared(host);
  const there = foldersOf(rest.ferryDirectory);
  for (const folder of foldersOf(receiptLane.directory ?? {})) {
    const same = there.find(
      (other) => `${other}/`.startsWith(`${folder}/`) || `${folder}/`.startsWith(`${other}/`),
    );
    if (same !== undefined) shared(same);
  }
}

function refuseUnknown(at: string, value: object | undefined): void {
  if (value === undefined) return;
  if (typeof value !== "object" || value === null || Array.isArray(value)) invalid(at);
  const known = FIELDS[at];
  // What stands in an appliance's settings the ferry reads, and names what is wrong.
  if (known === undefined) return;
  const stranger = Object.keys(value).find((name) => !known.includes(name));
  if (stranger !== undefined) invalid(`${at}.${stranger}`);
}

function invalid(field: string): never {
  throw new GatewayError("config.invalid", { detail: `zone.json: ${field}` });
}

function shared(what: string): never {
  throw new GatewayError("setup.receipt-lane-shared", { detail: what });
}
