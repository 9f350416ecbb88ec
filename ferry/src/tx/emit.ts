/**
 * Guarantee: the one loop that writes to the gate of a link: heartbeats when due, then
 * bursts of whichever pass the order names. It waits when the gate is full, when a cap
 * says so and when there is nothing to send; it never spins.
 */
import { FRAME_HEADER } from "../frame.ts";
import type { GateSender } from "../gate/gate.ts";
import { BurstWriter } from "./burst.ts";
import { HEARTBEAT_INTERVAL_MS, type HeartbeatSource } from "./heartbeat.ts";
import type { Message } from "./message.ts";
import { type LaneShare, Order, type Slot } from "./order.ts";
import type { Pass } from "./pass.ts";

/**
 * Time of bursts between turns of the event loop, in which file reads and RPC go on: a dozen at MTU 1500. A turn, and to wake
 * the sending thread, cost as much as a burst; an urgent bundle waits for some of them on its way.
 */
const TURN_MS = 0.25;

export class Emitter {
  readonly #sender: GateSender;
  readonly #frameSize: number;
  readonly #burst: BurstWriter;
  readonly #heartbeat: HeartbeatSource;
  readonly #order: Order<Pass | Message>;
  readonly #passes = new Set<Pass>();
  readonly #messages = new Set<Message>();
  #beatDue = true;
  #rate = 0;
  #measured = { bytes: 0, atMs: performance.now() };
  #stopped: { readonly reason: unknown } | undefined;
  #wake: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;

  /** @param link its number, and the lanes that share it; one alone when absent */
  constructor(
    sender: GateSender,
    frameSize: number,
    heartbeat: HeartbeatSource,
    link: { readonly number: number; readonly lanes?: readonly LaneShare[] } = { number: 0 },
  ) {
    this.#sender = sender;
    this.#frameSize = frameSize;
    this.#burst = new BurstWriter(sender, frameSize, link.number);
    this.#heartbeat = heartbeat;
    this.#order = new Order(link.lanes);
  }

  /** Begins with a heartbeat, so that the far side knows the epoch before its first object. */
  start(): void {
    this.#timer = setInterval(() => {
      this.#beatDue = true;
      this.#measure();
      this.wake();
    }, HEARTBEAT_INTERVAL_MS);
    this.#running = this.#run();
  }

  /** Frames numbered in this epoch. */
  get framesNumbered(): number {
    return this.#burst.nextFrame;
  }

  /** Bytes of frames written in the last second, and how much of all so far was parity, 0 … 1. */
  get rates(): { readonly bytesPerSecond: number; readonly parityShare: number } {
    const { bytes, parityBytes } = this.#burst;
    return {
      bytesPerSecond: Math.round(this.#rate),
      parityShare: bytes === 0 ? 0 : parityBytes / bytes,
    };
  }

  /** Passes under way. */
  get passes(): Iterable<Pass> {
    return this.#passes;
  }

  readonly wake = (): void => {
    this.#wake?.();
  };

  /** Sends a pass; resolves when its last frame was handed to the gate. @throws what stopped it */
  async send(pass: Pass): Promise<void> {
    await this.#send(this.#passes, pass);
  }

  /** Sends a signed message in its turn; resolves when its last part was handed to the gate. @throws what stopped it */
  async say(message: Message): Promise<void> {
    await this.#send(this.#messages, message);
  }

  /** Stops after the present burst; passes under way are given up with `reason`. */
  async stop(reason: unknown): Promise<void> {
    this.#stopped = { reason };
    clearInterval(this.#timer);
    for (const one of [...this.#passes, ...this.#messages]) one.stop(reason);
    this.wake();
    await this.#running;
  }

  async #send<One extends Pass | Message>(under: Set<One>, one: One): Promise<void> {
    if (this.#stopped !== undefined) throw this.#stopped.reason;
    under.add(one);
    this.#order.add(one, one.kind.serviceClass, one.lane);
    try {
      const run = one.run();
      this.wake();
      await run;
    } finally {
      under.delete(one);
      this.#order.remove(one);
    }
  }

  async #run(): Promise<void> {
    let turnEnds = 0;
    while (this.#stopped === undefined) {
      if (!this.#burst.begin()) {
        await this.#sender.whenRoom();
        turnEnds = performance.now() + TURN_MS;
        continue;
      }
      if (this.#beatDue) {
        this.#beatDue = false;
        this.#heartbeat.write(this.#burst, this.#frameSize - FRAME_HEADER);
        this.#burst.end();
        continue;
      }
      const now = performance.now();
      const slot = this.#order.next(now);
      if (slot === undefined) {
        await this.#sleep(this.#order.pauseMs(now));
        turnEnds = performance.now() + TURN_MS;
        continue;
      }
      const frames = this.#burst.nextFrame;
      this.#fill(slot);
      const bytes = this.#burst.end();
      const after = performance.now();
      this.#order.charge(slot, bytes, this.#burst.nextFrame - frames, after);
      if (after < turnEnds) continue;
      await new Promise((resolve) => setImmediate(resolve));
      turnEnds = performance.now() + TURN_MS;
    }
  }

  #measure(): void {
    const now = { bytes: this.#burst.bytes, atMs: performance.now() };
    const { bytes, atMs } = this.#measured;
    this.#rate = ((now.bytes - bytes) * 1000) / (now.atMs - atMs);
    this.#measured = now;
  }

  /** Frame by frame from all passes of a class and lane that have one, until the burst is full. */
  #fill(slot: Slot<Pass | Message>): void {
    while (this.#burst.open) {
      const pass = this.#order.turn(slot);
      if (pass === undefined) return;
      pass.write(this.#burst);
    }
  }

  /** Until woken, or until a cap lets something go. */
  #sleep(longestMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = Number.isFinite(longestMs)
        ? setTimeout(() => this.wake(), Math.max(0, longestMs))
        : undefined;
      this.#wake = () => {
        this.#wake = undefined;
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
