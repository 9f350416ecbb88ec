/**
 * Guarantee: the code by vectors (ferry/wasm/erasure.as). Many parity rows are made by transforms
 * over blocks of 16 or 4 shards, few by plain products; which way is a matter of speed alone.
 * Repair computes what the present data shards contribute to as many parity rows as data shards
 * are missing, and solves for these alone. It allocates nothing that grows with a shard.
 */
import type { Engine } from "./engine.ts";
import { coefficient, inverseOf } from "./field.ts";
import type { VectorModule } from "./kernel.ts";
import {
  ACC,
  DATA_LIST,
  fillFixed,
  MATRIX,
  MISSING_LIST,
  PARITY_LIST,
  QUAD_ROWS,
  QUAD_SHARDS,
  ROW_LIST,
  rowPlace,
  SOLUTION,
  STRIP,
  TABLE_BYTES,
  WIDE_SHARDS,
  ZERO,
} from "./layout.ts";

/** Up to here a product for each row costs less than a transform for all: two rows cost the same either way. */
const FEW_ROWS = 1;
/** Places of x and y in the field; blocks of a transform must not overlap. */
const FIELD = 256;

interface Way {
  readonly run: "wide" | "quad";
  readonly size: number;
}
const WIDE: Way = { run: "wide", size: WIDE_SHARDS };
const QUAD: Way = { run: "quad", size: QUAD_SHARDS };

const blocksOf = (count: number, size: number): number => Math.ceil(count / size);

/** The transform that makes `rows` parity rows of `k` shards; undefined: by products. */
function wayFor(k: number, rows: number): Way | undefined {
  const way = rows <= QUAD_ROWS * QUAD_SHARDS ? QUAD : WIDE;
  const places = (blocksOf(k, way.size) + blocksOf(rows, way.size)) * way.size;
  return places <= FIELD ? way : undefined;
}

/** @param module of either variant; @param bytes size of the memory */
export function vectorEngine(module: VectorModule, bytes: number): Engine {
  const { buffer, memory, wide, quad, product, put, add } = module.open(bytes);
  fillFixed(buffer);
  const words = new Uint32Array(buffer);
  const halves = new Uint16Array(buffer);
  /** Geometry whose matrix lies at MATRIX. */
  let prepared = "";

  /** Four rows at a time by column, then the rest row by row: the order in which `product` reads. */
  const writeMatrix = (
    at: number,
    rows: number,
    columns: number,
    factor: (row: number, column: number) => number,
  ): void => {
    let to = at / 2;
    for (let row = 0; row < rows; ) {
      const together = row + 4 <= rows ? 4 : 1;
      for (let column = 0; column < columns; column += 1) {
        for (let n = 0; n < together; n += 1) {
          halves[to] = factor(row + n, column) * TABLE_BYTES;
          to += 1;
        }
      }
      row += together;
    }
  };

  /** A list of addresses: of the cells that `which` numbers, `first` being its 0. */
  const writeCells = (at: number, cells: Uint32Array, first: number, which: readonly number[]) => {
    for (let i = 0; i < which.length; i += 1) {
      words[at / 4 + i] = cells[first + (which[i] as number)] as number;
    }
  };

  /** Data pointers in whole blocks, zeros where nothing is. */
  const writeBlocks = (cells: Uint32Array, k: number, size: number): void => {
    words.set(cells.subarray(0, k), DATA_LIST / 4);
    words.fill(ZERO, DATA_LIST / 4 + k, DATA_LIST / 4 + blocksOf(k, size) * size);
  };

  const inStrips = (length: number, body: (from: number, n: number) => void): void => {
    for (let from = 0; from < length; from += STRIP) body(from, Math.min(STRIP, length - from));
  };

  return {
    variant: module.variant,
    buffer,
    memory,

    encode(cells, k, length) {
      const m = cells.length - k;
      words.set(cells.subarray(k), PARITY_LIST / 4);
      const way = m <= FEW_ROWS ? undefined : wayFor(k, m);
      if (way === undefined) {
        words.set(cells.subarray(0, k), DATA_LIST / 4);
        if (prepared !== `${k}+${m}`) writeMatrix(MATRIX, m, k, coefficient);
        prepared = `${k}+${m}`;
        inStrips(length, (from, n) => product(PARITY_LIST, m, DATA_LIST, k, MATRIX, from, from, n));
        return;
      }
      const { run, size } = way;
      writeBlocks(cells, k, size);
      for (let row = 0; row < m; row += 1) words[ROW_LIST / 4 + row] = rowPlace(size, row);
      const transform = run === "wide" ? wide : quad;
      inStrips(length, (from, n) => {
        transform(DATA_LIST, blocksOf(k, size), blocksOf(m, size), from, n);
        put(PARITY_LIST, ROW_LIST, m, from, n);
      });
    },

    repair(cells, k, length, missing, rows) {
      const e = missing.length;
      const last = (rows.at(-1) ?? 0) + 1;
      const way = e <= FEW_ROWS ? undefined : wayFor(k, last);
      writeCells(PARITY_LIST, cells, k, rows);
      writeCells(MISSING_LIST, cells, 0, missing);
      writeMatrix(SOLUTION, e, e, inverseOf(rows, missing));
      const solve = (from: number, n: number): void => {
        add(PARITY_LIST, ROW_LIST, e, from, n);
        product(MISSING_LIST, e, ROW_LIST, e, SOLUTION, 0, from, n);
      };
      if (way === undefined) {
        const absent = new Set(missing);
        const columns = Array.from({ length: k }, (_, i) => i).filter((i) => !absent.has(i));
        writeCells(DATA_LIST, cells, 0, columns);
        writeMatrix(MATRIX, e, columns.length, (row, at) =>
          coefficient(rows[row] as number, columns[at] as number),
        );
        prepared = "";
        for (let row = 0; row < e; row += 1) words[ROW_LIST / 4 + row] = ACC + row * STRIP;
        inStrips(length, (from, n) => {
          product(ROW_LIST, e, DATA_LIST, columns.length, MATRIX, from, 0, n);
          solve(from, n);
        });
        return;
      }
      const { run, size } = way;
      writeBlocks(cells, k, size);
      for (const column of missing) words[DATA_LIST / 4 + column] = ZERO;
      for (let i = 0; i < e; i += 1) words[ROW_LIST / 4 + i] = rowPlace(size, rows[i] as number);
      const transform = run === "wide" ? wide : quad;
      inStrips(length, (from, n) => {
        transform(DATA_LIST, blocksOf(k, size), blocksOf(last, size), from, n);
        solve(from, n);
      });
    },
  };
}
