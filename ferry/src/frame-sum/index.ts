/**
 * Guarantee: the checksum of a frame (SPEC.md §2), the same whichever code computes it: WebAssembly
 * that agreed with the definition here and now, else the definition itself. In memory that
 * {@link summedMemory} made a frame is summed where it lies; one from elsewhere is copied first.
 */
import { readFileSync } from "node:fs";
import { type FrameCopy, frameCopies, type WasmApi, type WasmMemory } from "./copy.ts";
import { slowSum } from "./twin.ts";

export { LEAST_COPIED } from "./copy.ts";
export { slowSum } from "./twin.ts";

/** WebAssembly's page. */
const PAGE = 65_536;
/** One page: longer than any datagram. */
const SCRATCH_BYTES = PAGE;
/** Without and with whole strides, and every kind of rest behind them. */
const TEST_LENGTHS = [8, 9, 15, 23, 39, 40, 47, 71, 72, 103, 1456];

type Sum = (at: number, length: number) => number;

interface Summed extends WasmMemory {
  readonly memory: WasmMemory;
  readonly sum: Sum;
}

export class FrameSums {
  readonly #open: ((bytes: number) => Summed) | undefined;
  /** Of every memory made here. */
  readonly #known = new WeakMap<ArrayBufferLike, Summed>();
  readonly #scratch: Uint8Array | undefined;
  #last: Summed | undefined;
  /** Made when first asked for: a receiver never does. */
  readonly #copies: () => ReturnType<typeof frameCopies>;
  readonly #joined = new WeakMap<Summed, WeakMap<WasmMemory, FrameCopy>>();

  /** @param wasm what runs the module; tests hand in none, or one that is wrong */
  constructor(
    wasm: WasmApi | null = (globalThis as { readonly WebAssembly?: WasmApi }).WebAssembly ?? null,
  ) {
    this.#open = tested(wasm);
    let copies: { readonly join: ReturnType<typeof frameCopies> } | undefined;
    this.#copies = () => {
      copies ??= { join: frameCopies(wasm) };
      return copies.join;
    };
    if (this.#open !== undefined) this.#scratch = new Uint8Array(this.memory(SCRATCH_BYTES));
  }

  /** True where no frame is summed by the slow definition. */
  get fast(): boolean {
    return this.#open !== undefined;
  }

  /** Shared memory of at least `bytes` bytes. @throws RangeError for want of memory */
  memory(bytes: number): SharedArrayBuffer {
    try {
      const made = this.#open?.(bytes);
      if (made !== undefined) {
        this.#known.set(made.buffer, made);
        return made.buffer as SharedArrayBuffer;
      }
    } catch {
      // WebAssembly reserves much more address space than it uses; frames of other memory are copied first.
    }
    return new SharedArrayBuffer(bytes);
  }

  /**
   * What copies payloads from `shards` into frames of `ring` and sums these in one pass.
   * @returns undefined where they have to be copied first
   */
  copier(ring: ArrayBufferLike, shards: WasmMemory): FrameCopy | undefined {
    const summed = this.#known.get(ring);
    const join = summed === undefined ? undefined : this.#copies();
    if (summed === undefined || join === undefined) return undefined;
    const joined = this.#joined.get(summed) ?? new WeakMap<WasmMemory, FrameCopy>();
    this.#joined.set(summed, joined);
    const copy = joined.get(shards) ?? join(summed.memory, shards);
    joined.set(shards, copy);
    return copy;
  }

  /**
   * The sum of the frame of `length` bytes at `at`; 32 bits.
   * @param length 8 … 65,536
   */
  sum(bytes: Uint8Array, at: number, length: number): number {
    const { buffer } = bytes;
    if (this.#last?.buffer !== buffer) this.#last = this.#known.get(buffer);
    if (this.#last !== undefined) return this.#last.sum(bytes.byteOffset + at, length) >>> 0;
    const frame = bytes.subarray(at, at + length);
    if (this.#scratch === undefined) return slowSum(frame);
    this.#scratch.set(frame);
    return this.sum(this.#scratch, 0, length);
  }
}

function tested(wasm: WasmApi | null): ((bytes: number) => Summed) | undefined {
  if (wasm === null) return undefined;
  try {
    const module = new wasm.Module(
      readFileSync(new URL("../../wasm/frame-sum.wasm", import.meta.url)),
    );
    const open = (bytes: number): Summed => {
      const pages = Math.ceil(bytes / PAGE);
      const memory = new wasm.Memory({ initial: pages, maximum: pages, shared: true });
      const { exports } = new wasm.Instance(module, { env: { memory } });
      return { buffer: memory.buffer, memory, sum: exports.frameSum as Sum };
    };
    return agrees(open(PAGE)) ? open : undefined;
  } catch {
    // Refused by this engine: the definition needs nothing of it.
    return undefined;
  }
}

function agrees({ buffer, sum }: Summed): boolean {
  const bytes = new Uint8Array(buffer);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = at * 73 + (at >> 8) * 29 + 5;
  return TEST_LENGTHS.every((length, at) => {
    const frame = Uint8Array.from(bytes.subarray(at, at + length));
    return sum(at, length) >>> 0 === slowSum(frame);
  });
}

const sums = new FrameSums();

/** {@link FrameSums.memory} of this thread. */
export function summedMemory(bytes: number): SharedArrayBuffer {
  return sums.memory(bytes);
}

/** {@link FrameSums.sum} of this thread. */
export function frameSum(bytes: Uint8Array, at: number, length: number): number {
  return sums.sum(bytes, at, length);
}

/** {@link FrameSums.copier} of this thread. */
export function frameCopier(ring: ArrayBufferLike, shards: WasmMemory): FrameCopy | undefined {
  return sums.copier(ring, shards);
}
