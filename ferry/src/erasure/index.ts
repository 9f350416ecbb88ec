/** Guarantee: what the rest of the ferry may use of the erasure code (README.md). */
export {
  ErasureCoder,
  type ErasureGroup,
  MAX_DATA_SHARDS,
  MAX_GROUP_SHARDS,
  MAX_PARITY_SHARDS,
} from "./coder.ts";
export type { ErasureVariant } from "./engine.ts";
