/**
 * Guarantee: what a ferry has taken on is counted class by class, so that each has room of its own
 * whatever fills the others, and who waits for room hears at once when there is some; SPEC.md §12.
 */
import type { lightferry } from "@lightferry/proto/gen";
import { CHANNEL } from "../frame.ts";
import { channelOf, REPEAT_CLASS } from "./order.ts";

type Lease = lightferry.ferry.v1.LeasedBundle.$Properties;
type Room = lightferry.ferry.v1.LeaseRoom.$Properties;

/** Names of the classes, by their numbers. */
export const LEASE_CLASSES = ["urgent", "normal", "bulk", "repeated"] as const;

/** How much of one class a ferry takes on. */
export interface ClassLimits {
  /** Whose first pass, or repeated one for a ticket, is not over. */
  readonly bundles: number;
  /** So many of those however large they are. */
  readonly anySize: number;
  /** Of those; once they have so many no further one is taken on, but for {@link anySize}. */
  readonly bytes: number;
  /** With those that wait for their next pass. */
  readonly held: number;
}

/** Where a bundle counts that was taken on. */
export interface Place {
  /** The pass for which it was taken on is over. */
  passed(): void;
  /** It is not held any more. */
  left(): void;
}

interface Used {
  bundles: number;
  bytes: number;
  held: number;
}

/** Class of what is leased: what left before goes with the repeated ones, whatever its priority. */
export function leaseClassOf({ repair, passesDone, priority }: Lease): number {
  const repeated = repair === true || (passesDone ?? 0) > 0;
  return repeated ? REPEAT_CLASS : channelOf(priority ?? "");
}

export class Places {
  readonly #limits: readonly ClassLimits[];
  readonly #used: readonly Used[];
  #listener: () => void = () => undefined;

  /** @param limits by class */
  constructor(limits: readonly ClassLimits[]) {
    this.#limits = limits;
    this.#used = limits.map(() => ({ bundles: 0, bytes: 0, held: 0 }));
  }

  /** First passes not over. */
  get sending(): number {
    let sum = 0;
    for (const number of Object.values(CHANNEL)) sum += this.#of(number).bundles;
    return sum;
  }

  take(leaseClass: number, size: number): Place {
    const used = this.#of(leaseClass);
    used.bundles += 1;
    used.bytes += size;
    used.held += 1;
    let [under, held] = [true, true];
    const passed = (): void => {
      if (!under) return;
      under = false;
      used.bundles -= 1;
      used.bytes -= size;
      this.#listener();
    };
    const left = (): void => {
      passed();
      if (!held) return;
      held = false;
      used.held -= 1;
      this.#listener();
    };
    return { passed, left };
  }

  /** What may be asked for; undefined when there is no room. */
  room(leaseClass: number): Required<Omit<Room, "$unknowns">> | undefined {
    const limits = this.#limits[leaseClass] as ClassLimits;
    const used = this.#of(leaseClass);
    const bundles = Math.min(limits.bundles - used.bundles, limits.held - used.held);
    const anySize = Math.max(0, Math.min(limits.anySize - used.bundles, bundles));
    const bytes = Math.max(0, limits.bytes - used.bytes);
    return bundles <= 0 || (anySize === 0 && bytes === 0) ? undefined : { bundles, anySize, bytes };
  }

  /** Called whenever there may be room that was not there before. */
  onRoom(listener: () => void): void {
    this.#listener = listener;
  }

  #of(leaseClass: number): Used {
    return this.#used[leaseClass] as Used;
  }
}
