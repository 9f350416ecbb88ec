/**
 * Guarantee: the shards that all passes hold at one time lie in one memory of stated size, given
 * out a whole block at a time. Each of the four classes of the order has a fifth of its own, in
 * which the largest block fits, and the last fifth goes to whoever asks; within a class it is
 * first come, first served. So no class ever waits for another, and as a block that was given
 * needs nothing more to be sent and given back, none waits for ever.
 */
import { GatewayError } from "@lightferry/proto/errors";
import { ErasureCoder, type ErasureGroup } from "../erasure/index.ts";
import { type Code, Geometry } from "../object.ts";

/**
 * Shards of one sender; the system gives pages as they are first used. A fifth holds the largest
 * block (20.3 MiB: 57 groups of 33 + 9 shards of 8,896 bytes), at MTU 1500 two (24.8 MiB).
 */
const ARENA_BYTES = 128 << 20;
const CLASSES = 4;
const SHARES = CLASSES + 1;
/** More than two blocks for each share would only lie idle: a pass sends one and prepares one. */
const BLOCKS = 2 * SHARES;

/** The groups of a block, for whoever took them until given back. */
export type Groups = readonly ErasureGroup[];

interface Waiting {
  readonly shards: number;
  readonly granted: () => void;
}

/** Shards of `count` groups from `first` on; only an object's last group is short. */
export function shardsOf(geometry: Geometry, first: number, count: number): number {
  const of = (group: number) => geometry.dataShards(group) + geometry.parityShards(group);
  return (count - 1) * of(first) + of(first + count - 1);
}

/** What a link needs, or as much as the stated size holds. */
export function arenaShards(shardSize: number, code: Code): number {
  const group = new Geometry(shardSize * code.groupShards, shardSize, code);
  const enough = BLOCKS * group.blockGroups * shardsOf(group, 0, 1);
  return Math.min(enough, Math.floor(ARENA_BYTES / shardSize));
}

export class ShardMemory {
  /** How many shards it holds. */
  readonly shards: number;
  readonly #coder: ErasureCoder;
  readonly #own: number;
  /** Shards held by each class. */
  readonly #used = Array.from({ length: CLASSES }, () => 0);
  readonly #waiting = Array.from({ length: CLASSES }, (): Waiting[] => []);

  /** Takes all of it at once. @param shardSize bytes of a shard of the link */
  constructor(shardSize: number, code: Code) {
    this.shards = arenaShards(shardSize, code);
    this.#own = Math.floor(this.shards / SHARES);
    this.#coder = ErasureCoder.open({ shards: this.shards, shardBytes: shardSize });
  }

  /** The code in use, and why not a faster one. */
  get variant(): string {
    const { variant, reason } = this.#coder;
    return reason === "" ? variant : `${variant}: ${reason}`;
  }

  /** Shards held. */
  get used(): number {
    return this.#used.reduce((sum, shards) => sum + shards, 0);
  }

  /** Memory for `count` groups of an object from `first` on, when it is its turn. */
  async take(
    geometry: Geometry,
    first: number,
    count: number,
    serviceClass: number,
  ): Promise<Groups> {
    const shards = shardsOf(geometry, first, count);
    const queue = this.#waiting[serviceClass] as Waiting[];
    if (queue.length === 0 && this.#fits(serviceClass, shards)) this.#charge(serviceClass, shards);
    else await new Promise<void>((granted) => queue.push({ shards, granted }));
    return Array.from({ length: count }, (_, index) => this.#group(geometry, first + index));
  }

  /** The groups, all of them, are not needed any more. */
  giveBack(groups: Groups, serviceClass: number): void {
    let shards = 0;
    for (const group of groups) {
      shards += group.k + group.m;
      group.free();
    }
    this.#charge(serviceClass, -shards);
    for (const [waitingClass, queue] of this.#waiting.entries()) {
      for (let next = queue[0]; next !== undefined; next = queue[0]) {
        if (!this.#fits(waitingClass, next.shards)) break;
        this.#charge(waitingClass, next.shards);
        queue.shift();
        next.granted();
      }
    }
  }

  #group(geometry: Geometry, group: number): ErasureGroup {
    const [k, m] = [geometry.dataShards(group), geometry.parityShards(group)];
    const taken = this.#coder.allocate(k, m, geometry.codedLength(group));
    if (taken === undefined) throw new GatewayError("internal.fault", { detail: "shard memory" });
    return taken;
  }

  #charge(serviceClass: number, shards: number): void {
    this.#used[serviceClass] = (this.#used[serviceClass] as number) + shards;
  }

  /** Whether what all classes have beyond their own stays within the common share. */
  #fits(serviceClass: number, shards: number): boolean {
    let common = this.shards - CLASSES * this.#own;
    for (const [index, used] of this.#used.entries()) {
      common -= Math.max(0, used + (index === serviceClass ? shards : 0) - this.#own);
    }
    return common >= 0;
  }
}
