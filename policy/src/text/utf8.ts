/**
 * Guarantee: bytes become text only if they are UTF-8 to the last byte; a
 * character cut by a chunk boundary waits for its rest. Encoding the text again
 * gives the same bytes.
 */

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes at the end of `bytes` that begin a character not yet complete: 0 to 3. */
function incompleteTail(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needed > back ? back : 0;
  }
  return 0;
}

export class Utf8Stream {
  #rest: Uint8Array = new Uint8Array();

  /** The text of the whole characters so far; undefined when the bytes are not UTF-8. */
  push(chunk: Uint8Array): string | undefined {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const tail = incompleteTail(bytes);
    this.#rest = bytes.slice(bytes.length - tail);
    try {
      return decoder.decode(bytes.subarray(0, bytes.length - tail));
    } catch {
      return undefined;
    }
  }

  /** Bytes of a character that has not ended. Not empty at the end = not UTF-8. */
  get rest(): Uint8Array {
    return this.#rest;
  }
}

/** Control characters that no text, CSV or JSON file holds (line ends, tab and form feed aside). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]/;

export function hasControls(text: string): boolean {
  return CONTROL.test(text);
}
