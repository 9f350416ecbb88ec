/**
 * Guarantee: what an exporter signs embeds the sender's header and signature as
 * they were, so that its reader can check the original for himself and need not
 * believe the exporter (README.md, "Statement").
 */
import type { VerifiedHeader } from "../bundle/index.ts";
import { integer, octetString, sequence, utf8String } from "./der.ts";

const FORMAT = "lightferry-export/1";

/** One item whose commitment and digest hold. */
export interface ExportItem {
  /** Position in the bundle, from 0. */
  readonly index: number;
  readonly salt: Uint8Array;
  /** Canonical `lightferry.bundle.v1.ManifestEntry`. */
  readonly entryBytes: Uint8Array;
  /** In pieces. */
  readonly content: readonly Uint8Array[];
}

/**
 * DER of the statement, in pieces; contents are not copied.
 * @param atMs Unix milliseconds of the export, by the exporter's clock.
 */
export function exportStatement(
  verified: VerifiedHeader,
  items: readonly ExportItem[],
  atMs: number,
): readonly Uint8Array[] {
  return sequence(
    utf8String(FORMAT),
    integer(atMs),
    octetString(verified.headerBytes),
    octetString(verified.received.signature),
    sequence(
      ...items.map(({ index, salt, entryBytes, content }) =>
        sequence(
          integer(index),
          octetString(salt),
          octetString(entryBytes),
          octetString(...content),
        ),
      ),
    ),
  ).pieces;
}
