/** Guarantee: one case = one thing changed and the one failure class it must meet. */
import type { ForgedItem, Forgery } from "../forge.ts";
import type { VectorContext } from "../vector.ts";

export interface Case {
  readonly name: string;
  readonly changed: string;
  readonly forgery: Forgery;
  readonly context?: Partial<VectorContext>;
  /** Code of the refusal of the whole bundle. */
  readonly code?: string;
  /** Codes of single items; undefined = the item comes out whole. */
  readonly itemCodes?: readonly (string | undefined)[];
}

export const record: ForgedItem = { content: Buffer.from('{"parcel":"430100-0001","area":12.5}') };
export const second: ForgedItem = { content: Buffer.from('{"parcel":"430100-0002","area":3}') };
export const empty: ForgedItem = { content: Buffer.alloc(0) };
export const file: ForgedItem = {
  content: Buffer.from("编号,名称\n1,长沙\n"),
  entry: { kind: "file", http: null, file: { name: "村级名录.csv", contentType: "text/csv" } },
};

/** Deterministic content of a given size. */
export function filler(size: number, seed: number): ForgedItem {
  const content = Buffer.alloc(size);
  for (let at = 0; at < size; at += 1) content[at] = (at * 31 + seed * 17 + (at >> 8)) % 256;
  return { content };
}

/** Three chunks of 4 KiB and a bit. */
export const chunked: readonly ForgedItem[] = [record, filler(10_000, 1), second];

/** One bit of the byte at `at` turned over. */
export function flip(bytes: Buffer, at: number): Buffer {
  const out = Buffer.from(bytes);
  out[at] = (out[at] ?? 0) ^ 1;
  return out;
}
