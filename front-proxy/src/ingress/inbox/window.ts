/**
 * Guarantee: a number of a stream is taken at most once, whatever the order of
 * arrival, and what is remembered for it stays below {@link WINDOW_NUMBERS} bits.
 *
 * The window is a low-water mark (every number up to it is settled) and a bitmap
 * of the numbers taken above it. It moves up when the number right above the mark
 * is taken, and is pushed up by a number too far ahead: what falls out at the
 * bottom without having come is given up, and reported so. Same idea as the
 * anti-replay window of RFC 4303 §3.4.3, made persistent.
 */

/**
 * Numbers above the low-water mark that are told apart: at 100 bundles a second
 * a stream may run eleven minutes ahead of a missing number, twenty times the
 * pause before a second pass; the bitmap costs at most 8 KiB a stream.
 */
export const WINDOW_NUMBERS = 65_536;

export interface Window {
  /** Every number up to here is settled. */
  readonly lowWater: number;
  /** Highest number ever taken. */
  readonly highest: number;
  /** Bit i (least significant first) = number lowWater + 1 + i is taken. No trailing zero bytes. */
  readonly taken: Uint8Array;
}

export const EMPTY_WINDOW: Window = { lowWater: 0, highest: 0, taken: new Uint8Array() };

export type Position = "free" | "taken" | "below";

/** Where `sequence` stands: still free, taken inside the window, or at or below the low-water mark. */
export function positionOf(window: Window, sequence: number): Position {
  if (sequence <= window.lowWater) return "below";
  const bit = sequence - window.lowWater - 1;
  const byte = window.taken[Math.floor(bit / 8)] ?? 0;
  return (byte & (1 << (bit % 8))) === 0 ? "free" : "taken";
}

export interface Taken {
  readonly window: Window;
  /** Numbers that had not come when the window moved past them. */
  readonly givenUp: number;
}

/** Takes a free number. The caller has checked {@link positionOf}. */
export function take(window: Window, sequence: number): Taken {
  const floor = Math.max(window.lowWater, sequence - WINDOW_NUMBERS);
  const pushed = pushUp(window, floor);
  const bit = sequence - floor - 1;
  const size = Math.max(pushed.taken.length, Math.floor(bit / 8) + 1);
  const taken = new Uint8Array(size);
  taken.set(pushed.taken);
  const at = Math.floor(bit / 8);
  taken[at] = (taken[at] ?? 0) | (1 << (bit % 8));
  const run = leadingRun(taken);
  return {
    window: {
      lowWater: floor + run,
      highest: Math.max(window.highest, sequence),
      taken: dropBits(taken, run),
    },
    givenUp: pushed.givenUp,
  };
}

/** Numbers between the low-water mark and the highest taken that have not come. */
export function gapCount(window: Window): number {
  let present = 0;
  for (const byte of window.taken) present += bitCount(byte);
  return window.highest - window.lowWater - present;
}

function pushUp(window: Window, floor: number): { taken: Uint8Array; givenUp: number } {
  const shift = floor - window.lowWater;
  if (shift === 0) return { taken: window.taken, givenUp: 0 };
  let present = 0;
  for (let bit = 0; bit < Math.min(shift, window.taken.length * 8); bit += 1) {
    if (((window.taken[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0) present += 1;
  }
  return { taken: dropBits(window.taken, shift), givenUp: shift - present };
}

function leadingRun(taken: Uint8Array): number {
  let run = 0;
  for (const byte of taken) {
    if (byte === 0xff) {
      run += 8;
      continue;
    }
    for (let bit = 0; (byte & (1 << bit)) !== 0; bit += 1) run += 1;
    break;
  }
  return run;
}

function dropBits(taken: Uint8Array, count: number): Uint8Array {
  const bytes = Math.floor(count / 8);
  const bits = count % 8;
  const length = Math.max(0, taken.length - bytes);
  const out = new Uint8Array(length);
  for (let index = 0; index < length; index += 1) {
    const low = taken[index + bytes] ?? 0;
    const high = taken[index + bytes + 1] ?? 0;
    out[index] = ((low >> bits) | (high << (8 - bits))) & 0xff;
  }
  let end = length;
  while (end > 0 && out[end - 1] === 0) end -= 1;
  return out.subarray(0, end);
}

function bitCount(byte: number): number {
  let count = 0;
  for (let rest = byte; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}
