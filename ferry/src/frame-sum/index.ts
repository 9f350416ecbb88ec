/**
 * Guarantee: the checksum of a frame (SPEC.md §2), the same whichever code computes it: WebAssembly
 * that agreed with the definition here and now, else the definition itself. In memory that
 * {@link summedMemory} made a frame is summed where it lies; one from elsewhere is copied first.
 */
import { readFileSync } from "node:fs";
import { xxh64 } from "./twin.ts";

/** WebAssembly's page. */
const PAGE = 65_536;
/** Bytes of a frame before those that are summed: the seed, and the place of the sum. */
const BEFORE = 8;
/** One page: longer than any datagram. */
const SCRATCH_BYTES = PAGE;
/** Without and with whole strides, and every kind of rest behind them. */
const TEST_LENGTHS = [8, 9, 15, 23, 39, 40, 47, 71, 72, 103, 1456];

type Sum = (at: number, length: number) => number;

interface Summed {
  readonly buffer: ArrayBufferLike;
  readonly sum: Sum;
}

/** What is used of the global, which Node's type declarations leave out. */
interface WasmApi {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Memory: new (size: {
    initial: number;
    maximum: number;
    shared: true;
  }) => { readonly buffer: SharedArrayBuffer };
  readonly Instance: new (
    module: object,
    imports: object,
  ) => { readonly exports: Readonly<Record<string, unknown>> };
}

export class FrameSums {
  readonly #open: ((bytes: number) => Summed) | undefined;
  /** Of every memory made here. */
  readonly #known = new WeakMap<ArrayBufferLike, Summed>();
  readonly #scratch: Uint8Array | undefined;
  #last: Summed | undefined;

  /** @param wasm what runs the module; tests hand in none, or one that is wrong */
  constructor(
    wasm: WasmApi | null = (globalThis as { readonly WebAssembly?: WasmApi }).WebAssembly ?? null,
  ) {
    this.#open = tested(wasm);
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

/** By the definition. @param frame all of it */
export function slowSum(frame: Uint8Array): number {
  const [a = 0, b = 0, c = 0, d = 0] = frame;
  const seed = BigInt(((a << 24) | (b << 16) | (c << 8) | d) >>> 0);
  return Number(xxh64(frame.subarray(BEFORE), seed) & 0xffff_ffffn);
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
      return { buffer: memory.buffer, sum: exports.frameSum as Sum };
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
