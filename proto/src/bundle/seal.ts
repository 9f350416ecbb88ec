/**
 * Guarantee: a {@link SealedBundle} lies complete and synced in its file, and
 * every item in it had, byte for byte, the size and SM3 that the policy service
 * permitted (proto/SPEC.md §10). On any failure the file is removed and its key
 * is gone: an interrupted seal starts again with a new one.
 *
 * One pass over the content: all that the header needs from the chunks is one
 * root of fixed size, so the header's length, and with it the place of every
 * chunk, is known beforehand. Chunks are written first, at their places; header,
 * signature and digest table go in front of them at the end.
 */
import { randomBytes } from "node:crypto";
import { type FileHandle, open, unlink } from "node:fs/promises";
import type { SmProvider } from "../sm/index.ts";
import { chunkSink } from "./chunk-work.ts";
import { writeFully } from "./chunk-writer.ts";
import type { ItemEntry } from "./entry.ts";
import type { BundleHeader } from "./header-shape.ts";
import { BundleItemError } from "./item-error.ts";
import type { ItemSink } from "./item-sink.ts";
import { chunkAad, chunkKey, headerMessage } from "./keys.ts";
import { layoutOf, PREFIX_BYTES } from "./layout.ts";
import { MAGIC, SECRET_BYTES } from "./limits.ts";
import { planSeal, type SealInput, type SealItem, type SealPlan } from "./seal-plan.ts";
import { tableRoot } from "./table-root.ts";

/** A bundle as it lies in its file; made only by {@link sealBundle}. */
export interface SealedBundle {
  readonly __brand: "SealedBundle";
  readonly path: string;
  readonly bundleId: Uint8Array;
  readonly header: BundleHeader;
  readonly headerBytes: Uint8Array;
  /** SM3 of the header bytes: `previousDigest` of the next bundle of the stream. */
  readonly headerDigest: Uint8Array;
  readonly itemRoot: Uint8Array;
  /** Bytes of the file. */
  readonly size: number;
}

/** The file belongs to the sealing service until it moves it. */
const FILE_MODE = 0o600;

/**
 * Seals up to 1,024 items into one file. Constant memory: some groups of four chunks, the manifest,
 * the digest table. Cost beside the content: one SM2 signature, one SM2 encryption per recipient, one SM2
 * verification per verdict batch not seen before.
 * @param outPath written anew; synced when this resolves. Renaming and syncing the folder is the
 * caller's.
 * @throws BundleItemError `bundle.content-mismatch` naming the item, and as {@link planSeal}.
 */
export async function sealBundle(
  provider: SmProvider,
  input: SealInput,
  outPath: string,
): Promise<SealedBundle> {
  const secret = randomBytes(SECRET_BYTES);
  try {
    const plan = planSeal(provider, input, secret);
    const key = chunkKey(provider, secret, input.bundleId);
    try {
      return await writeBundle(provider, input, plan, key, outPath);
    } finally {
      key.fill(0);
    }
  } finally {
    secret.fill(0);
  }
}

async function writeBundle(
  provider: SmProvider,
  input: SealInput,
  plan: SealPlan,
  key: Uint8Array,
  outPath: string,
): Promise<SealedBundle> {
  const file = await open(outPath, "w", FILE_MODE);
  try {
    const table = await writeChunks(provider, input, plan, key, file);
    const front = signHeader(provider, input, plan, table);
    await writeFully(file, front.parts, 0);
    await file.sync();
    const sealed: Omit<SealedBundle, "__brand"> = {
      path: outPath,
      bundleId: input.bundleId,
      header: front.header,
      headerBytes: front.headerBytes,
      headerDigest: provider.sm3(front.headerBytes),
      itemRoot: plan.header.itemRoot,
      size: layoutOf(plan.headerBytes.length, plan.header).fileSize,
    };
    await file.close();
    return sealed as SealedBundle;
  } catch (error) {
    await file.close().catch(() => {});
    await unlink(outPath).catch(() => {});
    throw error;
  }
}

/** @returns the digest table. */
async function writeChunks(
  provider: SmProvider,
  input: SealInput,
  plan: SealPlan,
  key: Uint8Array,
  file: FileHandle,
): Promise<Uint8Array> {
  const layout = layoutOf(plan.headerBytes.length, plan.header);
  const cipher = { provider, key, aad: chunkAad(provider, plan.header) };
  const writer = chunkSink(cipher, file, layout);
  // A worker may still hash one item while the next is written.
  const checks: Promise<void>[] = [];
  let wrong = false;
  try {
    await writer.write(plan.manifest);
    for (const [index, item] of input.items.entries()) {
      const entry = plan.entries[index];
      if (entry === undefined) continue;
      if (wrong) await inOrder(checks);
      const content = writer.item(entry.size);
      await writeItem(content, index, item, entry);
      const check = assertDigest(content, index, entry);
      check.catch(() => {
        wrong = true;
      });
      checks.push(check);
    }
    await writer.end();
    await inOrder(checks);
  } catch (error) {
    await writer.abandon();
    // What is wrong with an earlier item comes first, as it does without workers.
    await inOrder(checks);
    throw error;
  }
  return writer.table;
}

/** @throws BundleItemError of the first item that is not what was permitted. */
async function inOrder(checks: readonly Promise<void>[]): Promise<void> {
  for (const check of checks) await check;
}

/** Encrypts one item while it is hashed; more bytes than permitted never reach the cipher. */
async function writeItem(
  content: ItemSink,
  index: number,
  item: SealItem,
  entry: ItemEntry,
): Promise<void> {
  let size = 0;
  for await (const piece of item.content()) {
    size += piece.length;
    if (size > entry.size) {
      throw new BundleItemError("bundle.content-mismatch", index, {
        detail: "longer than permitted",
      });
    }
    await content.write(piece);
  }
  if (size !== entry.size) {
    throw new BundleItemError("bundle.content-mismatch", index, {
      detail: `${size} of ${entry.size} bytes`,
    });
  }
}

async function assertDigest(content: ItemSink, index: number, entry: ItemEntry): Promise<void> {
  if (Buffer.compare(await content.digest(), entry.digest) !== 0) {
    throw new BundleItemError("bundle.content-mismatch", index, { detail: "digest" });
  }
}

/** Magic, length, header, signature and table: everything before the chunks. */
function signHeader(
  provider: SmProvider,
  input: SealInput,
  plan: SealPlan,
  table: Uint8Array,
): { header: BundleHeader; headerBytes: Uint8Array; parts: readonly Uint8Array[] } {
  const sm3 = (...parts: readonly Uint8Array[]) => provider.sm3(...parts);
  const ciphertextRoot = tableRoot(sm3, table);
  const header = { ...plan.header, ciphertextRoot };
  const { headerBytes, rootAt } = plan;
  headerBytes.set(ciphertextRoot, rootAt);
  const signature = provider.sm2Sign(input.signKey, headerMessage(headerBytes));
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.set(MAGIC);
  prefix.writeUInt32BE(headerBytes.length, MAGIC.length);
  return { header, headerBytes, parts: [prefix, headerBytes, signature, table] };
}
