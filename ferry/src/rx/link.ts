/**
 * Guarantee: what is known of the sender (epoch, frames lost, clock) moves only
 * by its signed heartbeats, in order. Losses are settled one heartbeat late, so
 * that reordering on the way is no loss.
 */

import { type JudgedTimes, judgedTimes, type SenderTime } from "@lightferry/proto/bundle";
import { GatewayError } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import { readState, replaceFile } from "../durable.ts";
import { LossWindow, type Missing } from "./loss.ts";

type Heartbeat = lightferry.ferry.v1.Heartbeat;

/**
 * Windows begun for epochs that no heartbeat has announced, between two heartbeats: a sender that
 * restarts needs one. A window costs 256 KiB, and any frame may name an epoch.
 */
const EARLY_WINDOWS_MAX = 8;

/** What survives a restart of the receiver. */
interface LinkState {
  readonly sender: string;
  readonly epoch: number;
  /** Number of the newest heartbeat of the epoch. */
  readonly number: number;
  /** Frames of the epoch below this are accounted for. */
  readonly settledTo: number;
  readonly lost: number;
  readonly settled: number;
}

/** What a heartbeat brought to light. */
export interface Beat {
  readonly missing: Missing;
  /** Frames accounted for by it, the missing ones among them. */
  readonly settled: number;
  /** Some of them were sent while this program did not listen. */
  readonly fromBefore: boolean;
  readonly epoch: number;
  readonly newEpoch: boolean;
}

export class Link {
  readonly #path: string;
  readonly #now: () => number;
  #state: LinkState;
  #window: LossWindow | undefined;
  /** Frames of an epoch that no heartbeat has announced yet. */
  #early: { readonly epoch: number; readonly window: LossWindow } | undefined;
  /** Windows begun since the newest heartbeat. */
  #earlyBegun = 0;
  /** First frame number not sent when the newest heartbeat was made. */
  #mark: number | undefined;
  #clock: { readonly senderMs: number; readonly heardAt: number } | undefined;
  /** The latest time that the sender told in this run. */
  #latestMs = 0;
  #heardAt: number | undefined;
  /** Nothing is settled yet that was sent while this program listened. */
  #before = true;
  #saving: Promise<void> = Promise.resolve();

  private constructor(path: string, state: LinkState, now: () => number) {
    this.#path = path;
    this.#now = now;
    this.#state = state;
    if (state.epoch > 0) this.#window = new LossWindow(state.settledTo);
  }

  /**
   * @param now this machine's clock, Unix milliseconds
   * @throws GatewayError `ferry.state-corrupt` when the file is damaged or of another sender
   */
  static async open(path: string, sender: string, now: () => number = Date.now): Promise<Link> {
    const state = (await readState(path)) as LinkState | undefined;
    if (state === undefined) {
      const none = { sender, epoch: 0, number: 0, settledTo: 0, lost: 0, settled: 0 };
      return new Link(path, none, now);
    }
    const numbers = [state.epoch, state.number, state.settledTo, state.lost, state.settled];
    if (state.sender !== sender || !numbers.every((value) => Number.isSafeInteger(value))) {
      throw new GatewayError("ferry.state-corrupt", { detail: path });
    }
    return new Link(path, state, now);
  }

  get state(): LinkState {
    return this.#state;
  }

  /** Monotonic milliseconds of the newest heartbeat of this run. */
  get heardAt(): number | undefined {
    return this.#heardAt;
  }

  /** The sender's clock minus ours, at the newest heartbeat; undefined before the first. */
  get clockOffsetMs(): number | undefined {
    const told = this.senderTime();
    return told === undefined ? undefined : told.nowMs - this.#now();
  }

  /** What the heartbeats of this run tell of the sender's clock; undefined before the first. */
  senderTime(): SenderTime | undefined {
    const clock = this.#clock;
    if (clock === undefined) return undefined;
    const ageMs = Math.round(performance.now() - clock.heardAt);
    return { nowMs: clock.senderMs + ageMs, latestMs: this.#latestMs, ageMs };
  }

  /** By what a bundle is expired or from the future: see judgedTimes. */
  judgedTimes(): JudgedTimes {
    return judgedTimes(this.#now(), this.senderTime());
  }

  /** The sender's time as its heartbeats tell it; our own before the first. */
  senderNow(): number {
    return this.senderTime()?.nowMs ?? this.#now();
  }

  /** Notes the number of any well-formed frame. Only memory changes. */
  see(epoch: number, number: number): void {
    if (this.#window !== undefined && epoch === this.#state.epoch) {
      this.#window.see(number);
    } else if (epoch > this.#state.epoch) {
      if (this.#early?.epoch !== epoch) {
        if (this.#earlyBegun >= EARLY_WINDOWS_MAX) return;
        this.#earlyBegun += 1;
        // Who never heard this sender begins to count with the first frame seen.
        const base = this.#state.epoch === 0 ? number : 0;
        this.#early = { epoch, window: new LossWindow(base) };
      }
      this.#early.window.see(number);
    }
  }

  /** Why a heartbeat of these numbers tells nothing new, whoever made it. */
  stale({ epoch, number }: Heartbeat): "old-epoch" | "repeated" | undefined {
    if (epoch < this.#state.epoch) return "old-epoch";
    return epoch === this.#state.epoch && number <= this.#state.number ? "repeated" : undefined;
  }

  /**
   * Takes a heartbeat whose signature was verified.
   * @returns what it brought to light, or why it counts for nothing
   */
  beat(heartbeat: Heartbeat): Beat | "old-epoch" | "repeated" {
    const { epoch, number, nextFrame } = heartbeat;
    const stale = this.stale(heartbeat);
    if (stale !== undefined) return stale;
    const newEpoch = epoch > this.#state.epoch;
    if (newEpoch) this.#enter(epoch, nextFrame);
    this.#earlyBegun = 0;
    const window = this.#window as LossWindow;
    const marked = this.#mark;
    const missing = window.settle(Math.min(marked ?? window.base, nextFrame));
    const base = newEpoch ? window.base : this.#state.settledTo;
    this.#mark = nextFrame;
    this.#heardAt = performance.now();
    this.#clock = { senderMs: heartbeat.timeMs, heardAt: this.#heardAt };
    this.#latestMs = Math.max(this.#latestMs, heartbeat.timeMs);
    const settled = window.base - base;
    const fromBefore = marked !== undefined && this.#before;
    if (marked !== undefined) this.#before = false;
    this.#state = {
      sender: this.#state.sender,
      epoch,
      number,
      settledTo: window.base,
      lost: this.#state.lost + missing.count,
      settled: this.#state.settled + settled,
    };
    return { missing, settled, fromBefore, epoch, newEpoch };
  }

  /** Writes the state; a crash loses at most what was counted since. */
  async save(): Promise<void> {
    // One after another: they share a temporary name.
    const former = this.#saving;
    const saving = former
      .catch(() => undefined)
      .then(() => replaceFile(this.#path, `${JSON.stringify(this.#state)}\n`));
    this.#saving = saving;
    await saving;
  }

  #enter(epoch: number, nextFrame: number): void {
    const early = this.#early?.epoch === epoch ? this.#early.window : undefined;
    // A forged first frame may have put the window beyond what was really sent.
    const usable = early !== undefined && early.base <= nextFrame;
    const base = this.#state.epoch === 0 ? nextFrame : 0;
    this.#window = usable ? early : new LossWindow(base);
    this.#early = undefined;
    this.#mark = undefined;
  }
}
