/**
 * Guarantee: an exchange is `emitted` only after ferry tx says that its bundle
 * has passed the gate once; a bundle that the ferry refuses stops its exchanges
 * with the ferry's code; what a repair ticket brings back is said with what it
 * cannot. All are journalled before they are answered.
 */
import { GatewayError, isErrorCode } from "@lightferry/proto/errors";
import type { EventInput } from "@lightferry/proto/event";
import type { lightferry } from "@lightferry/proto/gen";
import { formatId, parseId } from "@lightferry/proto/ids";
import type { CallContext } from "@lightferry/proto/rpc";
import type pg from "pg";
import type { FrontProxyContext } from "../context.ts";
import { inTransaction, query } from "../database.ts";
import type { Spool } from "../payload/spool.ts";
import { carriedEvent, stoppedEvent, subjectOf } from "./events.ts";
import { type Moved, moveExchanges } from "./exchange-rows.ts";
import type { Outbox, OutboxRow } from "./outbox.ts";
import { readLease } from "./outbox-lease.ts";
import { type Range, type Recalled, readRecall, type Wanted } from "./outbox-recall.ts";
import { forgetSegments } from "./segments.ts";

type Ferry = typeof lightferry.ferry.v1;
type LeaseRequest = InstanceType<Ferry["LeaseRequest"]>;
type AckRequest = InstanceType<Ferry["AckRequest"]>;
type RenewRequest = InstanceType<Ferry["RenewRequest"]>;
type ListEmittedRequest = InstanceType<Ferry["ListEmittedRequest"]>;
type RecallRequest = InstanceType<Ferry["RecallRequest"]>;

/** Of one call, and a ferry that holds more calls again; what goes beyond is not renewed, and no loss is said of it. */
const MAX_RENEWED = 5_000;
/** A long poll never outlives the deadline its caller sets. */
const MAX_WAIT_MS = 30_000;
/** How often a waiting poll looks by itself, for leases that ran out. */
const LOOK_AGAIN_MS = 1_000;
/** What expired on its way is not broken: it is decided and sealed anew. */
const EXPIRED_CODES: ReadonlySet<string> = new Set(["bundle.expired", "verdict.expired"]);

export class OutboxDesk {
  readonly #context: FrontProxyContext;
  readonly #outbox: Outbox;
  readonly #spool: Spool;

  constructor(context: FrontProxyContext, outbox: Outbox, spool: Spool) {
    this.#context = context;
    this.#outbox = outbox;
    this.#spool = spool;
  }

  /**
   * Answers as soon as something is there that the caller has room for.
   * @throws GatewayError `rpc.bad-message` without room for anything; `outbox.lane-offline` when the lane's
   *   state does not let this form carry it.
   */
  async lease(
    request: LeaseRequest,
    call: CallContext,
  ): Promise<lightferry.ferry.v1.LeaseResponse.$Properties> {
    this.#assertCarried(request);
    const ask = readLease(request);
    const calledOff = AbortSignal.any([call.signal, call.closing]);
    const until = performance.now() + Math.min(request.waitMs, MAX_WAIT_MS);
    for (;;) {
      const since = this.#outbox.rings;
      const rows = await this.#outbox.lease(ask);
      const left = until - performance.now();
      if (rows.length > 0 || left <= 0 || calledOff.aborted) return { bundles: rows.map(leased) };
      await this.#outbox.wait(since, Math.min(left, LOOK_AGAIN_MS), calledOff);
    }
  }

  /** `open` by any form, `media` by medium alone, `closed` by none: also what was sealed before. */
  #assertCarried({ lane: id, medium }: LeaseRequest): void {
    const state = this.#context.registry().lane(id)?.state;
    if (state === "closed" || (state === "media" && !medium)) {
      throw new GatewayError("outbox.lane-offline", { detail: `${id}: ${state}` });
    }
  }

  /** @throws GatewayError `outbox.lease-lost`. */
  async ack(request: AckRequest): Promise<object> {
    const bundleId = formatId(request.bundleId);
    const files: string[] = [];
    await inTransaction(this.#context.pool, async (client) => {
      const row = await this.#outbox.hold(client, bundleId, request.leaseId);
      if (row.state !== "leased" && row.state !== "waiting") return;
      if (request.refuseCode !== "") await this.#refuse(client, row, request.refuseCode);
      const emits = request.refuseCode === "" && request.passesDone > 0 && row.emitted_ms === null;
      if (emits) files.push(...(await this.#emit(client, row)));
      await this.#outbox.progress(client, row, {
        passesDone: request.passesDone,
        emitted: emits,
        finished: request.finished,
        refuseCode: request.refuseCode,
      });
    });
    // After the commit: the content has left, its copy here is no longer anybody's.
    for (const file of files) await this.#spool.remove(file);
    return {};
  }

  async renew({
    lane,
    leaseIds,
  }: RenewRequest): Promise<lightferry.ferry.v1.RenewResponse.$Properties> {
    const asked = leaseIds.slice(0, MAX_RENEWED);
    const renewed = await this.#outbox.renew(lane, asked);
    return { lost: asked.filter((leaseId) => !renewed.has(leaseId)) };
  }

  listEmitted({
    lane,
    sinceMs,
    afterStream: after,
  }: ListEmittedRequest): Promise<lightferry.ferry.v1.ListEmittedResponse.$Properties> {
    return this.#outbox.listEmitted({ lane, sinceMs, after });
  }

  /** @throws GatewayError `outbox.recall-invalid`, `outbox.recall-too-large`. */
  async recall(request: RecallRequest): Promise<lightferry.ferry.v1.RecallResponse.$Properties> {
    const wanted = readRecall(request);
    const done = await inTransaction(this.#context.pool, async (client) => {
      const recalled = await this.#outbox.recall(client, wanted);
      await this.#context.shell.journal.record([bundleRecalled(wanted, recalled)]);
      return recalled;
    });
    if (done.recalled > 0) this.#outbox.ring();
    return {
      recalled: done.recalled,
      underWay: done.underWay,
      gone: [...done.gone].map(([stream, ranges]) => ({ stream, ranges: [...ranges] })),
    };
  }

  async #emit(client: pg.PoolClient, row: OutboxRow): Promise<readonly string[]> {
    const moved = await moveExchanges(client, await this.#exchangesOf(client, row.bundle_id), {
      steps: ["emitted"],
      nowMs: Date.now(),
    });
    const bundleId = parseId(row.bundle_id);
    await this.#context.shell.journal.record([
      ...moved.map((exchange) => carriedEvent(subjectOf(exchange), "exchange.emitted", bundleId)),
    ]);
    const files = moved.flatMap((exchange) => (exchange.file === null ? [] : [exchange.file]));
    // Only what came as an upload, and so is bulk, can still rest in its segments.
    if (row.priority !== "bulk") return files;
    return [
      ...files,
      ...(await forgetSegments(
        client,
        moved.map(({ id }) => id),
      )),
    ];
  }

  async #refuse(client: pg.PoolClient, row: OutboxRow, given: string): Promise<void> {
    const code = isErrorCode(given) ? given : "internal.fault";
    const refusal = { code, rule: "ferry", reason: "" };
    // Signed with a key that counts no more: it is decided anew and sealed with the present one.
    const expired = EXPIRED_CODES.has(code) || code.startsWith("certificate.");
    const moved = await moveExchanges(client, await this.#exchangesOf(client, row.bundle_id), {
      steps: [expired ? "expired" : "failed"],
      nowMs: Date.now(),
      refusal,
    });
    const type = expired ? "exchange.expired" : "exchange.failed";
    await this.#context.shell.journal.record([
      bundleRefused(row, code),
      ...moved.map((exchange: Moved) => stoppedEvent(subjectOf(exchange), type, refusal)),
    ]);
  }

  async #exchangesOf(client: pg.PoolClient, bundleId: string): Promise<readonly string[]> {
    const result = await query<{ id: string }>(
      client,
      "exchange-of-bundle",
      "SELECT id FROM exchange WHERE bundle_id = $1 AND state = 'queued'",
      [bundleId],
    );
    return result.rows.map((row) => row.id);
  }
}

function bundleRefused(row: OutboxRow, code: string): EventInput {
  if (!isErrorCode(code)) throw new GatewayError("internal.fault", { detail: code });
  return {
    type: "bundle.refused",
    outcome: "refused",
    code,
    bundleId: parseId(row.bundle_id),
    lane: row.lane,
    actor: "ferry-tx",
    size: row.size,
  };
}

/** An event is a line of evidence: what is gone is named as far as a line goes. */
const MAX_RANGES_TEXT = 2_048;

function bundleRecalled(wanted: Wanted, done: Recalled): EventInput {
  const gone = [...done.gone.values()].flat();
  const missing = gone.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  return {
    type: "bundle.recalled",
    outcome: "ok",
    lane: wanted.lane,
    actor: "ferry-tx",
    size: done.bytes,
    attributes: {
      ticket: wanted.ticket,
      recalled: String(done.recalled),
      "under-way": String(done.underWay),
      gone: String(missing),
      ...(missing === 0 ? {} : { "gone-ranges": rangesText(done.gone) }),
    },
  };
}

function rangesText(gone: ReadonlyMap<string, readonly Range[]>): string {
  const numbers = ({ first, last }: Range) => (first === last ? `${first}` : `${first}-${last}`);
  const text = [...gone]
    .map(([stream, of]) => `${stream}: ${of.map(numbers).join(", ")}`)
    .join("; ");
  return text.length <= MAX_RANGES_TEXT ? text : `${text.slice(0, MAX_RANGES_TEXT - 1)}…`;
}

function leased(row: OutboxRow): lightferry.ferry.v1.LeasedBundle.$Properties {
  return {
    bundleId: parseId(row.bundle_id),
    file: row.file,
    size: row.size,
    headerDigest: row.header_digest,
    stream: row.stream,
    sequence: row.sequence,
    priority: row.priority,
    expiresMs: row.expires_ms,
    leaseId: row.lease_id ?? "",
    passesDone: row.passes_done,
    repair: row.repair,
  };
}
