/**
 * Guarantee: what changes durable state across the gate was signed by a ferry
 * key certified for the expected sender, under a label that says what it is.
 * Certificates may come with a message; they count only when they lead to the
 * pinned root, and a key that is revoked or denied is told from one that nobody
 * knows.
 */
import { decodeCanonical, encodeCanonical, type MessageType } from "@lightferry/proto/canonical";
import { type ErrorCode, GatewayError } from "@lightferry/proto/errors";
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
export const MEDIA_LABEL = "ferry-media/1";
export const INVENTORY_LABEL = "ferry-inventory/1";
export const TICKET_LABEL = "ferry-ticket/1";
export const DIRECTORY_LABEL = "ferry-directory/1";
type Label =
  | typeof MANIFEST_LABEL
  | typeof HEARTBEAT_LABEL
  | typeof MEDIA_LABEL
  | typeof INVENTORY_LABEL
  | typeof TICKET_LABEL
  | typeof DIRECTORY_LABEL;

/**
 * A heartbeat's chain: the certificate of its key and of that one's issuer. Nothing about them is signed, and
 * each costs the receiver a signature check, so what is no chain is refused before it is read; manifests
 * come thousands a second and rely on the chains of heartbeats.
 */
export const MAX_CERTIFICATES = {
  [HEARTBEAT_LABEL]: 2,
  [MANIFEST_LABEL]: 0,
  [INVENTORY_LABEL]: 0,
  // The receiver of a medium has no heartbeat to know the key by.
  [MEDIA_LABEL]: 2,
  // Nor has the sender, of whom a ticket asks.
  [TICKET_LABEL]: 2,
  // Each file stands for itself, whatever came before it.
  [DIRECTORY_LABEL]: 2,
} as const;

/** A ferry key in force. */
export interface LinkKey {
  readonly key: Sm2PrivateKey;
  readonly keyId: string;
}

/** tx: who signs. */
export interface LinkSigner {
  readonly provider: SmProvider;
  /**
   * The key to sign with now.
   * @throws GatewayError `certificate.unknown` when none is in force
   */
  active(): LinkKey;
  /** Certificates of a key and of its issuer, DER. */
  chain(keyId: string): readonly Uint8Array[];
}

/** rx: whose signature counts. */
export interface LinkVerifier {
  readonly provider: SmProvider;
  readonly sender: string;
  /**
   * The sender's ferry key of this id, if one is certified.
   * @param presented certificates that came with the message
   * @param usedMs when it was used, by the sender's clock
   * @throws GatewayError `certificate.*` for a key that is known and does not count
   */
  ferryKey(
    keyId: string,
    presented: readonly Uint8Array[],
    usedMs: number | undefined,
  ): Sm2PublicKey | undefined;
  /** A key that is known and does not count was used. */
  refused(keyId: string, code: ErrorCode): void;
}

/**
 * Canonical bytes of a {@link SignedMessage} over the canonical bytes of `message`.
 * @param withChain adds the certificates of the key, for a receiver that never heard of it
 */
export function signMessage<P extends object>(
  signer: LinkSigner,
  label: Label,
  type: MessageType<P>,
  message: P,
  withChain = false,
): Uint8Array {
  const { key, keyId } = signer.active();
  const payload = encodeCanonical(type, message);
  const signature = signer.provider.sm2Sign(key, domainSeparated(label, payload));
  const certificates = withChain ? [...signer.chain(keyId)] : [];
  return encodeCanonical(SignedMessage, { payload, keyId, signature, certificates });
}

/** Why a signed message counts for nothing. */
export type SignedFault = "malformed" | "unknown-key" | "refused-key" | "signature";

/**
 * The message, or why not. Never throws on any bytes; the result owns its memory.
 * @param usedMs the sender's time that a message states, where it states one
 * @param useless why it would count for nothing though it were signed: then nothing is verified
 */
export function verifyMessage<P extends object, M extends P, Useless extends string = never>(
  verifier: LinkVerifier,
  label: Label,
  type: MessageType<P, M>,
  bytes: Uint8Array,
  usedMs: (message: M) => number | undefined = () => undefined,
  useless: (message: M) => Useless | undefined = () => undefined,
): M | SignedFault | Useless {
  let payload: Uint8Array;
  let message: M;
  let keyId: string;
  let signature: Uint8Array;
  let certificates: readonly Uint8Array[];
  try {
    // A copy: the message outlives the receive ring.
    const signed = decodeCanonical(SignedMessage, Uint8Array.from(bytes));
    payload = signed.payload;
    keyId = signed.keyId;
    signature = signed.signature;
    certificates = signed.certificates;
    message = decodeCanonical(type, payload);
  } catch {
    return "malformed";
  }
  if (certificates.length > MAX_CERTIFICATES[label]) return "malformed";
  const why = useless(message);
  if (why !== undefined) return why;
  let key: Sm2PublicKey | undefined;
  try {
    key = verifier.ferryKey(keyId, certificates, usedMs(message));
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    verifier.refused(keyId, error.code);
    return "refused-key";
  }
  if (key === undefined) return "unknown-key";
  const valid = verifier.provider.sm2Verify(key, domainSeparated(label, payload), signature);
  return valid ? message : "signature";
}
