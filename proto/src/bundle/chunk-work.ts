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

/** A worker loads its provider by name: one that is not that very object stays here. */
function workersFor(provider: SmProvider, layout: Layout): BundleWorkers | undefined {
  const workers = bundleWorkers();
  if (workers === undefined || layout.chunkCount < workers.chunksMin) return undefined;
  return provider === loadProvider(provider.name) ? workers : undefined;
}

/** Where a sealer writes the plaintext of a bundle of this layout. */
export function chunkSink(cipher: ChunkCipher, file: FileHandle, layout: Layout): ChunkSink {
  const workers = workersFor(cipher.provider, layout);
  return workers === undefined
    ? new ChunkWriter(cipher, file, layout)
    : new PooledWriter(workers, cipher, file, layout);
}

/** @param hashed every chunk was checked against the table before. */
export function chunkSource(
  cipher: ChunkCipher,
  reader: ByteReader,
  layout: Layout,
  table: Uint8Array,
  hashed: boolean,
): ChunkSource {
  const { provider } = cipher;
  const workers = workersFor(provider, layout);
  if (workers === undefined) return new ChunkReader(cipher, reader, layout, table, hashed);
  return new PooledReader({ workers, reader, layout, table, check: !hashed, provider, cipher });
}

/** SPEC §8.3. @throws GatewayError `bundle.chunk-digest`, `bundle.truncated`. */
export async function checkChunks(
  provider: SmProvider,
  reader: ByteReader,
  layout: Layout,
  table: Uint8Array,
): Promise<void> {
  const workers = workersFor(provider, layout);
  if (workers !== undefined) {
    return verifyByWorkers({ workers, reader, layout, table, check: true, provider });
  }
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
