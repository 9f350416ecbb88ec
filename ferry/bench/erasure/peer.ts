/**
 * Guarantee: the fastest maintained erasure code on npm that needs no compiler, called as its
 * documentation says, behind what the bench asks of every side.
 */
import { type Bytes, fillWith } from "./input.ts";

export const PEER = "@digitaldefiance/reed-solomon-erasure.wasm";

interface PeerCode {
  encode(shards: Bytes, k: number, m: number): number;
  reconstruct(shards: Bytes, k: number, m: number, present: boolean[]): number;
}
interface PeerModule {
  readonly ReedSolomonErasure: { fromCurrentDirectory(): Promise<PeerCode> };
}
interface PeerGroup {
  encode(): void;
  decode(present: Bytes): void;
  shard(index: number): Bytes;
}

/** @returns what makes a filled group, or undefined when the package is not there */
export async function openPeer(
  specifier: string,
): Promise<((shape: { k: number; m: number }, shardBytes: number) => PeerGroup) | undefined> {
  let module: PeerModule;
  try {
    module = (await import(specifier)) as PeerModule;
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === "ERR_MODULE_NOT_FOUND") return undefined;
    throw error;
  }
  const code = await module.ReedSolomonErasure.fromCurrentDirectory();
  const sound = (result: number): void => {
    if (result !== 0) throw new Error(`${PEER}: result ${result}`);
  };
  return ({ k, m }, shardBytes) => {
    const shards = new Uint8Array((k + m) * shardBytes);
    const shard = (index: number) => shards.subarray(index * shardBytes, (index + 1) * shardBytes);
    fillWith(k, shard);
    return {
      shard,
      encode: () => sound(code.encode(shards, k, m)),
      decode: (present) =>
        sound(
          code.reconstruct(
            shards,
            k,
            m,
            Array.from(present, (p) => p === 1),
          ),
        ),
    };
  };
}
