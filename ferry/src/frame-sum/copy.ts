/**
 * Guarantee: a shard is copied behind its header and the frame summed in one pass, from one memory of
 * WebAssembly into another: the same bytes and the same sum as one after the other. Nobody is given
 * such a copy where this engine cannot (two memories in one module), or gave another result here and now.
 */
import { readFileSync } from "node:fs";
import { slowSum } from "./twin.ts";

/** Of a frame: the first two strides are summed before the payload is gone through. */
const HEADER = 48;
/** The shortest payload that can be copied so. */
export const LEAST_COPIED = 56;
/** Every kind of rest behind whole strides, and a payload without any more of them. */
const TEST_LENGTHS = [LEAST_COPIED, 57, 63, 64, 71, 87, 88, 95, 96, 100, 1408];
/** Where the test puts its frames. */
const TEST_PLACES = { frame: 1000, from: 4096 };

/**
 * Copies `length` bytes from the address `from` of one memory behind the header at `frame` of the other.
 * @param length at least {@link LEAST_COPIED}
 * @returns the sum of the frame, 32 bits
 */
export type FrameCopy = (frame: number, from: number, length: number) => number;

/** A memory of WebAssembly. */
export interface WasmMemory {
  readonly buffer: ArrayBufferLike;
}

/** What is used of the global, which Node's type declarations leave out. */
export interface WasmApi {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Memory: new (size: { initial: number; maximum: number; shared?: boolean }) => WasmMemory;
  readonly Instance: new (
    module: object,
    imports: object,
  ) => { readonly exports: Readonly<Record<string, unknown>> };
}

type JoinMemories = (ring: WasmMemory, shards: WasmMemory) => FrameCopy;

/** What makes copies between two memories, the first of which is shared; undefined where there is none. */
export function frameCopies(wasm: WasmApi | null): JoinMemories | undefined {
  if (wasm === null) return undefined;
  try {
    const module = new wasm.Module(
      readFileSync(new URL("../../wasm/frame-copy.wasm", import.meta.url)),
    );
    const join = (ring: WasmMemory, shards: WasmMemory): FrameCopy => {
      const { exports } = new wasm.Instance(module, { env: { ring, shards } });
      return exports.frameCopy as FrameCopy;
    };
    const ring = new wasm.Memory({ initial: 1, maximum: 1, shared: true });
    const shards = new wasm.Memory({ initial: 1, maximum: 1 });
    return agrees(ring, shards, join(ring, shards)) ? join : undefined;
  } catch {
    // Refused by this engine: a copy and a sum need nothing of it.
    return undefined;
  }
}

function agrees(ring: WasmMemory, shards: WasmMemory, copy: FrameCopy): boolean {
  const bytes = new Uint8Array(shards.buffer);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = at * 73 + (at >> 8) * 29 + 5;
  const { frame, from } = TEST_PLACES;
  return TEST_LENGTHS.every((length) => {
    const made = new Uint8Array(ring.buffer, frame, HEADER + length);
    made.set(bytes.subarray(length, length + HEADER));
    const sum = copy(frame, from, length) >>> 0;
    const same = made.subarray(HEADER).every((byte, at) => byte === (bytes[from + at] as number));
    return same && sum === slowSum(Uint8Array.from(made));
  });
}
