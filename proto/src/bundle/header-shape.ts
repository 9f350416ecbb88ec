/**
 * Guarantee: a header that passes has every field present, within its limits
 * and in agreement with the others (proto/SPEC.md §4.2). Nothing is verified
 * cryptographically here.
 */
import { GatewayError } from "../errors/index.ts";
import type { lightferry } from "../gen/index.js";
import { isId } from "../ids.ts";
import { isGrade } from "../registry/grades.ts";
import { VERDICT_MAX_BYTES, VERDICT_PATH_MAX } from "../verdict/index.ts";
import {
  CERTIFICATE_MAX,
  CERTIFICATES_MAX,
  CHECKPOINT_NOTE_MAX,
  CHUNK_COUNT_MAX,
  CHUNK_SIZE,
  CHUNK_SIZE_MIN,
  CONSISTENCY_MAX,
  DIGEST_BYTES,
  ITEMS_MAX,
  LENGTH_BYTES,
  LIFETIME_MAX_MS,
  NAME_MAX,
  POLICY_VERSION_MAX,
  RECIPIENTS_MAX,
  SIGNATURE_BYTES,
  STREAM_MAX,
  WRAPPED_SECRET_MAX,
} from "./limits.ts";
import { firstRepeated } from "./repeated.ts";

type Message = lightferry.bundle.v1.Header;

/** A decoded header: its nested messages are whole, absent fields at their defaults. */
export type BundleHeader = Readonly<
  Omit<Message, "recipients" | "verdictBatches" | "items" | "checkpoint">
> & {
  readonly recipients: readonly lightferry.bundle.v1.Recipient[];
  readonly verdictBatches: readonly lightferry.bundle.v1.VerdictBatch[];
  readonly items: readonly lightferry.bundle.v1.ItemRecord[];
  readonly checkpoint?: lightferry.bundle.v1.Checkpoint | null;
};

/** As the registry writes names. */
const NAME = /^[a-z0-9][a-z0-9-]*$/;
const KEY_ID = /^[0-9a-f]{32}$/;

/** @throws GatewayError `bundle.header-invalid` naming the field. */
export function assertHeaderShape(header: BundleHeader): void {
  const field =
    badName(header) ??
    badPosition(header) ??
    badSize(header) ??
    badRecipients(header) ??
    badItems(header) ??
    badCertificates(header);
  if (field !== undefined) throw new GatewayError("bundle.header-invalid", { detail: field });
}

function badName(header: BundleHeader): string | undefined {
  if (!isId(header.bundleId)) return "bundle_id";
  if (!isName(header.lane)) return "lane";
  if (!isName(header.sender)) return "sender";
  if (!KEY_ID.test(header.signKeyId)) return "sign_key_id";
  const prefix = `${header.lane}/${header.sender}/`;
  if (header.stream.length > STREAM_MAX || !header.stream.startsWith(prefix)) return "stream";
  if (!isName(header.stream.slice(prefix.length))) return "stream";
  if (!isGrade(header.grade)) return "grade";
  if (header.policyVersion.length > POLICY_VERSION_MAX) return "policy_version";
  return undefined;
}

function badPosition(header: BundleHeader): string | undefined {
  if (!isCount(header.sequence) || header.sequence < 1) return "sequence";
  if (!isDigest(header.previousDigest)) return "previous_digest";
  const first = header.previousDigest.every((byte) => byte === 0);
  if (first !== (header.sequence === 1)) return "previous_digest";
  if (!isCount(header.createdMs) || header.createdMs === 0) return "created_ms";
  if (!isCount(header.expiresMs) || header.expiresMs <= header.createdMs) return "expires_ms";
  if (header.expiresMs - header.createdMs > LIFETIME_MAX_MS) return "expires_ms";
  return badCheckpoint(header.checkpoint);
}

function badCheckpoint(
  checkpoint: lightferry.bundle.v1.Checkpoint | null | undefined,
): string | undefined {
  if (checkpoint === null || checkpoint === undefined) return undefined;
  const { note, oldSize, consistency } = checkpoint;
  if (note.length === 0 || note.length > CHECKPOINT_NOTE_MAX) return "checkpoint.note";
  if (!isCount(oldSize)) return "checkpoint.old_size";
  if (consistency.length > CONSISTENCY_MAX) return "checkpoint.consistency";
  if (!consistency.every(isDigest)) return "checkpoint.consistency";
  return undefined;
}

/** Sizes only: what they say is judged by whoever asks for a key. */
function badCertificates({ certificates }: BundleHeader): string | undefined {
  if (certificates.length > CERTIFICATES_MAX) return "certificates";
  const sized = certificates.every(({ length }) => length > 0 && length <= CERTIFICATE_MAX);
  return sized && firstRepeated(certificates) === -1 ? undefined : "certificates";
}

function badSize(header: BundleHeader): string | undefined {
  const { chunkSize, chunkCount, plaintextSize } = header;
  if (chunkSize < CHUNK_SIZE_MIN || chunkSize > CHUNK_SIZE) return "chunk_size";
  if (!Number.isInteger(Math.log2(chunkSize))) return "chunk_size";
  if (chunkCount < 1 || chunkCount > CHUNK_COUNT_MAX) return "chunk_count";
  if (!isCount(plaintextSize) || plaintextSize <= LENGTH_BYTES) return "plaintext_size";
  if (Math.ceil(plaintextSize / chunkSize) !== chunkCount) return "plaintext_size";
  if (!isDigest(header.ciphertextRoot)) return "ciphertext_root";
  if (!isDigest(header.itemRoot)) return "item_root";
  if (!isDigest(header.keyCommitment)) return "key_commitment";
  return undefined;
}

function badRecipients(header: BundleHeader): string | undefined {
  const { recipients } = header;
  if (recipients.length < 1 || recipients.length > RECIPIENTS_MAX) return "recipients";
  let before = "";
  for (const { nodeId, keyId, wrappedSecret } of recipients) {
    if (!isName(nodeId) || nodeId <= before) return "recipients.node_id";
    if (!KEY_ID.test(keyId)) return "recipients.key_id";
    if (wrappedSecret.length === 0 || wrappedSecret.length > WRAPPED_SECRET_MAX) {
      return "recipients.wrapped_secret";
    }
    before = nodeId;
  }
  return undefined;
}

function badItems(header: BundleHeader): string | undefined {
  const { items, verdictBatches } = header;
  if (items.length < 1 || items.length > ITEMS_MAX) return "items";
  const used = new Set<number>();
  for (const item of items) {
    if (!isDigest(item.commitment)) return "items.commitment";
    if (item.verdict.length === 0 || item.verdict.length > VERDICT_MAX_BYTES) {
      return "items.verdict";
    }
    if (item.path.length > VERDICT_PATH_MAX || !item.path.every(isDigest)) return "items.path";
    used.add(item.batch);
  }
  // Every batch is used and every index is a batch: as many distinct indexes as batches, all in range.
  if (used.size !== verdictBatches.length) return "verdict_batches";
  if (![...used].every((index) => index < verdictBatches.length)) return "items.batch";
  for (const batch of verdictBatches) {
    if (!isName(batch.policyNode)) return "verdict_batches.policy_node";
    if (!KEY_ID.test(batch.keyId)) return "verdict_batches.key_id";
    if (!isDigest(batch.root)) return "verdict_batches.root";
    if (batch.signature.length !== SIGNATURE_BYTES) return "verdict_batches.signature";
  }
  return undefined;
}

function isName(value: string): boolean {
  return value.length <= NAME_MAX && NAME.test(value);
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function isDigest(value: Uint8Array): boolean {
  return value.length === DIGEST_BYTES;
}
