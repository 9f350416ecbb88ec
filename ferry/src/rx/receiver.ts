/**
 * Guarantee: whatever comes from the gate, the receiver goes on; what is no
 * frame is counted, what is a frame is numbered for the loss account, and only
 * signed messages change what is durable.
 *
 * datagram ─▶ decode ─▶ link (loss account) ─▶ DATA, PARITY, MANIFEST: reassemble ─▶ finish
 *                                           └▶ HEARTBEAT: verify ─▶ link, streams, alarms
 */
import { lightferry } from "@lightferry/proto/gen";
import type { EventSink, Log } from "../events.ts";
import { decodeFrame, emptyHeader, FRAME_HEADER, FRAME_TYPE, type FrameHeader } from "../frame.ts";
import { ManifestCollector } from "../manifest-parts.ts";
import { HEARTBEAT_LABEL, type LinkVerifier, verifyMessage } from "../signed.ts";
import type { DoneLog } from "./done.ts";
import type { Link } from "./link.ts";
import { rangesText } from "./loss.ts";
import type { Reassembler } from "./reassemble.ts";
import { REPORT_MS, type Rejections } from "./rejections.ts";

const { Heartbeat } = lightferry.ferry.v1;

/** Three heartbeats not heard: the sender or the link is down. */
export const SILENCE_MS = 3_000;
const TICK_MS = 1_000;
/** The one version of the heartbeat that is understood. */
const HEARTBEAT_VERSION = 1;
/** Heartbeats whose signature is looked at in one second; the honest sender makes one. */
const MAX_HEARTBEATS = 20;

export interface ReceiverParts {
  readonly link: Link;
  readonly verifier: LinkVerifier;
  readonly reassembler: Reassembler;
  readonly rejections: Rejections;
  readonly done: DoneLog;
  readonly events: EventSink;
  readonly lane: string;
  readonly log: Log;
}

export class Receiver {
  readonly counts = { frames: 0, heartbeats: 0 };
  readonly #parts: ReceiverParts;
  readonly #header: FrameHeader = emptyHeader();
  readonly #heartbeatParts = new ManifestCollector();
  #silent = false;
  #listeningSince = performance.now();
  #reportedAt = performance.now();
  #heartbeatsSeen = 0;
  /** Frames found missing since the last report, and where. */
  #lost = 0;
  #lostRanges: string[] = [];
  #saving: Promise<void> | undefined;
  #recording: Promise<unknown> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: ReceiverParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#listeningSince = performance.now();
    this.#timer = setInterval(() => this.tick(), TICK_MS);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#report();
    await this.#saving;
    await this.#recording;
  }

  get silent(): boolean {
    return this.#silent;
  }

  /** Takes any datagram; never throws. */
  readonly datagram = (bytes: Uint8Array): void => {
    const header = this.#header;
    const fault = decodeFrame(bytes, header);
    if (fault !== undefined) {
      this.#parts.rejections.count(fault);
      return;
    }
    this.counts.frames += 1;
    this.#parts.link.see(header.epoch, header.seq);
    const payload = bytes.subarray(FRAME_HEADER);
    const { type } = header;
    if (type <= FRAME_TYPE.PARITY) this.#parts.reassembler.data(header, payload);
    else if (type === FRAME_TYPE.MANIFEST) this.#parts.reassembler.manifest(header, payload);
    else this.#heartbeatPart(header, payload);
  };

  /** Once a second. */
  tick(): void {
    this.#heartbeatsSeen = 0;
    this.#parts.reassembler.tick();
    const now = performance.now();
    const heard = this.#parts.link.heardAt ?? this.#listeningSince;
    if (!this.#silent && now - heard > SILENCE_MS) {
      this.#silent = true;
      this.#parts.log.warn({ seconds: Math.round((now - heard) / 1000) }, "no heartbeat");
      this.#record("gate.heartbeat-missed", "error", {
        seconds: String(Math.round((now - heard) / 1000)),
      });
    }
    if (now - this.#reportedAt >= REPORT_MS) this.#report();
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
    this.#heartbeatsSeen += 1;
    if (this.#heartbeatsSeen > MAX_HEARTBEATS) {
      rejections.count("heartbeat-flood");
      return;
    }
    const message = verifyMessage(
      verifier,
      HEARTBEAT_LABEL,
      Heartbeat,
      payload,
      ({ timeMs }) => timeMs,
    );
    if (typeof message === "string") {
      rejections.count(`heartbeat-${message}`);
      return;
    }
    if (message.version !== HEARTBEAT_VERSION || message.sender !== verifier.sender) {
      rejections.count("heartbeat-sender");
      return;
    }
    if (message.epoch !== epoch || !sane(message)) {
      rejections.count("heartbeat-malformed");
      return;
    }
    const beat = link.beat(message);
    if (typeof beat === "string") {
      rejections.count(`heartbeat-${beat}`);
      return;
    }
    this.counts.heartbeats += 1;
    this.#saving ??= this.#save();
    if (beat.newEpoch) this.#parts.log.info({ epoch: beat.epoch }, "epoch of the sender");
    if (beat.configChanged) this.#parts.log.warn({ epoch: beat.epoch }, "link settings changed");
    if (this.#silent) {
      this.#silent = false;
      this.#record("gate.heartbeat-restored", "ok", { epoch: String(beat.epoch) });
    }
    if (beat.missing.count > 0) {
      this.#lost += beat.missing.count;
      this.#lostRanges.push(rangesText(beat.missing.ranges));
    }
    this.#positions(message);
  }

  #positions(message: lightferry.ferry.v1.Heartbeat): void {
    for (const { stream = "", sequence = 0 } of message.streams) {
      // Streams of this lane only: the names become keys of a durable record.
      if (!stream?.startsWith(`${this.#parts.lane}/`) || sequence === null) continue;
      const gap = this.#parts.done.streams.passed(stream, sequence);
      if (gap === undefined) continue;
      this.#parts.log.warn(gap, "bundles missing");
      this.#record("gate.gap", "error", {
        bundles: String(gap.count),
        missing: gap.missing,
        stream,
      });
    }
  }

  #report(): void {
    this.#reportedAt = performance.now();
    const { rejections, events, lane, log, link } = this.#parts;
    const unsaid = rejections.report(events, lane, log);
    this.#recording = Promise.all([
      this.#recording,
      unsaid.catch((error: unknown) => this.#fault(error)),
    ]);
    if (this.#lost === 0) return;
    // Ranges of ten seconds of a bad line may be long; their count is exact.
    const ranges = this.#lostRanges.join(",").slice(0, 1_000);
    this.#record("gate.gap", "error", {
      epoch: String(link.state.epoch),
      frames: String(this.#lost),
      ranges,
    });
    this.#lost = 0;
    this.#lostRanges = [];
  }

  #record(
    type: "gate.gap" | "gate.heartbeat-missed" | "gate.heartbeat-restored",
    outcome: "ok" | "error",
    attributes: Record<string, string>,
  ): void {
    const { events, lane } = this.#parts;
    const recorded = events
      .record([{ type, outcome, lane, attributes }])
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
