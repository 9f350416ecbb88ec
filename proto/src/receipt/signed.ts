/**
 * Guarantee: {@link VerifiedReceipts} were signed by the node at the far end of
 * one of this node's own lanes, for this node, in time. What they say of which
 * exchange is looked at by whoever holds the exchanges.
 */
import { encodeCanonical } from "../canonical.ts";
import { GatewayError } from "../errors/index.ts";
import { lightferry } from "../gen/index.js";
import {
  domainSeparated,
  type Sm2PrivateKey,
  type Sm2PublicKey,
  type SmProvider,
} from "../sm/index.ts";
import {
  AGE_MAX_MS,
  CLOCK_ALLOWANCE_MS,
  RECEIPT_CERTIFICATE_MAX,
  RECEIPT_CERTIFICATES_MAX,
  SIGNED_MAX,
} from "./limits.ts";
import { decodeReceiptList, malformed, type ReceiptListFields } from "./list.ts";

const { SignedReceipts } = lightferry.receipt.v1;

const LABEL = "receipts/1";
const SIGNATURE_BYTES = 64;
const KEY_ID = /^[0-9a-f]{32}$/;

/** r || s over the list, so that no other signature of this key passes for one. */
export function signReceiptList(
  provider: SmProvider,
  key: Sm2PrivateKey,
  list: Uint8Array,
): Uint8Array {
  return provider.sm2Sign(key, domainSeparated(LABEL, list));
}

/** True when this key signed these bytes as a list of receipts. */
export function isReceiptSignature(
  provider: SmProvider,
  key: Sm2PublicKey,
  list: Uint8Array,
  signature: Uint8Array,
): boolean {
  return provider.sm2Verify(key, domainSeparated(LABEL, list), signature);
}

export interface SignedReceiptsFields {
  /** Canonical list. */
  readonly list: Uint8Array;
  readonly keyId: string;
  readonly signature: Uint8Array;
  /** X.509 DER. */
  readonly certificates: readonly Uint8Array[];
}

/** @throws GatewayError `receipt.malformed` when it would not be read again. */
export function encodeSignedReceipts(fields: SignedReceiptsFields): Uint8Array {
  const bytes = encodeCanonical(SignedReceipts, {
    ...fields,
    certificates: [...fields.certificates],
  });
  decodeSignedReceipts(bytes);
  return bytes;
}

/** Form alone (SPEC §17.3, 1). @throws GatewayError `receipt.malformed` */
export function decodeSignedReceipts(
  bytes: Uint8Array,
): SignedReceiptsFields & { readonly fields: ReceiptListFields } {
  if (bytes.length > SIGNED_MAX) throw malformed(`${bytes.length} of ${SIGNED_MAX} bytes`);
  let signed: lightferry.receipt.v1.SignedReceipts;
  try {
    signed = SignedReceipts.decode(bytes);
  } catch (cause) {
    throw malformed("not protobuf", cause);
  }
  if (Buffer.compare(SignedReceipts.encode(signed).finish(), bytes) !== 0) {
    throw malformed("encoding");
  }
  const { list, keyId, signature, certificates } = signed;
  if (!KEY_ID.test(keyId)) throw malformed("key_id");
  if (signature.length !== SIGNATURE_BYTES) throw malformed("signature");
  if (
    certificates.length > RECEIPT_CERTIFICATES_MAX ||
    certificates.some(({ length }) => length === 0 || length > RECEIPT_CERTIFICATE_MAX)
  ) {
    throw malformed("certificates");
  }
  return { list, keyId, signature, certificates, fields: decodeReceiptList(list) };
}

export interface ReceiptContext {
  /** Unix milliseconds by this node's clock. */
  readonly now: number;
  /** This node: it sent what the receipts are about. */
  readonly self: string;
  /** Node at the far end of a lane that begins in this zone; undefined for any other lane. */
  farEnd(lane: string): string | undefined;
  /** The trust store's; throws `certificate.*` for a key that is known and does not count. */
  signKey(
    node: string,
    keyId: string,
    usage: { readonly presented: readonly Uint8Array[]; readonly usedMs: number },
  ): Sm2PublicKey | undefined;
}

export interface VerifiedReceipts {
  readonly __brand: "VerifiedReceipts";
  readonly list: ReceiptListFields;
  /** SM3 of the list's bytes. */
  readonly digest: Uint8Array;
}

/**
 * SPEC §17.3, in its order.
 * @throws GatewayError `receipt.malformed`, `.foreign-lane`, `.wrong-addressee`, `.wrong-receiver`,
 * `.unknown-key`, `.signature-invalid`, `.from-future`, `.stale`; `certificate.*`.
 */
export function verifyReceipts(
  provider: SmProvider,
  bytes: Uint8Array,
  context: ReceiptContext,
): VerifiedReceipts {
  const { list, keyId, signature, certificates, fields } = decodeSignedReceipts(bytes);
  const { lane, sender, receiver, number, createdMs } = fields;
  const where = `${lane} ${receiver}/${number}`;
  const farEnd = context.farEnd(lane);
  if (farEnd === undefined) throw new GatewayError("receipt.foreign-lane", { detail: where });
  if (sender !== context.self) {
    throw new GatewayError("receipt.wrong-addressee", { detail: `${where}: for ${sender}` });
  }
  if (receiver !== farEnd) throw new GatewayError("receipt.wrong-receiver", { detail: where });
  const key = context.signKey(receiver, keyId, { presented: certificates, usedMs: createdMs });
  if (key === undefined) {
    throw new GatewayError("receipt.unknown-key", { detail: `${where}: ${keyId}` });
  }
  if (!isReceiptSignature(provider, key, list, signature)) {
    throw new GatewayError("receipt.signature-invalid", { detail: where });
  }
  if (createdMs > context.now + CLOCK_ALLOWANCE_MS) {
    throw new GatewayError("receipt.from-future", { detail: where });
  }
  if (createdMs < context.now - AGE_MAX_MS) {
    throw new GatewayError("receipt.stale", { detail: where });
  }
  const verified: Omit<VerifiedReceipts, "__brand"> = {
    list: fields,
    digest: provider.sm3(list),
  };
  return verified as VerifiedReceipts;
}
