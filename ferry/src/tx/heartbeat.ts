/**
 * Guarantee: two signed heartbeats a second, numbered from 1 in its epoch,
 * saying how many frames and which position of every stream were handed to the gate. Those with
 * certificates bring the link key, too.
 */
import { GatewayError } from "@lightferry/proto/errors";
import { lightferry } from "@lightferry/proto/gen";
import { CHANNEL, emptyHeader, FRAME_TYPE } from "../frame.ts";
import { splitHeartbeat } from "../manifest-parts.ts";
import { HEARTBEAT_LABEL, type LinkSigner, signMessage } from "../signed.ts";
import type { BurstWriter } from "./burst.ts";
import type { WrappedLinkKey } from "./link-keys.ts";

const { Heartbeat } = lightferry.ferry.v1;

export const HEARTBEAT_VERSION = 1;
/** Silence is alarmed after 2.6 s: five of them lost in a row, at 5 % loss once in two weeks. */
export const HEARTBEAT_INTERVAL_MS = 500;
/** Every tenth heartbeat carries the certificates of the key … */
const CHAIN_EVERY = 10;
/** … and the first three under a key do: what one loses, the next brings before the second pass. */
const INTRODUCTIONS = 3;
/** Streams named in one heartbeat: it must fit the smallest frame with its signature. */
export const HEARTBEAT_STREAMS = 8;

/** What the sender was told of the link; the receiver says what is different there (SPEC.md §5). */
export interface LinkSettings {
  /** Of the ferry, at least one. */
  readonly lanes: readonly { readonly number: number; readonly lane: string }[];
  readonly frameSize: number;
  readonly groupShards: number;
  readonly parityShards: number;
}

export interface StreamState {
  /** Highest sequence whose first pass is over; 0 = none. */
  readonly sequence: number;
  /** Lowest sequence that was taken on and whose first pass is not over; 0 = none. */
  readonly underWay: number;
}

export interface HeartbeatParts {
  readonly signer: LinkSigner;
  readonly sender: string;
  readonly epoch: number;
  /** Number of the link; 0 when absent. */
  readonly link?: number;
  readonly settings: LinkSettings;
  /** How far each stream is. */
  readonly positions: () => ReadonlyMap<string, StreamState>;
  /** Hears of every heartbeat: why it could not be signed, or undefined. */
  readonly signed?: (fault: unknown) => void;
  /** For the node at the far end, where objects have tags; undefined: it cannot be wrapped for it now. */
  readonly linkKey?: (() => WrappedLinkKey | undefined) | undefined;
  /** This machine's, Unix milliseconds. */
  readonly clock?: () => number;
}

export class HeartbeatSource {
  readonly #parts: HeartbeatParts;
  readonly #signer: LinkSigner;
  #number = 0;
  #firstStream = 0;
  #keyId = "";
  #introductions = 0;

  constructor(parts: HeartbeatParts) {
    this.#parts = parts;
    this.#signer = parts.signer;
  }

  /** Heartbeats sent in this epoch. */
  get number(): number {
    return this.#number;
  }

  /**
   * Writes the next heartbeat into a burst just begun: one frame, or several when it has certificates.
   * Without a key in force nothing is written: the far side says that it hears nothing.
   */
  write(burst: BurstWriter, maxPayload: number): void {
    this.#number += 1;
    try {
      this.#write(burst, maxPayload);
      this.#parts.signed?.(undefined);
    } catch (fault) {
      if (!(fault instanceof GatewayError)) throw fault;
      this.#number -= 1;
      this.#parts.signed?.(fault);
    }
  }

  #write(burst: BurstWriter, maxPayload: number): void {
    const chain = this.#introduces() || this.#number % CHAIN_EVERY === 1;
    let signed = this.#sign(burst.nextFrame, HEARTBEAT_STREAMS, chain);
    // On the smallest frames, and beside certificates, the streams take turns, one a heartbeat.
    if (signed.length > maxPayload) signed = this.#sign(burst.nextFrame, 1, chain);
    if (signed.length > maxPayload && !chain) signed = this.#sign(burst.nextFrame, 0, chain);
    const parts = splitHeartbeat(this.#signer.provider, signed, maxPayload);
    for (const [index, part] of parts.entries()) this.#frame(burst, part, index, parts.length);
  }

  /** Whether the key is so new that this heartbeat must show its certificates. */
  #introduces(): boolean {
    const { keyId } = this.#signer.active();
    if (keyId !== this.#keyId) {
      this.#keyId = keyId;
      this.#introductions = INTRODUCTIONS;
    }
    this.#introductions -= 1;
    return this.#introductions >= 0;
  }

  #frame(burst: BurstWriter, payload: Uint8Array, part: number, parts: number): void {
    const header = emptyHeader();
    header.type = FRAME_TYPE.HEARTBEAT;
    header.epoch = this.#parts.epoch;
    header.lane = this.#parts.settings.lanes[0]?.number ?? 0;
    header.shard = part;
    header.k = parts;
    header.channel = CHANNEL.urgent;
    burst.add(header, payload);
  }

  #sign(nextFrame: number, streams: number, withChain: boolean): Uint8Array {
    const { sender, epoch, link = 0, settings, linkKey, clock = Date.now } = this.#parts;
    const heartbeat = {
      version: HEARTBEAT_VERSION,
      sender,
      epoch,
      nextFrame,
      timeMs: clock(),
      streams: this.#some(streams),
      number: this.#number,
      settings: { ...settings, lanes: [...settings.lanes] },
      link,
      linkKey: (withChain ? linkKey?.() : undefined) ?? null,
    };
    return signMessage(this.#signer, HEARTBEAT_LABEL, Heartbeat, heartbeat, withChain);
  }

  /** Up to `count` streams; with more of them each heartbeat goes on where the last one ended. */
  #some(count: number): lightferry.ferry.v1.StreamPosition.$Properties[] {
    const all = [...this.#parts.positions()].map(([stream, state]) => ({
      stream,
      ...state,
    }));
    if (all.length <= count) return all;
    const chosen: typeof all = [];
    for (let index = 0; index < count; index += 1) {
      chosen.push(all[(this.#firstStream + index) % all.length] as (typeof all)[number]);
    }
    this.#firstStream = (this.#firstStream + count) % all.length;
    return chosen;
  }
}
