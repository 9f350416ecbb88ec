/**
 * Guarantee: a bundle that lies here because a key of it was withdrawn is
 * destroyed only by its exact header digest, with a reason, and its end stands
 * in the log before its file goes. Never while it is being judged anew.
 *
 *   journal bundle.discarded ─▶ file removed, folder synced ─▶ row
 */
import { dirname, join } from "node:path";
import { GatewayError } from "@lightferry/proto/errors";
import type { FrontProxyContext } from "../../context.ts";
import { query } from "../../database.ts";
import { exists, type InboxDirs, removeFile, syncDir } from "./files.ts";
import type { Readmission } from "./readmit.ts";
import {
  PLACED_COLUMNS,
  type PlacedRow,
  REFUSED_ON_ARRIVAL,
  STOPPED_AT_OPENING,
  WITHDRAWN,
} from "./withdrawn.ts";

/** What a terminal shows, and what one answer holds. */
const QUARANTINE_PAGE = 500;

export interface QuarantinedBundle {
  readonly bundleId: Uint8Array;
  readonly headerDigest: Uint8Array;
  readonly lane: string;
  readonly stream: string;
  readonly sequence: number;
  readonly code: string;
  /** When it was refused, or accepted if its key was withdrawn before it was opened; Unix milliseconds. */
  readonly sinceMs: number;
}

interface Row extends PlacedRow {
  readonly since_ms: number;
  readonly opened: boolean;
}

/** Refused on arrival, and stopped at opening. */
const BOTH = `
  SELECT ${PLACED_COLUMNS}, refused_ms AS since_ms, false AS opened ${REFUSED_ON_ARRIVAL}
  UNION ALL
  SELECT ${PLACED_COLUMNS}, accepted_ms, true ${STOPPED_AT_OPENING}`;

export interface QuarantineDesk {
  readonly context: Pick<FrontProxyContext, "pool" | "shell">;
  readonly dirs: InboxDirs;
  readonly readmission: Pick<Readmission, "alone">;
}

/** Oldest first, at most 500. */
export async function listQuarantine(
  { context }: Pick<QuarantineDesk, "context">,
  bundleId: Uint8Array | undefined,
): Promise<QuarantinedBundle[]> {
  const { rows } = await query<Row>(
    context.pool,
    "ingress.quarantine-list",
    `SELECT * FROM (${BOTH}) AS kept WHERE $2::bytea IS NULL OR bundle_id = $2
      ORDER BY since_ms, bundle_id, header_digest LIMIT $3`,
    [WITHDRAWN, bundleId ?? null, QUARANTINE_PAGE],
  );
  return rows.map((row) => ({
    bundleId: row.bundle_id,
    headerDigest: row.header_digest,
    ...{ lane: row.lane, stream: row.stream, sequence: row.sequence },
    ...{ code: row.code, sinceMs: row.since_ms },
  }));
}

/**
 * Destroys every file of this very bundle that lies in quarantine.
 * @throws GatewayError `inbox.not-quarantined`, `journal.full`, `database.unavailable`: doing it again
 * does no harm.
 */
export async function discardBundle(
  { context, dirs, readmission }: QuarantineDesk,
  which: { readonly bundleId: Uint8Array; readonly headerDigest: Uint8Array },
  reason: string,
  actor: string,
): Promise<void> {
  await readmission.alone(async () => {
    const { pool, shell } = context;
    const { rows } = await query<Row>(
      pool,
      "ingress.quarantine-find",
      `SELECT * FROM (${BOTH}) AS kept WHERE bundle_id = $2 AND header_digest = $3`,
      [WITHDRAWN, which.bundleId, which.headerDigest],
    );
    if (rows.length === 0) throw new GatewayError("inbox.not-quarantined");
    for (const row of rows) {
      await shell.journal.record([
        {
          ...{ type: "bundle.discarded", outcome: "ok", actor, code: row.code },
          ...{ bundleId: row.bundle_id, lane: row.lane, digest: row.header_digest },
          attributes: { file: row.file, reason },
        },
      ]);
      const path = join(row.opened ? dirs.inbox : dirs.quarantine, row.file);
      if (await exists(path)) {
        await removeFile(path);
        await syncDir(dirname(path));
      }
      const table = row.opened ? "inbox_bundle" : "quarantined_bundle";
      await query(
        pool,
        `ingress.quarantine-discard-${table}`,
        `UPDATE ${table} SET file_gone = true WHERE file = $1`,
        [row.file],
      );
    }
  });
}
