/**
 * Guarantee: the memory in which a thread and a worker meet: four chunks, what
 * is said about them, and the key to them. Who writes to a place of it is alone
 * with it: two workers at a time only read the plaintext, to seal it and to hash
 * it. What lay in it is wiped before it serves another bundle.
 */

import { SM4_KEY_BYTES } from "../../sm/index.ts";
import { GROUP_CHUNKS } from "../chunk-rooms.ts";
import { CHUNK_SIZE, DIGEST_BYTES, TAG_BYTES } from "../limits.ts";

const DATA_BYTES = GROUP_CHUNKS * (CHUNK_SIZE + TAG_BYTES);
const DIGESTS_AT = DATA_BYTES;
const STATES_AT = DIGESTS_AT + GROUP_CHUNKS * DIGEST_BYTES;
const KEY_AT = STATES_AT + GROUP_CHUNKS;
const AAD_AT = KEY_AT + SM4_KEY_BYTES;
const SLOT_BYTES = AAD_AT + DIGEST_BYTES;

/** Views of one slot, made on either side of its memory. */
export class Slot {
  readonly memory: SharedArrayBuffer;
  /** Plaintext chunks end to end; or sealed ones, where the source is no file. */
  readonly data: Buffer;
  /** Table entries: made by the worker when it seals, expected by it when it opens. */
  readonly digests: Uint8Array;
  /** What became of each chunk that was opened (`ChunkState`). */
  readonly states: Uint8Array;
  readonly key: Uint8Array;
  readonly aad: Uint8Array;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(SLOT_BYTES)) {
    this.memory = memory;
    const view = (at: number, length: number) => new Uint8Array(memory, at, length);
    this.data = Buffer.from(memory, 0, DATA_BYTES);
    this.digests = view(DIGESTS_AT, GROUP_CHUNKS * DIGEST_BYTES);
    this.states = view(STATES_AT, GROUP_CHUNKS);
    this.key = view(KEY_AT, SM4_KEY_BYTES);
    this.aad = view(AAD_AT, DIGEST_BYTES);
  }

  wipe(): void {
    new Uint8Array(this.memory).fill(0);
  }
}

/** 8 MiB at rest: what one large bundle takes with two workers, and a second beside it. */
const IDLE_MAX = 8;
const idle: Slot[] = [];

let used = 0;

/** A slot of the process, wiped. How many one bundle holds at a time is for its writer or reader to limit. */
export function takeSlot(): Slot {
  used += 1;
  return idle.pop() ?? new Slot();
}

export function giveBackSlot(slot: Slot): void {
  used -= 1;
  slot.wipe();
  if (idle.length < IDLE_MAX) idle.push(slot);
}

/** Slots that bundles hold now: 0 when none is in work. */
export function slotsInUse(): number {
  return used;
}
