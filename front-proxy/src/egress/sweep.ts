/**
 * Guarantee: what has run out of time is dealt with and what no row names is
 * removed, a bounded piece at a time; nothing that is still wanted is touched.
 *
 *   held past its time ─▶ expired ─▶ failed
 *   permitted past its verdict ─▶ expired ─▶ received (decided anew), a few times ─▶ failed
 */
import { setInterval as every } from "node:timers/promises";
import { asGatewayError } from "@lightferry/proto/errors";
import { formatId } from "@lightferry/proto/ids";
import type pg from "pg";
import type { FrontProxyContext } from "../context.ts";
import { query } from "../database.ts";
import { laneFault } from "../trust/lane-trust.ts";
import type { StoredStores } from "./decide-stored.ts";
import { stoppedEvent } from "./events.ts";
import { IDEMPOTENCY_KEPT_MS } from "./idempotency.ts";
import type { Outbox } from "./outbox.ts";
import { retentionMs } from "./retention.ts";
import type { SendingRoom } from "./room.ts";
import { decideAnew, stopExchange } from "./stop-exchange.ts";
import { staleUploads } from "./upload-rows.ts";
import type { Uploads } from "./uploads.ts";

const PERIOD_MS = 5_000;
/** One round stays short; what is left is next round's. */
const ROUND_MAX = 500;
/** An exchange that expired this often meets a link that is down for good. */
const MAX_DECISIONS = 3;
/** Says an integrator's guide; see upload.not-found. */
const UPLOAD_KEPT_MS = 7 * 24 * 3_600_000;
/** As long as a person may take to retry what failed; then its content goes, its record stays. */
const FAILED_KEPT_MS = 7 * 24 * 3_600_000;
/** Far longer than from renaming a sealed file to its commit, retries included. */
const ORPHAN_AGE_MS = 3_600_000;

interface DueRow extends pg.QueryResultRow {
  readonly id: string;
  readonly state: string;
  readonly decided: number;
}

export interface SweepParts {
  readonly stores: StoredStores;
  readonly uploads: Uploads;
  readonly outbox: Outbox;
  readonly room: SendingRoom;
  /** Called when something is to be decided anew. */
  readonly undecided: () => void;
  /** Closes submissions whose commit met a fault. */
  readonly settle: () => Promise<number>;
}

/** Runs until `signal`; a fault of one round is logged and the next tries again. */
export async function sweepForever(
  context: FrontProxyContext,
  parts: SweepParts,
  signal: AbortSignal,
): Promise<void> {
  const told = (error: unknown) => {
    const { code, detail } = asGatewayError(error);
    context.shell.log.warn({ code, detail }, "a sweep was not finished");
  };
  let orphansAtMs = performance.now() + ORPHAN_AGE_MS;
  try {
    for await (const _ of every(PERIOD_MS, undefined, { signal, ref: false })) {
      await sweepOnce(context, parts).catch(told);
      if (performance.now() < orphansAtMs) continue;
      // Looks at every file of the outbox, a week's bundles: not every round.
      await parts.outbox.removeOrphans(ORPHAN_AGE_MS).catch(told);
      orphansAtMs = performance.now() + ORPHAN_AGE_MS;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** One round. Public so that tests need not wait for the clock. */
export async function sweepOnce(context: FrontProxyContext, parts: SweepParts): Promise<void> {
  const now = Date.now();
  await parts.settle();
  await expireExchanges(context, parts, now);
  for (const upload of await staleUploads(context.pool, now - UPLOAD_KEPT_MS)) {
    // Its completion may stand in the log although its commit never came.
    await context.shell.journal.record([
      stoppedEvent(upload, "exchange.failed", {
        code: "exchange.not-accepted",
        rule: "",
        reason: "",
      }),
    ]);
    await parts.uploads.abandon(formatId(upload.exchangeId));
  }
  await query(
    context.pool,
    "idempotency-prune",
    `DELETE FROM idempotency WHERE ctid IN
       (SELECT ctid FROM idempotency WHERE created_ms < $1 LIMIT $2)`,
    [now - IDEMPOTENCY_KEPT_MS, ROUND_MAX],
  );
  await shredFailed(context, parts.stores, now - FAILED_KEPT_MS);
  await parts.outbox.expire((lane) => now - retentionMs(context.config, context.registry(), lane));
  await parts.room.look();
}

async function expireExchanges(
  context: FrontProxyContext,
  parts: SweepParts,
  now: number,
): Promise<void> {
  const { document } = context.registry();
  const trust = context.trust.current();
  const stopped = document.lanes
    .filter(({ from }) => from === context.config.zone)
    .filter(({ id }) => laneFault(context.registry(), trust, id, now) !== undefined);
  // Nothing can be sealed for those: deciding again and again would only wear the exchange out.
  const due = await query<DueRow>(
    context.pool,
    "exchange-due",
    `SELECT id, state, decided FROM exchange
      WHERE state IN ('received', 'held', 'permitted', 'expired')
        AND (state = 'expired' OR (state IN ('held', 'permitted') AND expires_ms <= $1))
        AND (state = 'held' OR lane <> ALL($3::text[]))
      ORDER BY expires_ms LIMIT $2`,
    [now, ROUND_MAX, stopped.map(({ id }) => id)],
  );
  const refusal = { code: "exchange.expired", rule: "", reason: "" };
  for (const { id, state, decided } of due.rows) {
    if (
      state !== "expired" &&
      !(await stopExchange(context, parts.stores, id, "expired", refusal))
    ) {
      continue;
    }
    if (state === "held" || decided >= MAX_DECISIONS) {
      await stopExchange(context, parts.stores, id, "failed", refusal);
    } else if (await decideAnew(context, id)) parts.undecided();
  }
}

async function shredFailed(
  context: FrontProxyContext,
  stores: StoredStores,
  beforeMs: number,
): Promise<void> {
  const gone = await query<{ id: string; file: string | null }>(
    context.pool,
    "exchange-shred-failed",
    `UPDATE exchange SET wrapped_key = NULL, submission = NULL, material = NULL, batch = NULL,
       content = NULL
      WHERE id IN (SELECT id FROM exchange
        WHERE state = 'failed' AND wrapped_key IS NOT NULL AND updated_ms < $1 LIMIT $2)
      RETURNING id, file`,
    [beforeMs, ROUND_MAX],
  );
  for (const { id, file } of gone.rows) {
    if (file !== null) await stores.spool.remove(file);
    await stores.segments.drop(id);
  }
}

/** Spool names begin with the exchange or upload they belong to. */
const OWNER = /^([0-9a-f-]{36})\./;

/**
 * Removes spool files of a crash: no row names them. Only at start, before anything new is written.
 * @returns how many.
 */
export async function removeOrphanPayloads(
  context: Pick<FrontProxyContext, "pool">,
  stores: StoredStores,
): Promise<number> {
  const names = await stores.spool.names();
  const owned = names.flatMap((name) => {
    const id = OWNER.exec(name)?.[1];
    return id === undefined ? [] : [{ id, name }];
  });
  const known = await query<{ file: string }>(
    context.pool,
    "spool-known",
    `SELECT e.file FROM exchange e WHERE e.id = ANY($1::uuid[]) AND e.file IS NOT NULL
        AND e.wrapped_key IS NOT NULL
     UNION ALL
     SELECT s.file FROM upload_segment s WHERE s.upload_id = ANY($1::uuid[])`,
    [[...new Set(owned.map(({ id }) => id))]],
  );
  const kept = new Set(known.rows.map((row) => row.file));
  const orphans = owned.filter(({ name }) => !kept.has(name));
  for (const { name } of orphans) await stores.spool.remove(name);
  return orphans.length;
}
