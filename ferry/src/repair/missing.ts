/**
 * Guarantee: what the receiving half lacks stands in one file of its state
 * folder, whole after any crash, from which it goes on after a restart and from
 * which a repair ticket is written. The file is judged before it is used.
 */
import { join } from "node:path";
import { GatewayError } from "@lightferry/proto/errors";
import { readState } from "../durable.ts";
import { areRanges, type Range } from "../ranges.ts";
import type { KeptStream } from "../rx/streams.ts";

const FORMAT = "lightferry-missing/1";

/** An object that was begun and is not whole. */
export interface Begun {
  /** Hex. */
  readonly bundle: string;
  readonly object: number;
  readonly shardSize: number;
  readonly groupShards: number;
  readonly parityShards: number;
  /** Groups that are needed; none = all. */
  readonly groups: readonly Range[];
}

export interface Missing {
  readonly format: typeof FORMAT;
  readonly lane: string;
  readonly sender: string;
  /** Newest inventory of each ferry that was believed: older ones say nothing any more. */
  readonly inventories: readonly (readonly [epoch: number, number: number])[];
  readonly passDelayMs: number;
  readonly streams: Readonly<Record<string, KeptStream>>;
  readonly objects: readonly Begun[];
  /** The sender's clock less ours, by its heartbeats; null before the first. */
  readonly senderOffsetMs: number | null;
  readonly timeMs: number;
}

/** One file a lane: lanes are named as in the registry, by letters, digits and hyphens. */
export function missingPath(stateDir: string, lane: string): string {
  return join(stateDir, `missing-${lane}.json`);
}

export function missingOf(facts: Omit<Missing, "format">): Missing {
  return { format: FORMAT, ...facts };
}

/**
 * What a former run wrote; undefined when there was none.
 * @throws GatewayError `ferry.state-corrupt` also when it is of another lane or sender
 */
export async function readMissing(
  path: string,
  expected: { readonly lane: string; readonly sender?: string },
): Promise<Missing | undefined> {
  const read = await readState(path);
  if (read === undefined) return undefined;
  const missing = read as Missing;
  const { format, lane, sender, inventories, passDelayMs, streams, objects } = missing;
  const fits =
    format === FORMAT &&
    lane === expected.lane &&
    sender === (expected.sender ?? sender) &&
    [...inventories.flat(), passDelayMs].every(
      (value) => Number.isSafeInteger(value) && value >= 0,
    ) &&
    Object.values(streams).every(isKept) &&
    objects.every(({ groups }) => areRanges(groups, 0));
  if (!fits) throw new GatewayError("ferry.state-corrupt", { detail: path });
  return missing;
}

function isKept(kept: KeptStream): boolean {
  return [kept.open, kept.listed, kept.unrepaired, kept.unrepairable].every((set) =>
    areRanges(set),
  );
}
