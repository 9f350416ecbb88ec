/**
 * Guarantee: frames that came together are read by one call into rows that say the same as `decodeFrame`, which
 * is the measure of this code at every start, and what reads them where no WebAssembly runs. The memory of a gate
 * holds its ring, these rows, and places for chunks, to which shards are copied without a view of them.
 */
import { readFileSync } from "node:fs";
import {
  decodeFrame,
  emptyHeader,
  encodeFrame,
  FRAME_FAULTS,
  FRAME_HEADER,
  type FrameFault,
  type FrameHeader,
} from "../frame.ts";
import { MAX_CHUNK_BYTES } from "../object.ts";

/** WebAssembly's page. */
const PAGE = 65_536;
/** As many as the kernel puts together; a loop takes what is beyond. */
const ROWS = 128;
const ROW_BYTES = 64;
/** Whole cache lines, and no power of two, which would share cache sets. */
const PLACE_BYTES = Math.ceil((MAX_CHUNK_BYTES + 1) / 64) * 64;
/** Two blocks of an object (SPEC.md §4) and what a disk is behind with: untouched ones take no memory. */
const PLACES = 192;

type Call = (...numbers: number[]) => number;

interface Calls {
  readonly readFrames: Call;
  readonly copyBytes: Call;
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

export class IncomingMemory {
  readonly buffer: SharedArrayBuffer;
  readonly #calls: Calls;
  readonly #table: number;
  readonly #numbers: Float64Array;
  readonly #words: Int32Array;
  readonly #places: number;
  readonly #free: number[] = [];
  #used = 0;

  /** @param ringBytes whole pages, from address 0 */
  constructor(wasm: WasmApi, module: object, ringBytes: number) {
    this.#table = ringBytes;
    this.#places = ringBytes + PAGE;
    const pages = Math.ceil((this.#places + PLACES * PLACE_BYTES) / PAGE);
    const memory = new wasm.Memory({ initial: pages, maximum: pages, shared: true });
    this.#calls = new wasm.Instance(module, { env: { memory } }).exports as unknown as Calls;
    this.buffer = memory.buffer;
    this.#numbers = new Float64Array(this.buffer, this.#table, (ROWS * ROW_BYTES) / 8);
    this.#words = new Int32Array(this.buffer, this.#table, (ROWS * ROW_BYTES) / 4);
  }

  /**
   * Reads datagrams of `size` bytes each, but the last, into rows.
   * @param at of the first, `length` bytes in all
   * @returns how many: the rest has to be asked for again
   */
  read(at: number, length: number, size: number): number {
    return this.#calls.readFrames(at, length, size, this.#table, ROWS);
  }

  /** What was read of one; `into` is meaningful only when the answer is undefined. */
  row(index: number, into: FrameHeader): FrameFault | undefined {
    const words = this.#words;
    const at = index * (ROW_BYTES / 4);
    const fault = words[at + 8] as number;
    if (fault !== 0) return FRAME_FAULTS[fault - 1];
    const numbers = this.#numbers;
    const from = index * (ROW_BYTES / 8);
    into.epoch = numbers[from] as number;
    into.seq = numbers[from + 1] as number;
    into.objectId = numbers[from + 2] as number;
    into.objectSize = numbers[from + 3] as number;
    into.type = words[at + 9] as number;
    into.group = (words[at + 10] as number) >>> 0;
    into.shard = words[at + 11] as number;
    into.k = words[at + 12] as number;
    into.m = words[at + 13] as number;
    into.channel = words[at + 14] as number;
    const last = words[at + 15] as number;
    into.link = last >>> 12;
    into.lane = (last >>> 8) & 15;
    into.flags = last & 255;
    return undefined;
  }

  /** Copies within this memory, to where nothing of the source lies. */
  copy(to: number, from: number, length: number): void {
    this.#calls.copyBytes(to, from, length);
  }

  /** A place for a chunk, or undefined when it is too long or none is left; what lies there is undefined. */
  take(length: number): Uint8Array | undefined {
    if (length > MAX_CHUNK_BYTES) return undefined;
    const at = this.#free.pop() ?? (this.#used < PLACES ? this.#used++ : -1);
    if (at < 0) return undefined;
    return new Uint8Array(this.buffer, this.#places + at * PLACE_BYTES, length);
  }

  /** Gives back what {@link take} gave. */
  give({ byteOffset }: Uint8Array): void {
    this.#free.push((byteOffset - this.#places) / PLACE_BYTES);
  }
}

const known = new WeakMap<ArrayBufferLike, IncomingMemory>();
let tested: ((ringBytes: number) => IncomingMemory) | null | undefined;

/** Memory that begins with a ring of so many bytes, a power of two of at least a page. @throws RangeError for want of it */
export function incomingMemory(ringBytes: number): SharedArrayBuffer {
  tested ??= testedFrames() ?? null;
  try {
    const memory = ringBytes < PAGE ? undefined : tested?.(ringBytes);
    if (memory !== undefined) {
      known.set(memory.buffer, memory);
      return memory.buffer;
    }
  } catch {
    // WebAssembly reserves much more address space than it uses; without it frames are read one by one.
  }
  return new SharedArrayBuffer(ringBytes);
}

/** The memory made here that this is the buffer of. */
export function incomingMemoryOf(buffer: ArrayBufferLike): IncomingMemory | undefined {
  return known.get(buffer);
}

/** @param wasm what runs the module; tests hand in none. @param read the module; tests hand in another */
export function testedFrames(
  wasm: WasmApi | null = (globalThis as { readonly WebAssembly?: WasmApi }).WebAssembly ?? null,
  read = () => readFileSync(new URL("../../wasm/frames-in.wasm", import.meta.url)),
): ((ringBytes: number) => IncomingMemory) | undefined {
  if (wasm === null) return undefined;
  try {
    const module = new wasm.Module(read());
    const open = (ringBytes: number) => new IncomingMemory(wasm, module, ringBytes);
    return agrees(open(PAGE)) ? open : undefined;
  } catch {
    // Refused by this engine: the definition needs nothing of it.
    return undefined;
  }
}

/** A good frame, and one those in which one byte of its header is another. */
function agrees(memory: IncomingMemory): boolean {
  const size = FRAME_HEADER + 40;
  const ring = new Uint8Array(memory.buffer, 0, PAGE);
  const fields = { type: 1, epoch: 3, seq: 2 ** 40 + 5, objectId: 2 ** 34 + 7, group: 2 ** 31 + 9 };
  const shard = { shard: 4, k: 9, m: 2, channel: 1, objectSize: 2 ** 44 + 3, link: 5, lane: 6 };
  for (let at = 0; at < FRAME_HEADER; at += 1) {
    encodeFrame(ring, at * size, { ...fields, ...shard, flags: 1 }, size - FRAME_HEADER);
    if (at > 0) ring[at * size + at] = (ring[at * size + at] as number) ^ 0xff;
  }
  const count = memory.read(0, FRAME_HEADER * size, size);
  const [found, expected] = [emptyHeader(), emptyHeader()];
  let same = count === FRAME_HEADER;
  for (let index = 0; index < count; index += 1) {
    const fault = decodeFrame(ring.subarray(index * size, (index + 1) * size), expected);
    same &&= memory.row(index, found) === fault;
    if (fault === undefined) same &&= JSON.stringify(found) === JSON.stringify(expected);
  }
  memory.copy(PAGE / 2, 0, size);
  return (
    same && Buffer.compare(ring.subarray(0, size), ring.subarray(PAGE / 2, PAGE / 2 + size)) === 0
  );
}
