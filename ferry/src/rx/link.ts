/**
 * Guarantee: what is known of the sender (epoch, frames lost, clock) moves only
 * by its signed heartbeats, in order. Losses are settled one heartbeat late, so
 * that reordering on the way is no loss.
 */

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
  readonly epoch: number;
  readonly newEpoch: boolean;
  readonly configChanged: boolean;
}

export class Link {
  readonly #path: string;
  #state: LinkState;
  #window: LossWindow | undefined;
  /** Frames of an epoch that no heartbeat has announced yet. */
  #early: { readonly epoch: number; readonly window: LossWindow } | undefined;
  /** Windows begun since the newest heartbeat. */
  #earlyBegun = 0;
  /** First frame number not sent when the newest heartbeat was made. */
  #mark: number | undefined;
  #clock: { readonly senderMs: number; readonly heardAt: number } | undefined;
  #config = "";
  #heardAt: number | undefined;
  #saving: Promise<void> = Promise.resolve();

  private constructor(path: string, state: LinkState) {
    this.#path = path;
    this.#state = state;
    if (state.epoch > 0) this.#window = new LossWindow(state.settledTo);
  }

  /** @throws GatewayError `ferry.state-corrupt` when the file is damaged or of another sender */
  static async open(path: string, sender: string): Promise<Link> {
    const state = (await readState(path)) as LinkState | undefined;
    if (state === undefined) {
      return new Link(path, { sender, epoch: 0, number: 0, settledTo: 0, lost: 0, settled: 0 });
    }
    const numbers = [state.epoch, state.number, state.settledTo, state.lost, state.settled];
    if (state.sender !== sender || !numbers.every((value) => Number.isSafeInteger(value))) {
      throw new GatewayError("ferry.state-corrupt", { detail: path });
    }
    return new Link(path, state);
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
    const clock = this.#clock;
    return clock === undefined
      ? undefined
      : clock.senderMs + (performance.now() - clock.heardAt) - Date.now();
  }

  /** The sender's time as its heartbeats tell it; our own before the first. */
  senderNow(): number {
    return Math.round(Date.now() + (this.clockOffsetMs ?? 0));
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

  /**
   * Takes a heartbeat whose signature was verified.
   * @returns what it brought to light, or why it counts for nothing
   */
  beat(heartbeat: Heartbeat): Beat | "old-epoch" | "repeated" {
    const { epoch, number, nextFrame } = heartbeat;
    if (epoch < this.#state.epoch) return "old-epoch";
    const newEpoch = epoch > this.#state.epoch;
    if (!newEpoch && number <= this.#state.number) return "repeated";
    if (newEpoch) this.#enter(epoch, nextFrame);
    this.#earlyBegun = 0;
    const window = this.#window as LossWindow;
    const missing = window.settle(Math.min(this.#mark ?? window.base, nextFrame));
    const base = newEpoch ? window.base : this.#state.settledTo;
    this.#mark = nextFrame;
    this.#heardAt = performance.now();
    this.#clock = { senderMs: heartbeat.timeMs, heardAt: this.#heardAt };
    const config = Buffer.from(heartbeat.configDigest).toString("hex");
    const configChanged = this.#config !== "" && this.#config !== config;
    this.#config = config;
    this.#state = {
      sender: this.#state.sender,
      epoch,
      number,
      settledTo: window.base,
      lost: this.#state.lost + missing.count,
      settled: this.#state.settled + window.base - base,
    };
    return { missing, epoch, newEpoch, configChanged };
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
