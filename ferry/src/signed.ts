/**
 * Guarantee: what changes durable state across the gate was signed by the
 * registered ferry key of the expected sender, under a label that says what it is.
 */
import { decodeCanonical, encodeCanonical, type MessageType } from "@lightferry/proto/canonical";
import { lightferry } from "@lightferry/proto/gen";
import {
  domainSeparated,
  type Sm2PrivateKey,
  type Sm2PublicKey,
  type SmProvider,
} from "@lightferry/proto/sm";

const { SignedMessage } = lightferry.ferry.v1;

export const MANIFEST_LABEL = "ferry-manifest/1";
export const HEARTBEAT_LABEL = "ferry-heartbeat/1";
type Label = typeof MANIFEST_LABEL | typeof HEARTBEAT_LABEL;

/** tx: who signs. */
export interface LinkSigner {
  readonly provider: SmProvider;
  readonly key: Sm2PrivateKey;
  readonly keyId: string;
}

/** rx: whose signature counts. */
export interface LinkVerifier {
  readonly provider: SmProvider;
  readonly sender: string;
  /** The sender's registered ferry key of this id, if there is one. */
  ferryKey(keyId: string): Sm2PublicKey | undefined;
}

/** Canonical bytes of a {@link SignedMessage} over the canonical bytes of `message`. */
export function signMessage<P extends object>(
  signer: LinkSigner,
  label: Label,
  type: MessageType<P>,
  message: P,
): Uint8Array {
  const payload = encodeCanonical(type, message);
  const signature = signer.provider.sm2Sign(signer.key, domainSeparated(label, payload));
  return encodeCanonical(SignedMessage, { payload, keyId: signer.keyId, signature });
}

/** Why a signed message counts for nothing. */
export type SignedFault = "malformed" | "unknown-key" | "signature";

/** The message, or why not. Never throws on any bytes; the result owns its memory. */
export function verifyMessage<P extends object, M extends P>(
  verifier: LinkVerifier,
  label: Label,
  type: MessageType<P, M>,
  bytes: Uint8Array,
): M | SignedFault {
  let payload: Uint8Array;
  let message: M;
  let keyId: string;
  let signature: Uint8Array;
  try {
    // A copy: the message outlives the receive ring.
    const signed = decodeCanonical(SignedMessage, Uint8Array.from(bytes));
    payload = signed.payload;
    keyId = signed.keyId;
    signature = signed.signature;
    message = decodeCanonical(type, payload);
  } catch {
    return "malformed";
  }
  const key = verifier.ferryKey(keyId);
  if (key === undefined) return "unknown-key";
  const valid = verifier.provider.sm2Verify(key, domainSeparated(label, payload), signature);
  return valid ? message : "signature";
}
