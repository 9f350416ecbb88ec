/**
 * Guarantee: what the receiver can see of the link is judged against its limits and
 * alarmed: silence, loss, clocks, settings, overruns. It changes nothing else.
 *
 * heartbeat ─▶ loss in the window, settings │ each second ─▶ clocks, overruns │ ten times a second ─▶ silence
 */
import type { lightferry } from "@lightferry/proto/gen";
import { isRegistryId } from "@lightferry/proto/registry";
import type { Alarms, Facts } from "../alarms.ts";
import { LANE_COUNT } from "../frame.ts";
import type { ReceiverStats } from "../gate/gate.ts";
import type { AlarmLimits } from "./alarm-limits.ts";
import type { Beat, Link } from "./link.ts";
import { LossRate } from "./loss-rate.ts";

type Settings = lightferry.ferry.v1.LinkSettings.$Properties;

/** What this end was told of the link; what it was not told is not compared. */
export interface ExpectedLink {
  /** That may come by it, as "number name". */
  readonly lanes: readonly string[];
  /** Those of them of which this end was told that they do. */
  readonly due?: readonly string[];
  readonly frameSize?: number | undefined;
  readonly groupShards?: number | undefined;
  readonly parityShards?: number | undefined;
  /** Of the device that the gate listens on. */
  readonly mtu?: number | undefined;
}

/** Below so many lost frames a share says nothing: an idle link has two frames a second. */
const FEW_LOST = 20;
/** An alarm ends when its measure is this far below the limit, so that it does not flutter. */
const EASED = 0.8;
/** IPv4 and UDP headers of a frame. */
const IP_UDP_HEADERS = 28;

export interface WatchParts {
  readonly alarms: Alarms;
  readonly link: Pick<Link, "heardAt" | "clockOffsetMs">;
  readonly limits: AlarmLimits;
  readonly expected: ExpectedLink;
  /** What the gate's socket counts. */
  readonly received: () => Pick<ReceiverStats, "bytes" | "overruns" | "receiveBuffer">;
}

export class LinkWatch {
  readonly #parts: WatchParts;
  readonly #loss: LossRate;
  #listeningSince = performance.now();
  /** Looks in a row that found the limit of silence passed. */
  #silentLooks = 0;
  #theirs: Settings | undefined;
  #overruns = 0;
  #overrunAt = 0;
  #rate = 0;
  #measured = { bytes: 0, atMs: performance.now() };

  constructor(parts: WatchParts) {
    this.#parts = parts;
    this.#loss = new LossRate(parts.limits.lossWindowSeconds);
  }

  /** The gate begins to listen. */
  start(): void {
    this.#listeningSince = performance.now();
  }

  get silent(): boolean {
    return this.#parts.alarms.has("ferry.heartbeat-missed");
  }

  /** Share of frames lost in the window, and how many it counts. */
  get loss(): { readonly permille: number; readonly frames: number; readonly lost: number } {
    const { permille, frames, lost } = this.#loss;
    return { permille, frames, lost };
  }

  /** Bytes of datagrams in the second before the newest tick. */
  get bytesPerSecond(): number {
    return Math.round(this.#rate);
  }

  /** What the sender was told of the link, as its newest heartbeat says. */
  get theirs(): Settings | undefined {
    return this.#theirs;
  }

  /** A heartbeat was accepted. */
  beat(beat: Beat, settings: Settings): void {
    this.#silentLooks = 0;
    this.#parts.alarms.clear("ferry.heartbeat-missed", { epoch: String(beat.epoch) });
    // What was lost while this program was down is counted, and no fault of the line.
    if (!beat.fromBefore) this.#judgeLoss(beat);
    this.#theirs = settings;
    this.#judgeSettings(settings);
    this.#judgeClock();
  }

  /** Ten times a second. */
  pulse(): void {
    const { link, limits, alarms } = this.#parts;
    const silence = performance.now() - (link.heardAt ?? this.#listeningSince);
    if (silence <= limits.heartbeatMs) {
      this.#silentLooks = 0;
      return;
    }
    this.#silentLooks += 1;
    // A program that was held up for seconds looks at what came meanwhile first.
    if (this.#silentLooks < 2) return;
    alarms.raise("ferry.heartbeat-missed", { seconds: (silence / 1_000).toFixed(1) });
  }

  /** Once a second. */
  tick(): void {
    this.#judgeClock();
    const received = this.#parts.received();
    this.#measure(received.bytes);
    this.#judgeOverruns(received);
  }

  #judgeLoss({ settled, missing }: Beat): void {
    const { alarms, limits } = this.#parts;
    this.#loss.add(performance.now(), settled, missing.count);
    const { permille, lost, frames } = this.#loss;
    const facts = (): Facts => ({
      frames: String(frames),
      lost: String(lost),
      percent: (permille / 10).toFixed(2),
      "window-s": String(limits.lossWindowSeconds),
    });
    if (permille > limits.lossPermille && lost >= FEW_LOST)
      alarms.raise("ferry.loss-high", facts());
    else if (permille < limits.lossPermille * EASED) alarms.clear("ferry.loss-high", facts());
  }

  #judgeSettings(theirs: Settings): void {
    const { alarms, expected } = this.#parts;
    const facts: Record<string, string> = {};
    const compare = (name: string, there: string | number, here: string | number | undefined) => {
      if (here !== undefined && there !== here) facts[name] = `${there}/${here}`;
    };
    const { lanes, frameSize = 0, groupShards = 0, parityShards = 0 } = theirs;
    // A ferry may have some of the lanes only; what it has must be here, under the same number.
    const named = (lanes ?? []).map(({ number, lane }) => `${number ?? 0} ${nameOf(lane ?? "")}`);
    const strange = named.filter((lane) => !expected.lanes.includes(lane));
    const absent = expected.due?.some((lane) => !named.includes(lane)) ?? false;
    if (strange.length > 0 || absent) {
      const there = strange.length > 0 ? strange : named;
      facts.lanes = `${there.slice(0, LANE_COUNT).join(", ")}/${expected.lanes.join(", ")}`;
    }
    compare("frame-size", frameSize ?? 0, expected.frameSize);
    compare("group-shards", groupShards ?? 0, expected.groupShards);
    compare("parity-shards", parityShards ?? 0, expected.parityShards);
    const need = (frameSize ?? 0) + IP_UDP_HEADERS;
    if (expected.mtu !== undefined && expected.mtu < need) facts.mtu = `${need}/${expected.mtu}`;
    if (Object.keys(facts).length > 0) alarms.raise("ferry.link-mismatch", facts);
    else alarms.clear("ferry.link-mismatch");
  }

  #judgeClock(): void {
    const { alarms, limits, link } = this.#parts;
    const offset = link.clockOffsetMs;
    if (offset === undefined) return;
    const limit = limits.clockSeconds * 1_000;
    const facts = { "limit-ms": String(limit), "offset-ms": String(offset) };
    if (Math.abs(offset) > limit) alarms.raise("ferry.clock-drift", facts);
    else if (Math.abs(offset) <= limit * EASED) alarms.clear("ferry.clock-drift", facts);
  }

  #measure(bytes: number): void {
    const atMs = performance.now();
    const past = atMs - this.#measured.atMs;
    if (past > 0) this.#rate = ((bytes - this.#measured.bytes) * 1_000) / past;
    this.#measured = { bytes, atMs };
  }

  #judgeOverruns({ overruns, receiveBuffer }: ReturnType<WatchParts["received"]>): void {
    const { alarms, limits } = this.#parts;
    const now = performance.now();
    if (overruns > this.#overruns) {
      const datagrams = String(overruns - this.#overruns);
      this.#overruns = overruns;
      this.#overrunAt = now;
      alarms.raise("ferry.receive-overrun", { "buffer-bytes": String(receiveBuffer), datagrams });
    } else if (now - this.#overrunAt >= limits.overrunQuietSeconds * 1_000) {
      alarms.clear("ferry.receive-overrun", { datagrams: String(overruns) });
    }
  }
}

/** What no lane can be called may be longer than an event takes, or speak to a terminal. */
const nameOf = (lane: string): string => (isRegistryId(lane) ? lane : "?");
