/**
 * Guarantee: what the coder asks of whatever computes, on shards that lie in one memory at
 * addresses. A length is that of a shard, padded with zeros to whole lines.
 */
export type ErasureVariant = "relaxed" | "simd" | "twin";

export interface Engine {
  readonly variant: ErasureVariant;
  readonly buffer: ArrayBuffer;
  /** The memory that the buffer is of, where WebAssembly computes. */
  readonly memory?: { readonly buffer: ArrayBuffer };
  /** Sets all parity shards. @param cells addresses of k data shards, then m parity shards */
  encode(cells: Uint32Array, k: number, length: number): void;
  /** Sets the data shards `missing` from the others and as many parity `rows`; both ascending, not empty. */
  repair(
    cells: Uint32Array,
    k: number,
    length: number,
    missing: readonly number[],
    rows: readonly number[],
  ): void;
}
