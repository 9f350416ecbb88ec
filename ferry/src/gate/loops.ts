/** Guarantee: the one place that says what an owner and its socket worker share. */
import type { RingMemory } from "./ring.ts";

export interface SendLoopData {
  readonly fd: number;
  readonly address: Uint8Array;
  readonly segments: boolean;
  /** Bytes into which the socket cuts a longer send. */
  readonly frameSize: number;
  readonly rate: number;
  readonly memory: RingMemory;
}

export interface ReceiveLoopData {
  readonly fd: number;
  readonly memory: RingMemory;
}

/** Indices of the ring's counters, each modulo 2^32. */
export const SENT = { frames: 0, bytes: 1, retried: 2, failed: 3 } as const;
export const RECEIVED = { datagrams: 0, bytes: 1, receives: 2, doorbells: 3 } as const;

/** A 32-bit counter in shared memory, seen often enough to know its true total. */
export class Total {
  #last = 0;
  #sum = 0;

  see(counter: number): number {
    this.#sum += (counter - this.#last) >>> 0;
    this.#last = counter;
    return this.#sum;
  }
}
