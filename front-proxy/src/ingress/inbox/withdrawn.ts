/** Guarantee: one place says which bundles lie here because a key of theirs was withdrawn: refused on arrival, or stopped at opening. */
import { WITHDRAWN_KEY_CODES } from "../failures.ts";

/** What every such row has. */
export interface WithdrawnRow {
  readonly bundle_id: Buffer;
  readonly header_digest: Buffer;
  readonly file: string;
  readonly lane: string;
}

/** Also what its header said of its place in the stream, and why it lies here. */
export interface PlacedRow extends WithdrawnRow {
  readonly stream: string;
  readonly sequence: number;
  readonly code: string;
}

/** Codes that mean it: the first parameter of both clauses. */
export const WITHDRAWN: readonly string[] = WITHDRAWN_KEY_CODES;

export const WITHDRAWN_COLUMNS = "bundle_id, header_digest, file, lane";
export const PLACED_COLUMNS = `${WITHDRAWN_COLUMNS}, stream, sequence, code`;

/** Its file is in the quarantine folder. */
export const REFUSED_ON_ARRIVAL =
  "FROM quarantined_bundle WHERE NOT file_gone AND code = ANY($1::text[])";
/** Its file is in the inbox still. */
export const STOPPED_AT_OPENING =
  "FROM inbox_bundle WHERE state = 'quarantined' AND NOT file_gone AND code = ANY($1::text[])";
