/**
 * Guarantee: cuts any byte stream into pieces of exactly `size` bytes with one
 * last piece of 1..size (or 0 when the stream is empty), marked as last. Holds
 * one piece; wipes it when asked, because it may be plaintext.
 */

export interface Piece {
  /** Valid until the next piece is asked for. */
  readonly bytes: Uint8Array;
  readonly last: boolean;
}

/** @param wipe zero the working buffer after each piece and at the end. */
export async function* rechunk(
  source: AsyncIterable<Uint8Array>,
  size: number,
  wipe: boolean,
): AsyncGenerator<Piece> {
  const buffer = new Uint8Array(size);
  let filled = 0;
  try {
    for await (const part of source) {
      for (let at = 0; at < part.length; ) {
        // A full buffer is handed on only when more follows: it may be the last.
        if (filled === size) {
          yield { bytes: buffer, last: false };
          filled = 0;
        }
        const take = Math.min(size - filled, part.length - at);
        buffer.set(part.subarray(at, at + take), filled);
        filled += take;
        at += take;
      }
    }
    yield { bytes: buffer.subarray(0, filled), last: true };
  } finally {
    if (wipe) buffer.fill(0);
  }
}
