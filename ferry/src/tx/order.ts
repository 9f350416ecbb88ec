/**
 * Guarantee: on a full line every class gets at least its share and urgent bundles of any lane go
 * far ahead of everything else; what urgent ones leave, lanes share by weight, and each of them among
 * its normal, bulk and second passes. What somebody does not use goes to the others, a lane with
 * a cap never gets more than that, and passes of one class and lane take turns frame by frame.
 */
import { CHANNEL } from "../frame.ts";
import { WIRE_OVERHEAD } from "../gate/gate.ts";
import type { Pacer } from "../gate/pacer.ts";

/** Second passes wait behind everything else but for their share. */
export const REPEAT_CLASS = 3;

/**
 * Shares of a full line in percent. Bulk keeps enough to finish a 500 MB file
 * within its second-pass delay; repeats keep enough to repair a lossy hour in ten.
 */
const SHARES: readonly number[] = [48, 32, 10, 10];
const URGENT = CHANNEL.urgent;
/** Lanes are served in two parts of the line: what is urgent, and all the rest. */
const PARTS = { urgent: 0, rest: 1 } as const;

/** A pass that may or may not have frames ready. */
export interface Ready {
  readonly ready: boolean;
}

/** How much of a link a lane gets. */
export interface LaneShare {
  /** Of the lane on the wire, 0 … 15. */
  readonly number: number;
  readonly weight: number;
  /** Wire bytes per second, shared by all links of the ferry. */
  readonly cap?: Pacer | undefined;
}

/** Passes of one class of one lane. */
export interface Slot<Pass> {
  readonly lane: number;
  readonly serviceClass: number;
  readonly passes: Pass[];
  /** Whose turn it is. */
  turn: number;
}

/** Class of a first pass by the priority that the outbox names; unknown names go as bulk. */
export function channelOf(priority: string): number {
  if (priority === "urgent") return CHANNEL.urgent;
  return priority === "normal" ? CHANNEL.normal : CHANNEL.bulk;
}

/** Who has had least for its share goes next; who was idle does not save up: it starts from now. */
class Stride {
  readonly #times = new Map<number, number>();
  #now = 0;

  #start(party: number): number {
    return Math.max(this.#times.get(party) ?? 0, this.#now);
  }

  first(parties: Iterable<number>): number | undefined {
    let best: number | undefined;
    for (const party of parties) {
      if (best === undefined || this.#start(party) < this.#start(best)) best = party;
    }
    return best;
  }

  /** @param amount what it had ÷ its share */
  charge(party: number, amount: number): void {
    this.#now = this.#start(party);
    this.#times.set(party, this.#now + amount);
  }
}

interface Lane<Pass> {
  readonly share: LaneShare;
  readonly slots: readonly Slot<Pass>[];
  /** Between its classes, but for the urgent one. */
  readonly classes: Stride;
}

/** What a single lane has. */
const ALONE: readonly LaneShare[] = [{ number: 0, weight: 1 }];

export class Order<Pass extends Ready> {
  readonly #lanes: ReadonlyMap<number, Lane<Pass>>;
  readonly #parts = new Stride();
  readonly #urgentLanes = new Stride();
  readonly #otherLanes = new Stride();
  /** Share of the part that is not urgent: of all its classes that had something at the last look. */
  #restShare = 0;

  constructor(lanes: readonly LaneShare[] = ALONE) {
    const slotsOf = (lane: number) =>
      SHARES.map((_, serviceClass): Slot<Pass> => ({ lane, serviceClass, passes: [], turn: 0 }));
    this.#lanes = new Map(
      lanes.map((share) => [
        share.number,
        { share, slots: slotsOf(share.number), classes: new Stride() },
      ]),
    );
  }

  add(pass: Pass, serviceClass: number, lane = 0): void {
    this.#lanes.get(lane)?.slots[serviceClass]?.passes.push(pass);
  }

  remove(pass: Pass): void {
    for (const { slots } of this.#lanes.values()) {
      for (const slot of slots) {
        const at = slot.passes.indexOf(pass);
        if (at < 0) continue;
        slot.passes.splice(at, 1);
        if (at < slot.turn) slot.turn -= 1;
      }
    }
  }

  /**
   * Who may send the next burst, if anyone may.
   * @param nowMs monotonic, for the caps
   */
  next(nowMs: number): Slot<Pass> | undefined {
    const urgent: number[] = [];
    const others = new Map<number, number[]>();
    const active = new Set<number>();
    for (const [number, { share, slots }] of this.#lanes) {
      if ((share.cap?.delay(nowMs) ?? 0) > 0) continue;
      const classes = classesOf(slots);
      if (classes[0] === URGENT) {
        classes.shift();
        urgent.push(number);
      }
      if (classes.length > 0) others.set(number, classes);
      for (const serviceClass of classes) active.add(serviceClass);
    }
    this.#restShare = 0;
    for (const serviceClass of active) this.#restShare += SHARES[serviceClass] as number;
    const parts: number[] = [];
    if (urgent.length > 0) parts.push(PARTS.urgent);
    if (others.size > 0) parts.push(PARTS.rest);
    const part = this.#parts.first(parts);
    if (part === undefined) return undefined;
    if (part === PARTS.urgent) {
      return this.#lane(this.#urgentLanes.first(urgent) as number).slots[URGENT];
    }
    const number = this.#otherLanes.first(others.keys()) as number;
    const { slots, classes } = this.#lane(number);
    return slots[classes.first(others.get(number) as number[]) as number];
  }

  /** Milliseconds until a cap lets something go that is ready; infinite when nothing is. */
  pauseMs(nowMs: number): number {
    let least = Number.POSITIVE_INFINITY;
    for (const { share, slots } of this.#lanes.values()) {
      if (classesOf(slots).length === 0) continue;
      least = Math.min(least, share.cap?.delay(nowMs) ?? 0);
    }
    return least;
  }

  /** The pass of a slot that may write the next frame, if any has one ready. */
  turn(slot: Slot<Pass>): Pass | undefined {
    const { passes } = slot;
    let at = slot.turn;
    for (let tried = 0; tried < passes.length; tried += 1) {
      if (at >= passes.length) at = 0;
      const pass = passes[at] as Pass;
      at += 1;
      if (pass.ready) {
        slot.turn = at;
        return pass;
      }
    }
    return undefined;
  }

  /** Charges the burst that `next` was asked for to its slot. */
  charge({ lane, serviceClass }: Slot<Pass>, bytes: number, frames: number, nowMs: number): void {
    const { share, classes } = this.#lane(lane);
    const part = serviceClass === URGENT ? PARTS.urgent : PARTS.rest;
    const ofPart = serviceClass === URGENT ? (SHARES[URGENT] as number) : this.#restShare;
    this.#parts.charge(part, bytes / ofPart);
    const lanes = serviceClass === URGENT ? this.#urgentLanes : this.#otherLanes;
    lanes.charge(lane, bytes / share.weight);
    if (serviceClass !== URGENT) {
      classes.charge(serviceClass, bytes / (SHARES[serviceClass] as number));
    }
    share.cap?.spend(bytes + frames * WIRE_OVERHEAD, nowMs);
  }

  #lane(number: number): Lane<Pass> {
    return this.#lanes.get(number) as Lane<Pass>;
  }
}

/** Classes that have something ready, in their order. */
function classesOf(slots: readonly Slot<Ready>[]): number[] {
  const classes: number[] = [];
  for (const { serviceClass, passes } of slots) {
    if (passes.some((pass) => pass.ready)) classes.push(serviceClass);
  }
  return classes;
}
