/**
 * Guarantee: groups of k data and m parity shards in one memory that is made once and never grows,
 * so that views of shards stay valid and what is held is bounded. Any k shards of a group give
 * back all of its data; with fewer nothing is changed and nothing is said to be whole.
 *
 * Shards of any group take any free cells: nothing fragments, whatever mix of groups comes and goes.
 */
import { GatewayError } from "@lightferry/proto/errors";
import { chooseEngine, type EngineChoice } from "./choose.ts";
import type { Engine, ErasureVariant } from "./engine.ts";
import { ARENA, LINE } from "./layout.ts";

/** Data shards of a group: what the transforms have plans for (SPEC.md §3.2). */
export const MAX_DATA_SHARDS = 224;
/** Parity shards of a group: four blocks of 16. */
export const MAX_PARITY_SHARDS = 64;
/** Every shard has a place of its own in GF(2^8). */
export const MAX_GROUP_SHARDS = 256;
/** A UDP payload: no shard of a frame is longer. */
export const MAX_SHARD_BYTES = 65_507;
/** Memory of one coder: addresses and sizes stay far from the limits of 32 bits. */
export const MAX_ARENA_BYTES = 2 ** 31;
/** Cells this many lines apart share a few cache sets only: one line more spreads them. */
const CACHE_STEP = 8;

export interface ErasureCoderOptions {
  /** Cells of the arena: shards of all groups at one time. */
  readonly shards: number;
  /** Bytes of the longest shard, 1 … MAX_SHARD_BYTES. */
  readonly shardBytes: number;
  /** Which code computes, or the twin where that one cannot; without it the fastest that can. */
  readonly variant?: ErasureVariant;
}

function misuse(detail: string): GatewayError {
  return new GatewayError("internal.fault", { detail: `erasure: ${detail}` });
}

function inRange(name: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw misuse(`${name} ${value} is not in ${least}..${most}`);
}

const lines = (bytes: number): number => Math.ceil(bytes / LINE);

export class ErasureCoder {
  readonly variant: ErasureVariant;
  /** Why not a faster variant; empty when it is the one asked for or the fastest. */
  readonly reason: string;
  /** Longest shard. */
  readonly shardBytes: number;
  /** Size of the memory. */
  readonly bytes: number;
  readonly #engine: Engine;
  readonly #cellBytes: number;
  readonly #free: Uint32Array;
  #freeCount: number;
  /** Made when first needed: most of a large arena may never be. */
  readonly #views: (Uint8Array | undefined)[];

  private constructor(options: ErasureCoderOptions, choice: EngineChoice, cellBytes: number) {
    const { shards, shardBytes } = options;
    this.variant = choice.variant;
    this.reason = choice.reason;
    this.shardBytes = shardBytes;
    this.#engine = choice.open(ARENA + shards * cellBytes);
    this.bytes = this.#engine.buffer.byteLength;
    this.#cellBytes = cellBytes;
    // Taken from the end: the first groups lie at the beginning, in order.
    this.#free = Uint32Array.from({ length: shards }, (_, i) => shards - 1 - i);
    this.#freeCount = shards;
    this.#views = new Array<Uint8Array | undefined>(shards).fill(undefined);
  }

  /**
   * Takes all memory at once: about `shards` × (`shardBytes` + 3 %), and 0.1 MB.
   * @throws GatewayError for numbers out of range; RangeError for want of memory
   */
  static open(options: ErasureCoderOptions): ErasureCoder {
    inRange("shard length", options.shardBytes, 1, MAX_SHARD_BYTES);
    const count = lines(options.shardBytes);
    const cellBytes = (count % CACHE_STEP === 0 ? count + 1 : count) * LINE;
    inRange("arena", options.shards, 1, Math.floor((MAX_ARENA_BYTES - ARENA) / cellBytes));
    return new ErasureCoder(options, chooseEngine(options.variant), cellBytes);
  }

  /** Shards that still have room. */
  get available(): number {
    return this.#freeCount;
  }

  /**
   * A group of `k` + `m` shards. What its shards hold is undefined until written: never send a
   * data shard that {@link ErasureGroup.write} or you did not fill to its end.
   * @param k 1 … 224; @param m 0 … 64; k + m ≤ 256; @param shardBytes at most the coder's
   * @returns undefined when the arena has not enough room
   * @throws GatewayError for numbers out of range
   */
  allocate(k: number, m: number, shardBytes: number = this.shardBytes): ErasureGroup | undefined {
    inRange("k", k, 1, MAX_DATA_SHARDS);
    inRange("m", m, 0, Math.min(MAX_PARITY_SHARDS, MAX_GROUP_SHARDS - k));
    inRange("shard length", shardBytes, 1, this.shardBytes);
    const count = k + m;
    if (count > this.#freeCount) return undefined;
    const from = this.#freeCount - count;
    const indices = this.#free.slice(from, this.#freeCount).reverse();
    this.#freeCount = from;
    const addresses = new Uint32Array(count);
    for (let i = 0; i < count; i += 1) {
      addresses[i] = ARENA + (indices[i] as number) * this.#cellBytes;
    }
    const length = lines(shardBytes) * LINE;
    if (length !== shardBytes) {
      const all = new Uint8Array(this.#engine.buffer);
      for (const at of addresses) all.fill(0, at + shardBytes, at + length);
    }
    const view = (at: number): Uint8Array => {
      const whole = this.#viewOf((at - ARENA) / this.#cellBytes);
      return shardBytes === this.shardBytes ? whole : whole.subarray(0, shardBytes);
    };
    return new ErasureGroup(this.#engine, { k, m, shardBytes, length, addresses, view }, () => {
      this.#free.set(indices.reverse(), this.#freeCount);
      this.#freeCount += count;
    });
  }

  #viewOf(index: number): Uint8Array {
    this.#views[index] ??= new Uint8Array(
      this.#engine.buffer,
      ARENA + index * this.#cellBytes,
      this.shardBytes,
    );
    return this.#views[index];
  }
}

interface Place {
  readonly k: number;
  readonly m: number;
  readonly shardBytes: number;
  /** Whole lines. */
  readonly length: number;
  readonly addresses: Uint32Array;
  /** A shard, by its address. */
  readonly view: (address: number) => Uint8Array;
}

export class ErasureGroup {
  readonly k: number;
  readonly m: number;
  readonly shardBytes: number;
  readonly #engine: Engine;
  readonly #place: Place;
  #giveBack: (() => void) | undefined;

  /** By {@link ErasureCoder.allocate} alone. */
  constructor(engine: Engine, place: Place, giveBack: () => void) {
    this.k = place.k;
    this.m = place.m;
    this.shardBytes = place.shardBytes;
    this.#engine = engine;
    this.#place = place;
    this.#giveBack = giveBack;
  }

  /**
   * View of a shard in the memory, valid until {@link free}: below k data, from k on parity.
   * @throws GatewayError for no such shard, or after free
   */
  shard(index: number): Uint8Array {
    return this.#place.view(this.address(index));
  }

  /** The memory that all shards lie in, where WebAssembly computes. */
  get memory(): { readonly buffer: ArrayBuffer } | undefined {
    return this.#engine.memory;
  }

  /** Where a shard begins in {@link memory}, as {@link shard}. */
  address(index: number): number {
    this.#alive();
    const address = this.#place.addresses[index];
    if (address === undefined) throw misuse(`shard ${index} of ${this.k}+${this.m}`);
    return address;
  }

  /** Views of all data shards in their order, those that lie one behind the other as one. @throws GatewayError after free */
  data(): Uint8Array[] {
    this.#alive();
    const { addresses, k, shardBytes } = this.#place;
    const spans: Uint8Array[] = [];
    let start = 0;
    for (let i = 1; i <= k; i += 1) {
      const at = addresses[start] as number;
      const bytes = (i - start) * shardBytes;
      if (i < k && addresses[i] === at + bytes) continue;
      spans.push(new Uint8Array(this.#engine.buffer, at, bytes));
      start = i;
    }
    return spans;
  }

  /** Copies `bytes` into a shard and fills what is left with zeros. @throws GatewayError when longer than a shard */
  write(index: number, bytes: Uint8Array): void {
    const shard = this.shard(index);
    if (bytes.length > shard.length) throw misuse(`${bytes.length} bytes for ${shard.length}`);
    shard.set(bytes);
    if (bytes.length < shard.length) shard.fill(0, bytes.length);
  }

  /** Sets all parity shards from the data shards. @throws GatewayError after free */
  encode(): void {
    this.#alive();
    const { addresses, k, m, length } = this.#place;
    if (m > 0) this.#engine.encode(addresses, k, length);
  }

  /**
   * Repairs the missing data shards in place; parity shards are read only.
   * @param present one entry for each shard, 0 for missing
   * @returns false, with nothing changed, when fewer than k are present
   * @throws GatewayError for another number of entries, or after free
   */
  decode(present: Uint8Array): boolean {
    this.#alive();
    const { addresses, k, m, length } = this.#place;
    if (present.length !== k + m) throw misuse(`${present.length} marks for ${k}+${m} shards`);
    const missing: number[] = [];
    for (let i = 0; i < k; i += 1) if (present[i] === 0) missing.push(i);
    if (missing.length === 0) return true;
    const rows: number[] = [];
    for (let j = 0; j < m && rows.length < missing.length; j += 1) {
      if (present[k + j] !== 0) rows.push(j);
    }
    if (rows.length < missing.length) return false;
    this.#engine.repair(addresses, k, length, missing, rows);
    return true;
  }

  /** Gives the cells back; they are reused, so views of this group must no longer be used. @throws GatewayError the second time */
  free(): void {
    this.#alive();
    const giveBack = this.#giveBack;
    this.#giveBack = undefined;
    giveBack?.();
  }

  #alive(): void {
    if (this.#giveBack === undefined) throw misuse("group used after free");
  }
}
