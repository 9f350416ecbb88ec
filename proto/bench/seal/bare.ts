/**
 * Guarantee: what the format makes necessary and nothing else: SM4-GCM of each
 * chunk and SM3 of each for the table, four at a time where the machine hashes
 * so; and SM3 of the whole item on the thread that has it. No file, no copy, no
 * message. Run as a worker it does the chunks that it is told.
 */
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import {
  createTableHasher,
  LANE_COUNT,
  loadProvider,
  type SmProvider,
} from "../../src/sm/index.ts";

const CHUNK_BYTES = 256 * 1024;
const TAG_BYTES = 16;

/** Providers that this process can load by name. */
export type BenchProvider = "openssl" | "sm-crypto";
export type BareJob = "seal" | "open";

/** SM4-GCM and table SM3 of so many plaintext bytes. */
function bareChunks(provider: SmProvider, size: number, job: BareJob): void {
  const { lanes } = createTableHasher(provider);
  const [key, nonce, aad] = [new Uint8Array(16), new Uint8Array(12), new Uint8Array(32)];
  const plain = Buffer.alloc(CHUNK_BYTES, 0x5a);
  const digests = new Uint8Array(32 * LANE_COUNT);
  const opened = Buffer.alloc(CHUNK_BYTES);
  const rooms = Array.from({ length: LANE_COUNT }, (_, lane) =>
    lanes.buffer(lane, CHUNK_BYTES + TAG_BYTES),
  );
  for (const room of rooms) provider.sm4GcmEncrypt(key, nonce, plain, aad, room);
  for (let at = 0; at < size; at += LANE_COUNT * CHUNK_BYTES) {
    const left = Math.min(LANE_COUNT, Math.ceil((size - at) / CHUNK_BYTES));
    const used = rooms.slice(0, left);
    if (job === "seal")
      for (const room of used) provider.sm4GcmEncrypt(key, nonce, plain, aad, room);
    lanes.digest(CHUNK_BYTES + TAG_BYTES, left, digests);
    if (job === "open")
      for (const room of used) provider.sm4GcmDecrypt(key, nonce, room, aad, opened);
  }
}

function bareItem(provider: SmProvider, size: number): void {
  const hash = provider.createSm3(size);
  const piece = Buffer.alloc(Math.min(CHUNK_BYTES, size), 0x5a);
  for (let at = 0; at < size; at += piece.length) hash.update(piece);
  hash.digest();
}

/** Threads that wait for their share, so that their start is not counted. */
export interface BareThreads {
  run(size: number, job: BareJob): Promise<void>;
  close(): Promise<void>;
}

export async function bareThreads(name: BenchProvider, count: number): Promise<BareThreads> {
  const workers = Array.from(
    { length: count },
    () => new Worker(new URL("./bare.ts", import.meta.url), { workerData: { bare: name } }),
  );
  const answers = () =>
    Promise.all(
      workers.map(
        (worker) => new Promise<void>((resolve) => worker.once("message", () => resolve())),
      ),
    );
  await answers();
  return {
    async run(size, job) {
      const done = answers();
      for (const worker of workers) worker.postMessage({ size: size / count, job });
      await done;
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

/**
 * @param items bytes of each item; @param plaintext bytes of all chunks.
 * @param threads undefined: all of it on the calling thread.
 */
export async function bareWork(
  provider: SmProvider,
  work: { readonly plaintext: number; readonly items: readonly number[]; readonly job: BareJob },
  threads: BareThreads | undefined,
): Promise<void> {
  const chunks = threads?.run(work.plaintext, work.job);
  for (const size of work.items) bareItem(provider, size);
  if (chunks === undefined) bareChunks(provider, work.plaintext, work.job);
  else await chunks;
}

const own = workerData as { readonly bare?: BenchProvider } | undefined;
if (!isMainThread && own?.bare !== undefined) {
  const provider = loadProvider(own.bare);
  // The first chunks of a thread compile its code.
  bareChunks(provider, LANE_COUNT * CHUNK_BYTES, "open");
  parentPort?.on("message", ({ size, job }: { size: number; job: BareJob }) => {
    bareChunks(provider, size, job);
    parentPort?.postMessage("done");
  });
  parentPort?.postMessage("ready");
}
