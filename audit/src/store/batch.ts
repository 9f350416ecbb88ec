/** Guarantee: the shapes that pass between the sequencer and the database; a batch is one transaction. */
import type { lightferry } from "@lightferry/proto/gen";
import type { Tile, TileTree } from "../tree/tile-tree.ts";

export type EventMessage = lightferry.audit.v1.Event;

/** An event whose bytes are canonical and whose fields are within their limits. */
export interface PreparedEvent {
  readonly bytes: Uint8Array;
  readonly event: EventMessage;
  /** SM3(0x00 || bytes). */
  readonly leaf: Uint8Array;
}

/** The other zone's half of one exchange. */
export interface PreparedTrail {
  readonly zone: string;
  readonly exchangeId: Uint8Array;
  readonly bundleId: Uint8Array;
  /** Canonical PeerTrail. A long trail comes in several parts. */
  readonly bytes: Uint8Array;
  /** SM3 of the bytes. */
  readonly digest: Uint8Array;
}

/** What was found out about a checkpoint of the other zone; EVENTS.md says what each means. */
export type WitnessVerdict = "linked" | "first" | "unlinked" | "inconsistent";

export interface WitnessRecord {
  readonly zone: string;
  readonly size: number;
  readonly root: Uint8Array;
  readonly oldSize: number;
  /** Proof hashes, concatenated. */
  readonly consistency: Uint8Array;
  readonly bundleId: Uint8Array;
  readonly note: string;
  readonly verdict: WitnessVerdict;
}

export interface Batch {
  readonly node: string;
  /** Index of the first event. */
  readonly previousSize: number;
  readonly size: number;
  readonly loggedMs: number;
  readonly root: Uint8Array;
  readonly note: string;
  readonly events: readonly PreparedEvent[];
  readonly tiles: readonly Tile[];
  /** Own event that covers the trails; unused when there are none. */
  readonly trailsCoverSeq: number;
  readonly trails: readonly PreparedTrail[];
  readonly witnesses: readonly (WitnessRecord & { readonly coverSeq: number })[];
}

/** Where the log stands, as read back from the database. */
export interface LogState {
  readonly tree: TileTree;
  readonly loggedMs: number;
  /** Newest checkpoint note; empty before the first batch. */
  readonly note: string;
  /** Highest sequence number logged, by emitter of this node. */
  readonly emitters: ReadonlyMap<string, number>;
}

export interface EmitterKey {
  readonly emitter: string;
  readonly sequence: number;
}

/** What the sequencer needs of a database; {@link PostgresLog} is the one implementation. */
export interface LogStore {
  /** @throws GatewayError `audit.database-unavailable`, `audit.writer-busy`, `audit.log-damaged`. */
  load(): Promise<LogState>;
  /** After a throw the fate of the batch is unknown: {@link load} again. */
  commit(batch: Batch): Promise<void>;
  /** Canonical bytes of those that are in the log, by {@link emitterKey}. */
  findEvents(keys: readonly EmitterKey[]): Promise<Map<string, Uint8Array>>;
  /** {@link trailKey} of those that are in the log. */
  findTrails(trails: readonly PreparedTrail[]): Promise<Set<string>>;
  /** Ends the session, so that nothing of it can still be under way when {@link load} returns. */
  close(): Promise<void>;
}

export function emitterKey(emitter: string, sequence: number): string {
  return `${emitter}/${sequence}`;
}

/** A trail is known by its bytes; the ids only say where to look. */
export function trailKey(digest: Uint8Array): string {
  return Buffer.from(digest).toString("hex");
}
