/**
 * Guarantee: plaintext comes out only of a verified header, under a key that the
 * sender committed to, after the manifest opened every item commitment; each
 * item then ends with its own digest check and fails alone (proto/SPEC.md §8.4).
 */
import { GatewayError } from "../errors/index.ts";
import {
  constantTimeEqual,
  formatKeyId,
  type Sm2PrivateKey,
  type SmProvider,
} from "../sm/index.ts";
import type { CheckedVerdict } from "../verdict/index.ts";
import { type ChunkSource, plaintextPiece } from "./chunk-reader.ts";
import { chunkSource } from "./chunk-work.ts";
import { ContentDigest } from "./content-digest.ts";
import type { ItemEntry } from "./entry.ts";
import type { BundleHeader } from "./header-shape.ts";
import { BundleItemError } from "./item-error.ts";
import { chunkAad, chunkKey, keyCommitment } from "./keys.ts";
import { LENGTH_BYTES, SECRET_BYTES } from "./limits.ts";
import { checkManifest, type ManifestItem, manifestLength } from "./manifest.ts";
import { type ByteSource, fileSource } from "./source.ts";
import { chunksAreVerified, type VerifiedHeader } from "./verify.ts";

/** One item whose commitment and verdict hold; made only by {@link openBundle}. */
export interface OpenedItem {
  readonly __brand: "OpenedItem";
  /** Position in the manifest, from 0. */
  readonly index: number;
  readonly entry: ItemEntry;
  readonly entryBytes: Uint8Array;
  readonly salt: Uint8Array;
  /** Canonical `lightferry.audit.v1.Event`, the sender's half. */
  readonly trail: readonly Uint8Array[];
  /** The export verdict of the sending zone. */
  readonly verdict: CheckedVerdict;
  /**
   * The content, once. It is good only when the iteration ends without an error: the digest is
   * checked after the last byte, so write it to staging and release it afterwards. Each piece is
   * valid until the next one is asked for: whoever keeps it longer copies it. It may lie in memory
   * that is shared between threads.
   * Must be consumed before the next item is asked for.
   * @throws BundleItemError `bundle.item-digest`, `bundle.chunk-digest`, `bundle.chunk-decrypt`.
   */
  readonly content: AsyncIterable<Uint8Array>;
}

/** The private keys of this node that may still open a bundle, by key id. */
export interface DecryptKeys {
  decryptKey(keyId: string): Sm2PrivateKey | undefined;
}

export interface OpenOptions {
  /** Where the bytes lie now, when the file was moved since `readHeader`. */
  readonly from?: string | ByteSource;
  /** Takes the sender's certificates and revocation lists, once, before the first item. */
  readonly onTrust?: (items: readonly Uint8Array[]) => void | Promise<void>;
}

/**
 * SPEC §8.4, in its order. Memory: the manifest and a few groups of four chunks.
 * @param keys one private key, or all that this node still has.
 * @throws GatewayError `bundle.unknown-decrypt-key`, `.secret-unwrap-failed`, `.key-commitment`,
 * `.chunk-digest`, `.chunk-decrypt`, `.manifest-invalid`, `.not-canonical`,
 * `.commitment-mismatch`, `.duplicate-item` — all before the first item.
 */
export async function* openBundle(
  provider: SmProvider,
  verified: VerifiedHeader,
  keys: Sm2PrivateKey | DecryptKeys,
  options: OpenOptions = {},
): AsyncGenerator<OpenedItem> {
  const { header } = verified;
  const { layout, table } = verified.received;
  // 1.–3. secret, key commitment, key
  const key = unwrapKey(provider, header, asDecryptKeys(keys));
  const { from = verified.received.source, onTrust } = options;
  const reader = await (typeof from === "string" ? fileSource(from) : from).open();
  const cipher = { provider, key, aad: chunkAad(provider, header) };
  const chunks = chunkSource(cipher, reader, layout, table, chunksAreVerified(verified));
  try {
    // 4.–5. manifest and commitments
    const length = manifestLength(await gather(chunks, 0, LENGTH_BYTES), layout.plaintextSize);
    const manifest = await gather(chunks, LENGTH_BYTES, LENGTH_BYTES + length);
    const { items, trust } = checkManifest(provider, manifest, {
      commitments: header.items.map((item) => item.commitment),
      grades: verified.verdicts.map((verdict) => verdict.grade),
      plaintextSize: layout.plaintextSize,
    });
    if (trust.length > 0) await onTrust?.(trust);
    // 6. items
    for (const [index, item] of items.entries()) {
      const verdict = verified.verdicts[index];
      if (verdict === undefined) throw new GatewayError("bundle.manifest-invalid");
      yield openedItem(provider, chunks, index, item, verdict);
    }
  } finally {
    key.fill(0);
    await chunks.close();
    await reader.close();
  }
}

function unwrapKey(provider: SmProvider, header: BundleHeader, keys: DecryptKeys): Uint8Array {
  const { recipient, decryptKey } = ownRecipient(header, keys);
  let secret: Uint8Array;
  try {
    secret = provider.sm2Decrypt(decryptKey, recipient.wrappedSecret);
  } catch (cause) {
    throw new GatewayError("bundle.secret-unwrap-failed", { cause });
  }
  try {
    if (secret.length !== SECRET_BYTES) throw new GatewayError("bundle.secret-unwrap-failed");
    const commitment = keyCommitment(provider, secret, header.bundleId);
    if (!constantTimeEqual(commitment, header.keyCommitment)) {
      throw new GatewayError("bundle.key-commitment");
    }
    return chunkKey(provider, secret, header.bundleId);
  } finally {
    secret.fill(0);
  }
}

function asDecryptKeys(keys: Sm2PrivateKey | DecryptKeys): DecryptKeys {
  if ("decryptKey" in keys) return keys;
  const own = formatKeyId(keys.publicKey);
  return { decryptKey: (keyId) => (keyId === own ? keys : undefined) };
}

function ownRecipient(
  header: BundleHeader,
  keys: DecryptKeys,
): { recipient: BundleHeader["recipients"][number]; decryptKey: Sm2PrivateKey } {
  for (const recipient of header.recipients) {
    const decryptKey = keys.decryptKey(recipient.keyId);
    if (decryptKey !== undefined) return { recipient, decryptKey };
  }
  const wanted = header.recipients.map(({ keyId }) => keyId).join(" ");
  throw new GatewayError("bundle.unknown-decrypt-key", { detail: wanted });
}

async function gather(chunks: ChunkSource, start: number, end: number): Promise<Uint8Array> {
  const whole = Buffer.allocUnsafe(end - start);
  for (let at = start; at < end; ) {
    const piece = await plaintextPiece(chunks, at, end);
    whole.set(piece, at - start);
    at += piece.length;
  }
  return whole;
}

function openedItem(
  provider: SmProvider,
  chunks: ChunkSource,
  index: number,
  item: ManifestItem,
  verdict: CheckedVerdict,
): OpenedItem {
  const { entry, entryBytes, salt, trail } = item;
  const content = checkedContent(provider, chunks, index, item);
  const opened: Omit<OpenedItem, "__brand"> = {
    index,
    entry,
    entryBytes,
    salt,
    trail,
    verdict,
    content,
  };
  return opened as OpenedItem;
}

async function* checkedContent(
  provider: SmProvider,
  chunks: ChunkSource,
  index: number,
  item: ManifestItem,
): AsyncGenerator<Uint8Array> {
  const hash = new ContentDigest(provider, item.entry.size);
  const end = item.start + item.entry.size;
  for (let at = item.start; at < end; ) {
    const piece = await pieceOf(chunks, index, at, end);
    hash.update(piece);
    at += piece.length;
    yield piece;
  }
  if (Buffer.compare(hash.digest(), item.entry.digest) !== 0) {
    throw new BundleItemError("bundle.item-digest", index);
  }
}

/** {@link plaintextPiece}, its failure said to be that of this item. */
async function pieceOf(
  chunks: ChunkSource,
  index: number,
  at: number,
  end: number,
): Promise<Uint8Array> {
  try {
    return await plaintextPiece(chunks, at, end);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    throw new BundleItemError(error.code, index, { detail: error.detail, cause: error });
  }
}
