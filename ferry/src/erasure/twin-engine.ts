/** Guarantee: the code by its definition (twin.ts) in a memory like that of the vector code. */
import type { Engine } from "./engine.ts";
import { decodeByTwin, encodeByTwin } from "./twin.ts";

/** @param bytes size of the memory */
export function twinEngine(bytes: number): Engine {
  const buffer = new ArrayBuffer(bytes);
  const viewsOf = (cells: Uint32Array, length: number): Uint8Array[] =>
    Array.from(cells, (at) => new Uint8Array(buffer, at, length));
  return {
    variant: "twin",
    buffer,
    encode(cells, k, length) {
      const shards = viewsOf(cells, length);
      encodeByTwin(shards.slice(0, k), shards.slice(k));
    },
    repair(cells, k, length, missing, rows) {
      const shards = viewsOf(cells, length);
      decodeByTwin(shards.slice(0, k), shards.slice(k), missing, rows);
    },
  };
}
