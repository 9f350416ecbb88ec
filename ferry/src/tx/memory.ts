/**
 * Guarantee: the shards that all passes hold at one time lie in one memory of stated size, given
 * out a whole block at a time, first come, first served. Each of the four classes of the order has
 * a fifth of its own, in which the largest block fits beside a part that is kept for short objects;
 * the last fifth goes to whoever asks. So no class ever waits for another, no short object for a
 * long one, and as a block that was given needs nothing more to be sent and given back, none for ever.
 */
import { GatewayError } from "@lightferry/proto/errors";
import { ErasureCoder, type ErasureGroup } from "../erasure/index.ts";
import { type Code, Geometry } from "../object.ts";

/**
 * Shards of a lane on one link; the system gives pages as they are first used. Seven eighths of a fifth
 * (22.4 MiB) hold the largest block (20.3 MiB: 57 groups of 33 + 9 shards of 8,896 bytes).
 */
const ARENA_BYTES = 128 << 20;
const CLASSES = 4;
const SHARES = CLASSES + 1;
/** More than two blocks for each share would only lie idle: a pass sends one and prepares one. */
const BLOCKS = 2 * SHARES;
/** Of a share, for objects of one group: as many full ones as are sent at the same time at MTU 1500, two at MTU 9000. */
const KEPT_FOR_SHORT = 1 / 8;

/** The groups of a block, for whoever took them until given back. */
export type Groups = readonly ErasureGroup[];

interface Waiting {
  readonly shards: number;
  readonly granted: () => void;
}

/** What one class holds and waits for, apart for single groups and for blocks of several. */
class Party {
  readonly used = { short: 0, long: 0 };
  readonly waiting: { readonly short: Waiting[]; readonly long: Waiting[] } = {
    short: [],
    long: [],
  };
}
type Kind = keyof Party["used"];

function kindOf(groups: number): Kind {
  return groups === 1 ? "short" : "long";
}

/** Shards of `count` groups from `first` on; only an object's last group is short. */
export function shardsOf(geometry: Geometry, first: number, count: number): number {
  const of = (group: number) => geometry.dataShards(group) + geometry.parityShards(group);
  return (count - 1) * of(first) + of(first + count - 1);
}

/** What a link needs, or as much as the stated size holds: the whole, a class's own, what of that blocks may have. */
export function sharesOf(
  shardSize: number,
  code: Code,
): { readonly all: number; readonly own: number; readonly long: number } {
  const group = new Geometry(shardSize * code.groupShards, shardSize, code);
  const enough = BLOCKS * group.blockGroups * shardsOf(group, 0, 1);
  const all = Math.min(enough, Math.floor(ARENA_BYTES / shardSize));
  const own = Math.floor(all / SHARES);
  return { all, own, long: own - Math.floor(own * KEPT_FOR_SHORT) };
}

export class ShardMemory {
  readonly #shares: ReturnType<typeof sharesOf>;
  readonly #coder: ErasureCoder;
  readonly #parties = Array.from({ length: CLASSES }, () => new Party());

  /** Takes all of it at once. @param shardSize bytes of a shard of the link */
  constructor(shardSize: number, code: Code) {
    this.#shares = sharesOf(shardSize, code);
    this.#coder = ErasureCoder.open({ shards: this.#shares.all, shardBytes: shardSize });
  }

  /** How many shards it holds. */
  get shards(): number {
    return this.#shares.all;
  }

  /** The code in use, and why not a faster one. */
  get variant(): string {
    const { variant, reason } = this.#coder;
    return reason === "" ? variant : `${variant}: ${reason}`;
  }

  /** Shards held. */
  get used(): number {
    return this.#parties.reduce((sum, { used }) => sum + used.short + used.long, 0);
  }

  /** Memory for `count` groups of an object from `first` on, when it is its turn. */
  async take(
    geometry: Geometry,
    first: number,
    count: number,
    serviceClass: number,
  ): Promise<Groups> {
    const shards = shardsOf(geometry, first, count);
    const party = this.#parties[serviceClass] as Party;
    await new Promise<void>((granted) => {
      party.waiting[kindOf(count)].push({ shards, granted });
      this.#serve(party);
    });
    return Array.from({ length: count }, (_, index) => this.#group(geometry, first + index));
  }

  /** The groups, all of them, are not needed any more. */
  giveBack(groups: Groups, serviceClass: number): void {
    const { used } = this.#parties[serviceClass] as Party;
    for (const group of groups) {
      used[kindOf(groups.length)] -= group.k + group.m;
      group.free();
    }
    for (const party of this.#parties) this.#serve(party);
  }

  /** Gives to those of a class who can have what they wait for. */
  #serve(party: Party): void {
    const { waiting } = party;
    this.#serveWhile(party, "long", () => true);
    const { own, long } = this.#shares;
    // While a block waits, short objects have what is kept for them, and no more.
    this.#serveWhile(
      party,
      "short",
      (shards) => waiting.long.length === 0 || party.used.short + shards <= own - long,
    );
  }

  #serveWhile(party: Party, kind: Kind, may: (shards: number) => boolean): void {
    const queue = party.waiting[kind];
    for (let next = queue[0]; next !== undefined && may(next.shards); next = queue[0]) {
      party.used[kind] += next.shards;
      if (this.#tooMuch()) {
        party.used[kind] -= next.shards;
        return;
      }
      queue.shift();
      next.granted();
    }
  }

  /** Whether what all classes have beyond their own is more than the common share. */
  #tooMuch(): boolean {
    const { all, own, long } = this.#shares;
    let common = all - CLASSES * own;
    for (const { used } of this.#parties) {
      common -= Math.max(0, used.long - long, used.long + used.short - own);
    }
    return common < 0;
  }

  #group(geometry: Geometry, group: number): ErasureGroup {
    const [k, m] = [geometry.dataShards(group), geometry.parityShards(group)];
    const taken = this.#coder.allocate(k, m, geometry.codedLength(group));
    if (taken === undefined) throw new GatewayError("internal.fault", { detail: "shard memory" });
    return taken;
  }
}
