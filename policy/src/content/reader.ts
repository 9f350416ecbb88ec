/** Guarantee: one way to read content of any format: text in, text as it may leave out. */
import { CsvPlace } from "./place.ts";
import type { Tally } from "./tally.ts";
import { TextChain } from "./text-chain.ts";

/** Reads one content of one format. */
export interface ContentReader {
  /** Pieces hold no half characters. */
  push(piece: string): string;
  end(): string;
}

export function textReader(tally: Tally, ordinary: readonly string[]): ContentReader {
  return new TextChain(tally, () => "", ordinary);
}

/** Quotes, separators and line ends are no digits, so cells are masked in place and the table stays whole. */
export function csvReader(tally: Tally, ordinary: readonly string[]): ContentReader {
  const place = new CsvPlace();
  const chain = new TextChain(tally, (offset) => place.at(offset), ordinary);
  return {
    push(piece) {
      place.feed(piece);
      return chain.push(piece);
    },
    end: () => chain.end(),
  };
}
