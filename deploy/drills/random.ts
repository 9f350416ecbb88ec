/** Guarantee: the same seed gives the same bytes, quickly enough for hundreds of megabytes. */
import { createCipheriv, createHash } from "node:crypto";
import { Readable } from "node:stream";

const BLOCK = 1024 * 1024;

/** `size` bytes of key stream of `seed`; never held whole. */
export function* seededBytes(seed: number, size: number): Generator<Buffer> {
  const key = createHash("sha256").update(`lightferry drill ${seed}`).digest();
  const cipher = createCipheriv("aes-256-ctr", key, Buffer.alloc(16));
  const zeros = Buffer.alloc(BLOCK);
  for (let left = size; left > 0; left -= BLOCK) {
    yield cipher.update(left >= BLOCK ? zeros : zeros.subarray(0, left));
  }
}

/** The same bytes from an offset on, as a stream. */
export function seededFrom(seed: number, size: number, offset: number): Readable {
  return Readable.from(
    (function* () {
      let skip = offset;
      for (const block of seededBytes(seed, size)) {
        if (skip >= block.length) {
          skip -= block.length;
        } else {
          yield block.subarray(skip);
          skip = 0;
        }
      }
    })(),
  );
}

export function seededDigest(seed: number, size: number): string {
  const hash = createHash("sm3");
  for (const block of seededBytes(seed, size)) hash.update(block);
  return hash.digest("hex");
}

/** A small repeatable generator for choices (mulberry32). */
export function seededChoice(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}
