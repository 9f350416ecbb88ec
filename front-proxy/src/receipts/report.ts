/** Guarantee: the shape of what an import of receipts answers, for the command line and for tests. */

export interface ImportReport {
  /** False: looked at only. */
  readonly taken: boolean;
  /** Lists that are news. */
  readonly lists: number;
  /** Lists that were taken before. */
  readonly repeated: number;
  /** Exchanges of which something new is known now. */
  readonly exchanges: number;
  /** Of which a later list has said as much. */
  readonly older: number;
  /** How many of `exchanges` by state. */
  readonly states: Readonly<Record<string, number>>;
  /** Ids that this side does not know, at most {@link NAMED_MAX}; passed over by wish. */
  readonly unknown: readonly string[];
  readonly unknownCount: number;
}

/** A person can look at this many ids. */
export const NAMED_MAX = 20;
