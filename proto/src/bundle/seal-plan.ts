/**
 * Guarantee: before a byte of content is read, everything that sealing will sign
 * is known but for one fixed-size root, and passed the same checks the far side
 * will make (proto/SPEC.md §10.1).
 */
import { encodeCanonical } from "../canonical.ts";
import { GatewayError } from "../errors/index.ts";
import { lightferry } from "../gen/index.js";
import { merkleRoot } from "../merkle/index.ts";
import type { Sm2PrivateKey, Sm2PublicKey, SmProvider } from "../sm/index.ts";
import { itemCommitment } from "../verdict/index.ts";
import { decodeEntry, type ItemEntry } from "./entry.ts";
import { assertHeaderShape, type BundleHeader } from "./header-shape.ts";
import { BundleItemError, forItem } from "./item-error.ts";
import { keyCommitment } from "./keys.ts";
import { planChunks } from "./layout.ts";
import {
  CHUNK_COUNT_MAX,
  CHUNK_SIZE,
  DIGEST_BYTES,
  FORMAT_VERSION,
  HEADER_MAX,
  ITEMS_MAX,
} from "./limits.ts";
import { assertSaltAndTrail, encodeManifest } from "./manifest.ts";
import { firstRepeated } from "./repeated.ts";
import { type BundleKeys, checkVerdicts } from "./verify.ts";

const { Header, ItemRecord, Recipient, VerdictBatch } = lightferry.bundle.v1;

export interface SealRecipient {
  readonly nodeId: string;
  readonly keyId: string;
  readonly publicKey: Sm2PublicKey;
}

export interface SealItem {
  /** 32 bytes, from the policy service. */
  readonly salt: Uint8Array;
  /** Canonical `lightferry.bundle.v1.ManifestEntry`, from the policy service. */
  readonly entry: Uint8Array;
  /** Canonical `lightferry.audit.v1.Event`. */
  readonly trail: readonly Uint8Array[];
  /** Canonical `lightferry.policy.v1.Verdict`. */
  readonly verdict: Uint8Array;
  /** Index into `SealInput.batches`. */
  readonly batch: number;
  readonly leaf: number;
  readonly path: readonly Uint8Array[];
  /** The bytes as they leave; called once, read to the end. */
  content(): AsyncIterable<Uint8Array>;
}

export interface SealInput {
  /** 16 bytes, UUIDv7; a new one for every attempt. */
  readonly bundleId: Uint8Array;
  readonly lane: string;
  /** "<lane>/<sender>/<priority>". */
  readonly stream: string;
  /** From 1. */
  readonly sequence: number;
  /** Header digest of the bundle before in the stream; 32 zero bytes for sequence 1. */
  readonly previousDigest: Uint8Array;
  readonly sender: string;
  readonly signKey: Sm2PrivateKey;
  readonly signKeyId: string;
  readonly createdMs: number;
  readonly expiresMs: number;
  /** Must be the highest grade of the verdicts. */
  readonly grade: string;
  readonly recipients: readonly SealRecipient[];
  readonly policyVersion: string;
  readonly checkpoint?: lightferry.bundle.v1.Checkpoint.$Properties;
  /** X.509 DER of the keys that the header names and of their issuers; at most 8 of 2 KiB. */
  readonly certificates?: readonly Uint8Array[];
  /** DER certificates and revocation lists of this zone, for the other; at most 32 of 64 KiB. */
  readonly trust?: readonly Uint8Array[];
  /** Each is used by at least one item. */
  readonly batches: readonly lightferry.bundle.v1.VerdictBatch.$Properties[];
  readonly items: readonly SealItem[];
  /** Keys by which the verdicts are verified before anything is sealed: the registry's directory. */
  readonly keys: BundleKeys;
  /** Plaintext bytes of a chunk; 256 KiB but for tests. A power of two, 4 KiB to 256 KiB. */
  readonly chunkSize?: number;
}

export interface SealPlan {
  /** Length frame and manifest: the beginning of the plaintext. */
  readonly manifest: Uint8Array;
  readonly entries: readonly ItemEntry[];
  /** With zeros of the right length where the ciphertext root will stand. */
  readonly header: BundleHeader;
  /** The encoded header: final but for the root, which has the same length when it comes. */
  readonly headerBytes: Uint8Array;
  /** Where in it the ciphertext root goes. */
  readonly rootAt: number;
}

/** Tag of field 15 and length 32, one byte each. */
const ROOT_TAG_BYTES = 2;
/** Same length as every SM3 root, so that the header's length is final before the first chunk. */
const ROOT_PLACEHOLDER = new Uint8Array(DIGEST_BYTES);

/**
 * @param secret the bundle secret, 32 random bytes.
 * @throws BundleItemError, naming the item to leave out: `bundle.content-mismatch`,
 * `.manifest-invalid`, `.not-canonical`, `.duplicate-item`, `verdict.*`; GatewayError
 * `bundle.seal-refused`, `.too-large`, `.header-invalid`, `.grade-mismatch`, and
 * `.manifest-too-large`, `.header-too-large`, which fewer items cure.
 */
export function planSeal(provider: SmProvider, input: SealInput, secret: Uint8Array): SealPlan {
  if (input.items.length < 1 || input.items.length > ITEMS_MAX) {
    throw new GatewayError("bundle.seal-refused", { detail: `${input.items.length} items` });
  }
  const entries = input.items.map((item, index) =>
    forItem(index, () => {
      assertSaltAndTrail(item);
      return decodeEntry(item.entry);
    }),
  );
  const manifest = encodeManifest(input.items, input.trust ?? []);
  const plaintextSize = entries.reduce((sum, entry) => sum + entry.size, manifest.length);
  const plan = planChunks(plaintextSize, input.chunkSize ?? CHUNK_SIZE);
  if (plan.chunkCount > CHUNK_COUNT_MAX) {
    throw new GatewayError("bundle.too-large", { detail: `${plaintextSize} bytes` });
  }
  const header = draftHeader(provider, input, secret, plan);
  assertHeaderShape(header);
  const headerBytes = encodeCanonical(Header, header as lightferry.bundle.v1.Header);
  if (headerBytes.length > HEADER_MAX) {
    throw new GatewayError("bundle.header-too-large", { detail: `${headerBytes.length} bytes` });
  }
  checkItems(provider, input, header, entries);
  return { manifest, entries, header, headerBytes, rootAt: rootOffset(header) };
}

/** Fields are written in ascending number: before the root stands what all smaller numbers take. */
function rootOffset(header: BundleHeader): number {
  const { version, bundleId, lane, stream, sequence, previousDigest, sender, signKeyId } = header;
  const { createdMs, expiresMs, grade, chunkSize, chunkCount, plaintextSize } = header;
  const before = encodeCanonical(Header, {
    ...{ version, bundleId, lane, stream, sequence, previousDigest, sender, signKeyId },
    ...{ createdMs, expiresMs, grade, chunkSize, chunkCount, plaintextSize },
  });
  return before.length + ROOT_TAG_BYTES;
}

function draftHeader(
  provider: SmProvider,
  input: SealInput,
  secret: Uint8Array,
  plan: { chunkSize: number; chunkCount: number; plaintextSize: number },
): BundleHeader {
  const items = input.items.map(
    ({ salt, entry, verdict, batch, leaf, path }) =>
      new ItemRecord({
        commitment: itemCommitment(provider, salt, entry),
        verdict,
        batch,
        leaf,
        path: [...path],
      }),
  );
  const recipients = [...input.recipients]
    .sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1))
    .map(
      ({ nodeId, keyId, publicKey }) =>
        new Recipient({ nodeId, keyId, wrappedSecret: provider.sm2Encrypt(publicKey, secret) }),
    );
  const sm3 = (...parts: readonly Uint8Array[]) => provider.sm3(...parts);
  return new Header({
    version: FORMAT_VERSION,
    bundleId: input.bundleId,
    lane: input.lane,
    stream: input.stream,
    sequence: input.sequence,
    previousDigest: input.previousDigest,
    sender: input.sender,
    signKeyId: input.signKeyId,
    createdMs: input.createdMs,
    expiresMs: input.expiresMs,
    grade: input.grade,
    ...plan,
    ciphertextRoot: ROOT_PLACEHOLDER,
    itemRoot: merkleRoot(
      sm3,
      items.map((item) => item.commitment),
    ),
    recipients,
    keyCommitment: keyCommitment(provider, secret, input.bundleId),
    verdictBatches: input.batches.map((batch) => new VerdictBatch(batch)),
    items,
    policyVersion: input.policyVersion,
    certificates: [...(input.certificates ?? [])],
    ...(input.checkpoint === undefined
      ? {}
      : { checkpoint: new lightferry.bundle.v1.Checkpoint(input.checkpoint) }),
  }) as BundleHeader;
}

/** The verdicts as the far side will check them, and that they speak of these entries. */
function checkItems(
  provider: SmProvider,
  input: SealInput,
  header: BundleHeader,
  entries: readonly ItemEntry[],
): void {
  const twice = firstRepeated(entries.map((entry) => entry.exchangeId));
  if (twice !== -1) throw new BundleItemError("bundle.duplicate-item", twice);
  try {
    const verdicts = checkVerdicts(provider, header, input.keys);
    const other = verdicts.findIndex((verdict, index) => verdict.grade !== entries[index]?.grade);
    if (other !== -1)
      throw new BundleItemError("bundle.content-mismatch", other, { detail: "grade" });
  } catch (error) {
    // Sealing names the cause from its own side: what lies here is not what was permitted.
    if (error instanceof BundleItemError && error.code === "verdict.wrong-item") {
      throw new BundleItemError("bundle.content-mismatch", error.itemIndex, { cause: error });
    }
    throw error;
  }
}
