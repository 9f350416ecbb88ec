/**
 * Guarantee: everything other modules may use of the SM algorithms; see
 * provider.ts for the interface and README.md for what is and is not promised.
 */
export type { Sm4Bulk } from "./bulk.ts";
export { GCM_NONCE_BYTES, GCM_TAG_BYTES, SM4_KEY_BYTES } from "./gcm-input.ts";
export { LANE_COUNT, LEAF_BYTES } from "./lane-input.ts";
export { loadProvider } from "./load.ts";
export { bulkInUse } from "./openssl/index.ts";
export {
  DEFAULT_USER_ID,
  type Sm2PrivateKey,
  type Sm2PublicKey,
  type Sm2Signature,
  type Sm3Hash,
  type Sm4Gcm,
  type SmProvider,
} from "./provider.ts";
export {
  openSdfProvider,
  probeSdf,
  type SdfDeviceInfo,
  type SdfKeySettings,
  SdfKeys,
  type SdfProbe,
  type SdfProvider,
  type SdfSessionKey,
  type SdfSettings,
} from "./sdf/index.ts";
export { constantTimeEqual, domainSeparated, formatKeyId } from "./signing-input.ts";
export {
  createTableHasher,
  type HashLanes,
  lanesInUse,
  type TableHasher,
} from "./table-hasher.ts";
