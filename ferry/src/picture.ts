/**
 * Guarantee: what `status.json` holds has these shapes, written by the programs and read by the command line and
 * the figures. What is of a link and what is of a lane is told apart, however many of them a program has.
 */
import type { ErrorCode } from "@lightferry/proto/errors";
import type { ActiveAlarm } from "./alarms.ts";
import type { Lag } from "./lag.ts";
import type { GapState } from "./rx/streams.ts";

/** Bundles of a stream that were sent and have not arrived. */
export interface GapPicture {
  readonly stream: string;
  readonly missing: string;
  readonly count: number;
  readonly state: GapState;
}

/** The sending end of a link. */
export interface TxLink {
  readonly link: number;
  readonly driver: string;
  readonly locked: boolean;
  readonly epoch: number;
  /** Wire bytes that the link may take; absent where the driver has no such limit. */
  readonly rateBytesPerSecond?: number;
  readonly nextFrame: number;
  /** Tags of the gate (SPEC.md §13), or why there are none; absent where the driver knows none. */
  readonly tags?: "off" | "on" | ErrorCode;
  readonly sent: {
    readonly frames: number;
    readonly bytes: number;
    readonly retried: number;
    readonly failed: number;
    readonly bytesPerSecond: number;
    readonly parityShare: number;
  };
}

/** A lane on the sending side. */
export interface TxLane {
  readonly lane: string;
  /** Numbers of the links that it goes by; absent where the driver has one way only. */
  readonly links?: readonly number[];
  readonly bundles: {
    readonly emitted: number;
    readonly finished: number;
    readonly refused: number;
    readonly sending: number;
    readonly held: number;
  };
  /** Passes under way: how far, in bytes of frames and of the bundle. */
  readonly passes: readonly {
    readonly bundle: string;
    readonly pass: number;
    readonly bytes: number;
    readonly size: number;
  }[];
  readonly lag: Lag;
}

/** The receiving end of a link. */
export interface RxLink {
  readonly link: number;
  readonly driver: string;
  readonly locked: boolean;
  readonly port: number;
  readonly received: {
    readonly datagrams: number;
    readonly bytes: number;
    readonly overruns: number;
    readonly receiveBuffer: number;
  };
  readonly bytesPerSecond: number;
  readonly frames: number;
  readonly epoch: number;
  readonly accounted: { readonly settled: number; readonly lost: number };
  /** Tags of the gate: the sender tells no key, its key is not opened yet; absent where the driver knows none. */
  readonly tags?: "off" | "none" | "waiting" | "on";
  readonly heartbeat: {
    readonly count: number;
    readonly silent: boolean;
    readonly secondsAgo: number | null;
    readonly clockOffsetMs: number | null;
  };
  /** In the window of the alarm. */
  readonly loss: { readonly permille: number; readonly frames: number; readonly lost: number };
  readonly rejected: Readonly<Record<string, number>>;
  readonly alarms: readonly ActiveAlarm[];
  readonly alarmCounts: Readonly<Record<string, number>>;
}

/** A lane on the receiving side. */
export interface RxLane {
  readonly lane: string;
  /** Numbers of the links that it may come by; absent where the driver has one way only. */
  readonly links?: readonly number[];
  readonly bundles: {
    readonly arrived: number;
    readonly delivered: number;
    readonly duplicates: number;
    readonly quarantined: number;
    readonly refused: number;
    readonly waiting: number;
  };
  readonly quarantine: {
    readonly bundles: number;
    readonly bytes: number;
    readonly sinceMs: number | null;
  };
  readonly objects: number;
  readonly heldBytes: number;
  readonly restored: number;
  readonly repeats: number;
  /** Bytes that were judged by a tag, and by a digest; tags that were wrong. Absent where the driver knows no tags. */
  readonly checked?: {
    readonly byTag: number;
    readonly byDigest: number;
    readonly wrongTags: number;
  };
  readonly rejected: Readonly<Record<string, number>>;
  /** Objects under way, the oldest first. */
  readonly progress: readonly {
    readonly bundle: string;
    readonly good: number;
    readonly size: number;
  }[];
  readonly gaps: readonly GapPicture[];
  readonly lag: Lag;
}

export interface TxPicture {
  readonly role: "tx";
  readonly timeMs: number;
  readonly pid: number;
  readonly node: string;
  readonly memory: { readonly shards: number; readonly used: number };
  readonly links: readonly TxLink[];
  readonly lanes: readonly TxLane[];
}

export interface RxPicture {
  readonly role: "rx";
  readonly timeMs: number;
  readonly pid: number;
  /** Of the disk, and what is alarmed of it. */
  readonly space: {
    readonly freeBytes: number;
    readonly totalBytes: number;
    readonly promisedBytes: number;
    readonly leftOut: { readonly objects: number; readonly bytes: number };
    readonly alarms: readonly ActiveAlarm[];
  };
  readonly links: readonly RxLink[];
  readonly lanes: readonly RxLane[];
}

export type Picture = TxPicture | RxPicture;

/** A flat picture is that of a program with one link and one lane. */
export function pictureOf(raw: object): Picture {
  const flat = raw as Picture & {
    readonly links?: readonly unknown[];
    readonly lanes?: readonly unknown[];
  };
  const { links = [{ link: 0, ...flat }], lanes = [flat] } = flat;
  return { ...flat, links, lanes } as Picture;
}
