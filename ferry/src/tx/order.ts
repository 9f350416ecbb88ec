/**
 * Guarantee: on a full line every class gets at least its share, urgent and
 * normal bundles go far ahead of bulk, and second passes have a reserved share
 * of their own; what a class does not use goes to the others. Passes of one
 * class take turns frame by frame.
 */
import { CHANNEL } from "../frame.ts";

/** Second passes wait behind everything else but for their share. */
export const REPEAT_CLASS = 3;

/**
 * Shares of a full line in percent. Bulk keeps enough to finish a 500 MB file
 * within its second-pass delay; repeats keep enough to repair a lossy hour in ten.
 */
const SHARES: readonly number[] = [48, 32, 10, 10];

/** A pass that may or may not have frames ready. */
export interface Ready {
  readonly ready: boolean;
}

/** Class of a first pass by the priority that the outbox names; unknown names go as bulk. */
export function channelOf(priority: string): number {
  if (priority === "urgent") return CHANNEL.urgent;
  return priority === "normal" ? CHANNEL.normal : CHANNEL.bulk;
}

export class Order<Pass extends Ready> {
  readonly #classes: Pass[][] = SHARES.map(() => []);
  /** Whose turn it is in each class. */
  readonly #turns = SHARES.map(() => 0);
  /** Virtual time of each class: bytes sent ÷ share. The smallest goes next. */
  readonly #times = SHARES.map(() => 0);
  #now = 0;

  add(pass: Pass, serviceClass: number): void {
    this.#classes[serviceClass]?.push(pass);
  }

  remove(pass: Pass): void {
    for (const [serviceClass, passes] of this.#classes.entries()) {
      const at = passes.indexOf(pass);
      if (at < 0) continue;
      passes.splice(at, 1);
      const turn = this.#turns[serviceClass] as number;
      if (at < turn) this.#turns[serviceClass] = turn - 1;
    }
  }

  /** The class that may send the next burst, if any has something ready. */
  next(): number | undefined {
    let best: number | undefined;
    let bestTime = Number.POSITIVE_INFINITY;
    for (const [serviceClass, passes] of this.#classes.entries()) {
      if (!passes.some((pass) => pass.ready)) continue;
      // A class that was idle does not save up: it starts from now.
      const time = Math.max(this.#times[serviceClass] as number, this.#now);
      if (time < bestTime) {
        bestTime = time;
        best = serviceClass;
      }
    }
    return best;
  }

  /** The pass of a class that may write the next frame, if any has one ready. */
  turn(serviceClass: number): Pass | undefined {
    const passes = this.#classes[serviceClass] as Pass[];
    let at = this.#turns[serviceClass] as number;
    for (let tried = 0; tried < passes.length; tried += 1) {
      if (at >= passes.length) at = 0;
      const pass = passes[at] as Pass;
      at += 1;
      if (pass.ready) {
        this.#turns[serviceClass] = at;
        return pass;
      }
    }
    return undefined;
  }

  /** Charges a burst to its class. */
  charge(serviceClass: number, bytes: number): void {
    const start = Math.max(this.#times[serviceClass] as number, this.#now);
    this.#now = start;
    this.#times[serviceClass] = start + bytes / (SHARES[serviceClass] as number);
  }
}
