/**
 * Guarantee: whatever comes from the gate of one link, the receiver goes on; what is no
 * frame of this link and its lanes is counted, what is one is numbered for the loss account,
 * and only what a signature, a signed digest or a tag proves changes what is durable (SPEC.md §2).
 *
 * datagram ─▶ decode ─▶ link (loss account) ─▶ DATA, PARITY, TAGS, MANIFEST: reassembler of the lane ─▶ finish
 *                                           ├▶ HEARTBEAT: verify ─▶ link, gaps of the lanes, alarms
 *                                           └▶ INVENTORY: gaps of the lane
 */
import { lightferry } from "@lightferry/proto/gen";
import type { EventSink, Log } from "../events.ts";
import {
  decodeFrame,
  emptyHeader,
  FRAME_HEADER,
  FRAME_TYPE,
  type FrameFault,
  type FrameHeader,
} from "../frame.ts";
import { type IncomingMemory, incomingMemoryOf } from "../frames-in/index.ts";
import { ManifestCollector } from "../manifest-parts.ts";
import { rangesText } from "../ranges.ts";
import { HEARTBEAT_LABEL, type LinkVerifier, verifyMessage } from "../signed.ts";
import type { Gaps } from "./gaps.ts";
import type { Inventories } from "./inventories.ts";
import type { Link } from "./link.ts";
import type { OpenedKeys } from "./link-keys.ts";
import type { Reassembler } from "./reassemble.ts";
import { REPORT_MS, type Rejections } from "./rejections.ts";
import { type Payload, viewOf } from "./shard.ts";
import type { LinkWatch } from "./watch.ts";

const { Heartbeat } = lightferry.ferry.v1;

const TICK_MS = 1_000;
/** A tenth of a second late is early enough, and ten looks a second cost nothing. */
const PULSE_MS = 100;
/** The one version of the heartbeat that is understood. */
const HEARTBEAT_VERSION = 1;
/** Heartbeats that are verified in one second; the honest sender makes two. */
const MAX_HEARTBEATS = 20;

/** What a receiver needs of a lane. */
export interface ReceiverLane {
  readonly name: string;
  readonly reassembler: Reassembler;
  readonly gaps: Gaps;
  readonly inventories: Inventories;
}

/** Refused before anything is verified. */
const FREE: ReadonlySet<unknown> = new Set(["malformed", "old-epoch", "repeated"]);

export interface ReceiverParts {
  readonly link: Link;
  /** Of the link. */
  readonly number: number;
  readonly verifier: LinkVerifier;
  /** Lanes of the link's sender, at their numbers; at least one. */
  readonly lanes: readonly (ReceiverLane | undefined)[];
  readonly rejections: Rejections;
  readonly events: EventSink;
  readonly watch: LinkWatch;
  /** Of the sender; undefined: tags are not looked at. */
  readonly linkKeys?: Pick<OpenedKeys, "told"> | undefined;
  readonly log: Log;
}

export class Receiver {
  readonly counts = { frames: 0, heartbeats: 0 };
  readonly #parts: ReceiverParts;
  /** Names the link in every event. */
  readonly #number: Readonly<Record<string, string>>;
  /** Events of the link stand under the first of its lanes. */
  readonly #lane: string;
  readonly #header: FrameHeader = emptyHeader();
  /** Of the gate, once something came from it. */
  #memory: IncomingMemory | undefined;
  readonly #heartbeatParts = new ManifestCollector();
  #reportedAt = performance.now();
  #heartbeatsVerified = 0;
  /** Frames found missing since the last report, and where. */
  #lost = 0;
  #lostRanges: string[] = [];
  #saving: Promise<void> | undefined;
  #recording: Promise<unknown> = Promise.resolve();
  #timers: NodeJS.Timeout[] = [];

  constructor(parts: ReceiverParts) {
    this.#parts = parts;
    this.#number = { link: String(parts.number) };
    this.#lane = parts.lanes.find((lane) => lane !== undefined)?.name ?? "";
  }

  start(): void {
    const { watch } = this.#parts;
    watch.start();
    this.#timers = [
      setInterval(() => this.tick(), TICK_MS),
      setInterval(() => watch.pulse(), PULSE_MS),
    ];
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#report();
    await this.#saving;
    await this.#recording;
  }

  /** Takes any datagram; never throws. */
  readonly datagram = (bytes: Uint8Array): void => {
    const fault = decodeFrame(bytes, this.#header);
    this.#frame(fault, bytes, FRAME_HEADER, bytes.length - FRAME_HEADER, undefined);
  };

  /** Takes datagrams that came together; never throws. */
  readonly together = (bytes: Uint8Array, at: number, length: number, size: number): void => {
    if (this.#memory?.buffer !== bytes.buffer) this.#memory = incomingMemoryOf(bytes.buffer);
    const memory = this.#memory;
    const end = at + length;
    // A datagram without a byte is one, too.
    if (length === 0) this.datagram(bytes.subarray(at, end));
    for (let from = at; from < end; ) {
      if (memory === undefined) {
        this.datagram(bytes.subarray(from, Math.min(from + size, end)));
        from += size;
        continue;
      }
      const count = memory.read(from, end - from, size);
      for (let index = 0; index < count; index += 1, from += size) {
        const payload = Math.min(size, end - from) - FRAME_HEADER;
        const fault = memory.row(index, this.#header);
        this.#frame(fault, bytes, from + FRAME_HEADER, payload, memory);
      }
    }
  };

  /** Takes the frame that {@link #header} is of, or counts why it is none. */
  #frame(
    fault: FrameFault | undefined,
    bytes: Uint8Array,
    from: number,
    length: number,
    memory: IncomingMemory | undefined,
  ): void {
    if (fault !== undefined) {
      this.#parts.rejections.count(fault);
      return;
    }
    const header = this.#header;
    const { link, lanes, number, rejections } = this.#parts;
    const lane = lanes[header.lane];
    if (lane === undefined || header.link !== number) {
      // Fibres or settings were mixed up: these are somebody else's numbers.
      rejections.count(header.link === number ? "lane" : "link");
      return;
    }
    this.counts.frames += 1;
    link.see(header.epoch, header.seq);
    const payload: Payload = { bytes, from, length, memory };
    const { type } = header;
    if (type <= FRAME_TYPE.PARITY) lane.reassembler.data(header, payload);
    else if (type === FRAME_TYPE.TAGS) lane.reassembler.tags(header, viewOf(payload));
    else if (type === FRAME_TYPE.MANIFEST) lane.reassembler.manifest(header, viewOf(payload));
    else if (type === FRAME_TYPE.HEARTBEAT) this.#heartbeatPart(header, viewOf(payload));
    else lane.inventories.take(header, viewOf(payload), link.state.epoch);
  }

  /** Once a second. */
  tick(): void {
    this.#heartbeatsVerified = 0;
    this.#parts.watch.tick();
    if (performance.now() - this.#reportedAt >= REPORT_MS) this.#report();
  }

  /** One with certificates comes in parts where it is longer than a frame. */
  #heartbeatPart({ epoch, shard, k }: FrameHeader, payload: Uint8Array): void {
    if (k === 1) {
      this.#heartbeat(epoch, payload);
      return;
    }
    const whole = this.#heartbeatParts.add(epoch, shard, k, payload);
    if (typeof whole === "string") this.#parts.rejections.count(`heartbeat-${whole}`);
    else if (whole !== undefined) this.#heartbeat(epoch, whole);
  }

  #heartbeat(epoch: number, payload: Uint8Array): void {
    const { link, verifier, rejections } = this.#parts;
    if (this.#heartbeatsVerified >= MAX_HEARTBEATS) {
      rejections.count("heartbeat-flood");
      return;
    }
    const message = verifyMessage(
      ...([verifier, HEARTBEAT_LABEL, Heartbeat, payload] as const),
      ({ timeMs }) => timeMs,
      (told) => link.stale(told),
    );
    // What is no message, or one of before, has cost nothing.
    if (!FREE.has(message)) this.#heartbeatsVerified += 1;
    if (typeof message === "string") {
      rejections.count(`heartbeat-${message}`);
      return;
    }
    if (message.version !== HEARTBEAT_VERSION || message.sender !== verifier.sender) {
      rejections.count("heartbeat-sender");
      return;
    }
    if (message.link !== this.#parts.number) {
      rejections.count("heartbeat-link");
      return;
    }
    const { settings } = message;
    if (message.epoch !== epoch || !sane(message) || !settings) {
      rejections.count("heartbeat-malformed");
      return;
    }
    const beat = link.beat(message);
    if (typeof beat === "string") {
      rejections.count(`heartbeat-${beat}`);
      return;
    }
    this.counts.heartbeats += 1;
    if (message.linkKey) this.#parts.linkKeys?.told(message.epoch, message.linkKey);
    this.#saving ??= this.#save();
    if (beat.newEpoch) this.#parts.log.info({ epoch: beat.epoch }, "epoch of the sender");
    this.#parts.watch.beat(beat, settings);
    if (beat.missing.count > 0) {
      this.#lost += beat.missing.count;
      this.#lostRanges.push(rangesText(beat.missing.ranges));
    }
    this.#positions(message);
  }

  #positions({ streams }: lightferry.ferry.v1.Heartbeat): void {
    for (const lane of this.#parts.lanes) lane?.gaps.positions(streams, this.#parts.number);
  }

  #report(): void {
    this.#reportedAt = performance.now();
    const { rejections, events, log, link } = this.#parts;
    const unsaid = rejections.report(events, this.#lane, log, this.#number);
    this.#recording = Promise.all([
      this.#recording,
      unsaid.catch((error: unknown) => this.#fault(error)),
    ]);
    if (this.#lost === 0) return;
    // Ranges of ten seconds of a bad line may be long; their count is exact.
    const ranges = this.#lostRanges.join(",").slice(0, 1_000);
    this.#recordGap({
      epoch: String(link.state.epoch),
      frames: String(this.#lost),
      ranges,
    });
    this.#lost = 0;
    this.#lostRanges = [];
  }

  #recordGap(facts: Record<string, string>): void {
    const attributes = { ...facts, ...this.#number };
    const recorded = this.#parts.events
      .record([{ type: "gate.gap", outcome: "error", lane: this.#lane, attributes }])
      .catch((error: unknown) => this.#fault(error));
    this.#recording = Promise.all([this.#recording, recorded]);
  }

  async #save(): Promise<void> {
    try {
      await this.#parts.link.save();
    } catch (error) {
      this.#fault(error);
    } finally {
      this.#saving = undefined;
    }
  }

  #fault(error: unknown): void {
    this.#parts.log.error({ err: error }, "alarm or link state not written");
  }
}

function sane(message: lightferry.ferry.v1.Heartbeat): boolean {
  return [message.epoch, message.nextFrame, message.timeMs, message.number].every(
    (value) => Number.isSafeInteger(value) && value >= 0,
  );
}
