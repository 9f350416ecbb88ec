/**
 * Guarantee: which lane each ferry program of a zone carries and by what gate or appliance, and which stations for
 * removable media the zone has: all of it from the operator's choice.
 */
import { ZONE_SERVICES, type ZoneName, zonePorts } from "../layout.ts";
import { directorySettings } from "./directory-lane.ts";
import {
  applianceOf,
  driverOf,
  type FerryProgram,
  RECEIPTS_FROM,
  receiptGateSettings,
  receiptProgram,
} from "./receipt-lane.ts";
import { type MediaLane, mediaLaneOf, type ZoneOptions } from "./zone-options.ts";

/** 0.75 s of a 1 Gb/s line, so that a pause of the receiver loses nothing (references: §6). */
export const GATE_RECEIVE_BUFFER_BYTES = 96 * 1024 * 1024;

interface Way {
  readonly lane?: string | undefined;
  readonly lanes?: readonly object[];
  readonly gate: { readonly driver: string };
}

/** `lane` or `lanes`, and `gate`; undefined of a program that the zone does not have. */
export function ferryWay(
  zone: ZoneName,
  program: FerryProgram,
  options: ZoneOptions,
): Way | undefined {
  const appliance = directorySettings(applianceOf(zone, program, options));
  if (appliance !== undefined) return appliance;
  const ports = zonePorts(zone, options.portBase);
  const back = program === receiptProgram(zone);
  const way = back
    ? receiptGateSettings(options.receiptLane, zone, ports.receiptGate)
    : inward(zone, program, options, ports.gate);
  if (way === undefined) return undefined;
  // What this zone was told of the link: the receiver alarms where the sender was told otherwise.
  const told = {
    frameSize: options.gateFrameSize,
    groupShards: options.gateGroupShards,
    parityShards: options.gateParityShards,
  };
  const passes = program === "ferry-tx" ? { secondPassSeconds: options.gateSecondPassSeconds } : {};
  return { ...way, gate: { ...way.gate, ...told, ...passes } };
}

function inward(
  zone: ZoneName,
  program: FerryProgram,
  options: ZoneOptions,
  port: number,
): Way | undefined {
  if (!ZONE_SERVICES[zone].includes(program)) return undefined;
  const { ferryLanes, ferryLinks, gateHost, gateRateBytesPerSecond, gateTags } = options;
  const lane = ferryLanes.length > 0 ? { lanes: ferryLanes } : { lane: "inbound" };
  const buffer = { receiveBufferBytes: GATE_RECEIVE_BUFFER_BYTES };
  const sends = program === "ferry-tx";
  const gate =
    ferryLinks.length > 0
      ? { driver: "udp", links: ferryLinks }
      : {
          ...{ driver: "udp", host: gateHost, port },
          ...(sends ? { rateBytesPerSecond: gateRateBytesPerSecond } : {}),
        };
  const tags = gateTags ? { tags: true } : {};
  return { ...lane, gate: sends ? { ...gate, ...tags } : { ...gate, ...tags, ...buffer } };
}

/** Lanes that removable media carry from or to this installation. */
export function mediaLanes({ mediaLane, receiptLane }: ZoneOptions): readonly MediaLane[] {
  const usual = mediaLaneOf(mediaLane);
  const { lane } = receiptLane;
  return [
    ...(usual === undefined ? [] : [usual]),
    ...(lane === undefined || driverOf(receiptLane) !== "media"
      ? []
      : [{ lane, from: RECEIPTS_FROM }]),
  ];
}
