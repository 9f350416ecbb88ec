/**
 * Guarantee: on a full line every class gets at least its share, urgent and
 * normal bundles go far ahead of bulk, and second passes have a reserved share
 * of their own; what a class does not use goes to the others. Passes of one
 * class take turns burst by burst.
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
  /** Virtual time of each class: bytes sent ÷ share. The smallest goes next. */
  readonly #times = SHARES.map(() => 0);
  #now = 0;

  add(pass: Pass, serviceClass: number): void {
    this.#classes[serviceClass]?.push(pass);
  }

  remove(pass: Pass): void {
    for (const passes of this.#classes) {
      const at = passes.indexOf(pass);
      if (at >= 0) passes.splice(at, 1);
    }
  }

  /** The pass that may send the next burst, if any has something ready. */
  next(): { readonly pass: Pass; readonly serviceClass: number } | undefined {
    let best: { pass: Pass; serviceClass: number } | undefined;
    let bestTime = Number.POSITIVE_INFINITY;
    for (let serviceClass = 0; serviceClass < this.#classes.length; serviceClass += 1) {
      const pass = this.#classes[serviceClass]?.find((candidate) => candidate.ready);
      if (pass === undefined) continue;
      // A class that was idle does not save up: it starts from now.
      const time = Math.max(this.#times[serviceClass] as number, this.#now);
      if (time < bestTime) {
        bestTime = time;
        best = { pass, serviceClass };
      }
    }
    return best;
  }

  /** Charges a burst and moves its pass to the end of its class. */
  charge(pass: Pass, serviceClass: number, bytes: number): void {
    const start = Math.max(this.#times[serviceClass] as number, this.#now);
    this.#now = start;
    this.#times[serviceClass] = start + bytes / (SHARES[serviceClass] as number);
    const passes = this.#classes[serviceClass] as Pass[];
    const at = passes.indexOf(pass);
    if (at >= 0 && passes.length > 1) {
      passes.splice(at, 1);
      passes.push(pass);
    }
  }
}
