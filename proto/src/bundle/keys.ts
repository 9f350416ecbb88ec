/**
 * Guarantee: key, key commitment, nonces and associated data are derived as
 * proto/SPEC.md §5 says, each under a label of its own.
 */
import { encodeCanonical } from "../canonical.ts";
import { lightferry } from "../gen/index.js";
import { domainSeparated, type SmProvider } from "../sm/index.ts";

const SM4_KEY_BYTES = 16;
const NONCE_BYTES = 12;
/** The chunk counter's low 32 bits lie at bytes 7..10 of the 11-byte big-endian counter. */
const COUNTER_AT = 7;
const LAST_FLAG_AT = 11;

/** SPEC §5.2. @param secret 32 random bytes of this bundle alone. @returns 16 bytes; the caller wipes them. */
export function chunkKey(
  provider: SmProvider,
  secret: Uint8Array,
  bundleId: Uint8Array,
): Uint8Array {
  const mac = provider.hmacSm3(secret, domainSeparated("bundle-key/1", bundleId));
  const key = Uint8Array.from(mac.subarray(0, SM4_KEY_BYTES));
  mac.fill(0);
  return key;
}

/** SPEC §5.3: SM4-GCM alone does not commit to its key; this does. @returns 32 bytes. */
export function keyCommitment(
  provider: SmProvider,
  secret: Uint8Array,
  bundleId: Uint8Array,
): Uint8Array {
  return provider.hmacSm3(secret, domainSeparated("bundle-key-commitment/1", bundleId));
}

/** SPEC §5.4: 11-byte big-endian chunk counter, then 1 for the last chunk, else 0. */
export function chunkNonce(index: number, last: boolean): Uint8Array {
  const nonce = Buffer.alloc(NONCE_BYTES);
  nonce.writeUInt32BE(index, COUNTER_AT);
  nonce[LAST_FLAG_AT] = last ? 1 : 0;
  return nonce;
}

/** The header fields that every chunk is bound to. */
export interface Preamble {
  readonly version: number;
  readonly bundleId: Uint8Array;
  readonly lane: string;
  readonly sender: string;
  readonly chunkSize: number;
  readonly recipients: readonly { readonly nodeId: string; readonly keyId: string }[];
}

/** SPEC §5.5: SM3 of the canonical preamble; the same for every chunk. @returns 32 bytes. */
export function chunkAad(provider: SmProvider, header: Preamble): Uint8Array {
  const preamble = encodeCanonical(lightferry.bundle.v1.Header, {
    version: header.version,
    bundleId: header.bundleId,
    lane: header.lane,
    sender: header.sender,
    chunkSize: header.chunkSize,
    recipients: header.recipients.map(({ nodeId, keyId }) => ({ nodeId, keyId })),
  });
  return provider.sm3(domainSeparated("bundle-preamble/1", preamble));
}

/** SPEC §4: what the node signing key signs. */
export function headerMessage(headerBytes: Uint8Array): Uint8Array {
  return domainSeparated("bundle-header/1", headerBytes);
}
