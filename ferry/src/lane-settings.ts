/**
 * Guarantee: both halves read the lanes and links of their settings in one way: one of each by
 * short settings, several by lists; names and numbers are within their limits and none stands twice.
 */
import { GatewayError } from "@lightferry/proto/errors";
import { isRegistryId } from "@lightferry/proto/registry";
import { readField, readInteger, readList, readString } from "@lightferry/proto/service";
import { LANE_COUNT, LINK_COUNT } from "./frame.ts";

/** Each lane has a memory of its own of up to 128 MiB a link in the sending half, 256 MiB in the receiving one. */
const MAX_LANES = 8;

/** A lane as both halves know it. */
export interface LaneId {
  readonly name: string;
  /** On the wire, 0 … 15. */
  readonly number: number;
}

/** By which links a lane goes. */
export interface LaneWay {
  /** Their numbers; all links of its sender when absent. */
  readonly links?: readonly number[] | undefined;
}

/** Whether a lane goes by the link of that number, which is one of its sender's. */
export function goesBy({ links }: LaneWay, link: number): boolean {
  return links === undefined || links.includes(link);
}

/** Whether what comes by a link may be of the lane. */
export function comesBy(
  lane: LaneWay & { readonly expectedSender: string },
  link: LinkId & { readonly expectedSender: string },
): boolean {
  return lane.expectedSender === link.expectedSender && goesBy(lane, link.number);
}

/** Where a link's settings stand, and its number. */
export interface LinkId {
  readonly number: number;
}

/**
 * Lanes of the list `lanes`, or the one that is named `lane`, whose number is 0.
 * @param own settings that a lane of the list may have beside `lane` and `number`
 * @param read the rest of a lane; `at` is the path before a setting's name
 * @throws GatewayError `config.invalid` naming the field
 */
export function readLanes<T>(
  raw: unknown,
  own: readonly string[],
  read: (at: string, lane: LaneId) => T,
): readonly (LaneId & T)[] {
  const lanes = placesOf(raw, "lanes", ["lane"], ["lane", "number", ...own]).map((place) => {
    const name = readString(raw, `${place.at}lane`);
    if (!isRegistryId(name)) throw invalid(`${place.at}lane`, "a lane of the registry");
    const number = place.listed
      ? readInteger(raw, `${place.at}number`, { min: 0, max: LANE_COUNT - 1 })
      : 0;
    return { name, number, ...read(place.at, { name, number }) };
  });
  if (lanes.length > MAX_LANES) throw invalid("lanes", `at most ${MAX_LANES}`);
  requireDifferent("lanes", "lane", lanes, ({ name }) => name);
  requireDifferent("lanes", "number", lanes, ({ number }) => String(number));
  return lanes;
}

/**
 * Links of the list `gate.links`, or the one that `gate` itself describes, whose number is 0 unless `gate.link` says otherwise.
 * @param own settings that a link of the list may have beside `link`
 * @param alone those of them that only one link may have beside the list
 * @throws GatewayError `config.invalid` naming the field
 */
export function readLinks<T>(
  raw: unknown,
  own: readonly string[],
  alone: readonly string[],
  read: (at: string) => T,
): readonly (LinkId & T)[] {
  const one = ["link", ...alone].map((name) => `gate.${name}`);
  const limits = { min: 0, max: LINK_COUNT - 1 };
  const links = placesOf(raw, "gate.links", one, ["link", ...own], "gate.").map((place) => {
    const told = place.listed || readField(raw, "gate.link") !== undefined;
    const number = told ? readInteger(raw, `${place.at}link`, limits) : 0;
    return { number, ...read(place.at) };
  });
  requireDifferent("gate.links", "link", links, ({ number }) => String(number));
  return links;
}

/**
 * The setting `links` of a lane of the list: numbers of links that there are, each once.
 * @param at path before the names of the lane's settings
 * @returns undefined when it is not set: the lane goes by all of them
 * @throws GatewayError `config.invalid` naming the field
 */
export function readLaneLinks(
  raw: unknown,
  at: string,
  links: readonly LinkId[],
): readonly number[] | undefined {
  const path = `${at}links`;
  // A lane that stands alone goes by every link.
  if (at === "" || readField(raw, path) === undefined) return undefined;
  const named = readList(raw, path);
  if (named.length === 0) throw invalid(path, "at least one");
  const numbers = links.map(({ number }) => number);
  const strange = named.find((link) => !numbers.includes(link as number));
  if (strange !== undefined) {
    throw invalid(path, `no link ${String(strange)} among ${numbers.join(", ")}`);
  }
  requireDifferent(path, "link", named as readonly number[], String);
  return named as readonly number[];
}

/** @throws GatewayError `config.invalid` when two of a list have the same */
export function requireDifferent<T>(
  list: string,
  what: string,
  items: readonly T[],
  read: (item: T) => string | undefined,
): void {
  const seen = new Set<string>();
  for (const item of items) {
    const value = read(item);
    if (value === undefined) continue;
    if (seen.has(value)) throw invalid(list, `${what} ${value} stands there twice`);
    seen.add(value);
  }
}

interface Place {
  /** Path before the names of its settings. */
  readonly at: string;
  readonly listed: boolean;
}

/** Either a list or the short settings, never both: one of them would silently not apply. */
function placesOf(
  raw: unknown,
  list: string,
  short: readonly string[],
  known: readonly string[],
  alone = "",
): readonly Place[] {
  if (readField(raw, list) === undefined) return [{ at: alone, listed: false }];
  const double = short.find((path) => readField(raw, path) !== undefined);
  if (double !== undefined) throw invalid(list, `either this list or ${double}, not both`);
  const items = readList(raw, list);
  if (items.length === 0) throw invalid(list, "at least one");
  for (const [index, item] of items.entries()) {
    const stranger = Object.keys(Object(item)).find((name) => !known.includes(name));
    if (stranger !== undefined) throw invalid(`${list}.${index}.${stranger}`, "no such setting");
  }
  return items.map((_, index) => ({ at: `${list}.${index}.`, listed: true }));
}

function invalid(path: string, expected: string): GatewayError {
  return new GatewayError("config.invalid", { detail: `${path}: ${expected}` });
}
