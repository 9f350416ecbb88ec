/** Guarantee: what the rest of the ferry may use of the erasure code (README.md). */
export {
  ErasureCoder,
  type ErasureCoderOptions,
  type ErasureGroup,
  MAX_ARENA_BYTES,
  MAX_DATA_SHARDS,
  MAX_GROUP_SHARDS,
  MAX_PARITY_SHARDS,
  MAX_SHARD_BYTES,
} from "./coder.ts";
export type { ErasureVariant } from "./engine.ts";
