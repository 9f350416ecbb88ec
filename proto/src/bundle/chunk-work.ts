/**
 * Guarantee: which thread works on a bundle's chunks is decided here alone, and
 * nothing but the speed depends on it.
 */
import type { FileHandle } from "node:fs/promises";
import { loadProvider, type SmProvider } from "../sm/index.ts";
import { type ChunkCipher, groupCount } from "./chunk-group.ts";
import { ChunkReader, type ChunkSource, GroupReader } from "./chunk-reader.ts";
import { type ChunkSink, ChunkWriter } from "./chunk-writer.ts";
import type { Layout } from "./layout.ts";
import type { ByteReader } from "./source.ts";
import { type BundleWorkers, bundleWorkers } from "./workers/pool.ts";
import { PooledReader, verifyByWorkers } from "./workers/pooled-reader.ts";
import { PooledWriter } from "./workers/pooled-writer.ts";
import type { WorkerProvider } from "./workers/task.ts";

interface Chosen {
  readonly workers: BundleWorkers;
  readonly provider: WorkerProvider;
}

/**
 * A worker loads its provider by name. One that computes otherwise than that, in a device or with a
 * function of its own, stays here; whose keys are in a device but whose SM3 and SM4 are not may go.
 */
function chosenFor(provider: SmProvider, layout: Layout): Chosen | undefined {
  const workers = bundleWorkers();
  if (workers === undefined || layout.chunkCount < workers.chunksMin) return undefined;
  const name = provider.name === "sm-crypto" ? "sm-crypto" : "openssl";
  const loaded = loadProvider(name);
  const same =
    provider.sm3 === loaded.sm3 &&
    provider.createSm3 === loaded.createSm3 &&
    provider.sm4GcmEncrypt === loaded.sm4GcmEncrypt &&
    provider.sm4GcmDecrypt === loaded.sm4GcmDecrypt;
  return same ? { workers, provider: name } : undefined;
}

/** Where a sealer writes the plaintext of a bundle of this layout. */
export function chunkSink(cipher: ChunkCipher, file: FileHandle, layout: Layout): ChunkSink {
  const chosen = chosenFor(cipher.provider, layout);
  return chosen === undefined
    ? new ChunkWriter(cipher, file, layout)
    : new PooledWriter(chosen, cipher, file, layout);
}

/** @param hashed every chunk was checked against the table before. */
export function chunkSource(
  cipher: ChunkCipher,
  reader: ByteReader,
  layout: Layout,
  table: Uint8Array,
  hashed: boolean,
): ChunkSource {
  const chosen = chosenFor(cipher.provider, layout);
  if (chosen === undefined) return new ChunkReader(cipher, reader, layout, table, hashed);
  return new PooledReader({ ...chosen, reader, layout, table, check: !hashed, cipher });
}

/** SPEC §8.3. @throws GatewayError `bundle.chunk-digest`, `bundle.truncated`. */
export async function checkChunks(
  provider: SmProvider,
  reader: ByteReader,
  layout: Layout,
  table: Uint8Array,
): Promise<void> {
  const chosen = chosenFor(provider, layout);
  if (chosen !== undefined)
    return verifyByWorkers({ ...chosen, reader, layout, table, check: true });
  const groups = new GroupReader(provider, reader, layout, table);
  try {
    for (let number = 0; number < groupCount(layout); number += 1) {
      const group = await groups.load(number, true);
      for (const [lane] of group.lengths.entries()) groups.sealed(group, lane);
    }
  } finally {
    groups.close();
  }
}
