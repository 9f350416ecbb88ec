/**
 * Guarantee: permitted exchanges of one stream are sealed by one worker at a
 * time, in one numbered bundle that is committed together with their states; a
 * worker that lost its lease cannot commit, and what it held is given out again.
 *
 *   Lease ─▶ (seal works) ─▶ Commit: stream, exchanges and outbox in one transaction
 *                        └─▶ Fail: named items stop, the others wait again
 */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { asGatewayError, GatewayError, isErrorCode } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import { formatId } from "@lightferry/proto/ids";
import { isPriority, isReceiptLane, type Priority, recipientsOf } from "@lightferry/proto/registry";
import type { CallContext } from "@lightferry/proto/rpc";
import { Troubles } from "@lightferry/proto/service";
import type { FrontProxyContext } from "../context.ts";
import { inTransaction } from "../database.ts";
import { ReceiptRelease } from "../receipts/release.ts";
import { laneFault } from "../trust/lane-trust.ts";
import { CheckpointSource } from "./checkpoint.ts";
import type { Doorbell } from "./doorbell.ts";
import { carriedEvent, stoppedEvent, subjectOf } from "./events.ts";
import { moveExchanges } from "./exchange-rows.ts";
import { fillLease } from "./lease-items.ts";
import type { Outbox } from "./outbox.ts";
import {
  advanceStream,
  endLease,
  type LeaseCaps,
  lockStream,
  takeWaiting,
  waitingLanes,
  writeLease,
} from "./seal-rows.ts";
import { succeeds } from "./worker-name.ts";

type Seal = typeof lightferry.seal.v1;
type LeaseRequest = InstanceType<Seal["LeaseRequest"]>;
type CommitRequest = InstanceType<Seal["CommitRequest"]>;
type FailRequest = InstanceType<Seal["FailRequest"]>;
type LeaseResponse = lightferry.seal.v1.LeaseResponse.$Properties;

/** DESIGN §5: at most 1,024 items a bundle. */
const MAX_ITEMS = 1_024;
/** Keys, ids and batch signatures come on top; together they stay under the 8 MiB of a message. */
const INLINE_BYTES = 5 * 1_048_576;
/** A header is at most 1 MiB (SPEC §9); an eighth is left for what does not belong to an item. */
const HEADER_BYTES = 896 * 1_024;
/** Small things must not wait behind more than about half a second of sealing. */
const CONTENT_BYTES = 48 * 1_048_576;
/** A long poll never outlives the deadline its caller sets. */
const MAX_WAIT_MS = 30_000;
/** How often a waiting poll looks by itself, for work that another front-proxy accepted. */
const LOOK_AGAIN_MS = 1_000;
/**
 * A bundle costs tens of milliseconds of processor time on its way through all programs, however
 * little it holds. Alone it leaves at once; a second one that close behind it waits this long for
 * company, which costs a request half of it on average and triples what the machine carries.
 * What is urgent never waits for company: what comes while its bundle is sealed goes in the next.
 */
const PACE_MS = 60;
/** A bundle with this much in it is worth its cost: the next one need not wait. */
const PACE_ITEMS = 256;
const PACE_BYTES = 4 * 1_048_576;
/** Many times what sealing takes; the second part is for large files, at a tenth of the usual rate. */
const LEASE_MS = 60_000;
const LEASE_BYTES_PER_MS = 10_000;

export class SealQueue {
  readonly #context: FrontProxyContext;
  readonly #permitted: Doorbell;
  readonly #outbox: Outbox;
  readonly #checkpoints: CheckpointSource;
  readonly #troubles: Troubles;
  readonly #release: ReceiptRelease;
  /** No lease is given before, to a caller that can wait. */
  readonly #pacedUntil: Record<Priority, number> = { urgent: 0, normal: 0, bulk: 0 };

  constructor(context: FrontProxyContext, permitted: Doorbell, outbox: Outbox) {
    this.#context = context;
    this.#permitted = permitted;
    this.#outbox = outbox;
    this.#checkpoints = new CheckpointSource(context);
    this.#release = new ReceiptRelease(context);
    const { journal, log } = context.shell;
    this.#troubles = new Troubles(journal, (error) =>
      log.error({ code: asGatewayError(error).code }, "trouble could not be journalled"),
    );
    // A newer list or certificate: what waited for it goes on at once.
    context.trust.changed(() => permitted.ring());
  }

  /** Waits up to `waitMs`; an empty lease id says that nothing is to be done. */
  async lease(request: LeaseRequest, call: CallContext): Promise<LeaseResponse> {
    const priority = readPriority(request.priority);
    const caps: LeaseCaps = {
      items: Math.min(request.maxItems === 0 ? MAX_ITEMS : request.maxItems, MAX_ITEMS),
      inlineBytes: INLINE_BYTES,
      headerBytes: HEADER_BYTES,
      contentBytes: CONTENT_BYTES,
    };
    const calledOff = AbortSignal.any([call.signal, call.closing]);
    const until = performance.now() + Math.min(request.waitMs, MAX_WAIT_MS);
    await pause(Math.min(this.#pacedUntil[priority], until) - performance.now(), calledOff);
    for (;;) {
      const since = this.#permitted.rings;
      const found = await this.#tryLease(priority, request.worker, caps);
      const left = until - performance.now();
      if (found !== undefined) return found;
      if (left <= 0 || calledOff.aborted) return {};
      await this.#permitted.wait(since, Math.min(left, LOOK_AGAIN_MS), calledOff);
    }
  }

  async #tryLease(
    priority: Priority,
    worker: string,
    caps: LeaseCaps,
  ): Promise<LeaseResponse | undefined> {
    const { pool, config, registry } = this.#context;
    const ours = registry().document.lanes.filter((lane) => lane.from === config.zone);
    const lanes = await waitingLanes(
      pool,
      priority,
      ours.map((lane) => lane.id),
    );
    for (const lane of await this.#sealable(ours, lanes)) {
      const lease = await this.#leaseLane(lane, priority, worker, caps);
      if (lease !== undefined) return lease;
    }
    return undefined;
  }

  /** Of the lanes on which something waits those that may be sealed now; what waits on the others stays. */
  async #sealable(
    ours: readonly { readonly id: string }[],
    waiting: readonly string[],
  ): Promise<readonly string[]> {
    const { registry, trust } = this.#context;
    const stopped = new Set<string>();
    for (const { id } of ours) {
      const fault = laneFault(registry(), trust.current(), id, Date.now());
      if (fault === undefined) await this.#troubles.over(`sealing on ${id}`, { lane: id });
      else {
        stopped.add(id);
        if (waiting.includes(id)) await this.#troubles.met(`sealing on ${id}`, fault, { lane: id });
      }
    }
    return waiting.filter((id) => !stopped.has(id));
  }

  async #leaseLane(
    lane: string,
    priority: Priority,
    worker: string,
    caps: LeaseCaps,
  ): Promise<LeaseResponse | undefined> {
    const { pool, config, registry } = this.#context;
    const entry = registry().lane(lane);
    if (entry === undefined) return undefined;
    const recipients = recipientsOf(registry(), entry);
    if (recipients.length === 0) return undefined;
    // Nothing but receipts rides on a lane of receipts.
    const bare = isReceiptLane(entry);
    const stream = `${lane}/${config.node}/${priority}`;
    const taken = await inTransaction(pool, async (client) => {
      const row = await lockStream(client, stream, lane, priority);
      const now = Date.now();
      if (row === undefined) return undefined;
      const busy = row.lease_id !== null && row.lease_expires_ms > now;
      if (busy && !succeeds(worker, row.lease_worker)) return undefined;
      const waiting = await takeWaiting(client, lane, priority, now, caps);
      if (waiting.length === 0) return undefined;
      const carried = bare ? undefined : await this.#checkpoints.newest(stream, row.carried_size);
      const bytes = waiting.reduce((sum, item) => sum + item.size, 0);
      const id = randomUUID();
      const expiresMs = now + LEASE_MS + Math.ceil(bytes / LEASE_BYTES_PER_MS);
      const carries = carried?.size ?? 0;
      const fence = await writeLease(client, stream, { id, worker, expiresMs, carries });
      return { row, waiting, bytes, carried, id, expiresMs, fence };
    });
    if (taken === undefined) return undefined;
    const company = companyMs(priority, taken.waiting.length, taken.bytes);
    this.#pacedUntil[priority] = performance.now() + company;
    const { items, batches } = fillLease(taken.waiting, bare);
    return {
      leaseId: taken.id,
      lane,
      stream,
      sequence: taken.row.next_sequence,
      previousDigest: taken.row.previous_digest,
      fence: taken.fence,
      recipients: [...recipients],
      items,
      batches,
      ...(taken.carried === undefined ? {} : { checkpoint: taken.carried.checkpoint }),
      expiresMs: taken.expiresMs,
      policyVersion: taken.waiting.at(-1)?.policy_version ?? "",
    };
  }

  /**
   * Makes a sealed bundle part of its stream.
   * @throws GatewayError `seal.lease-lost`, `outbox.file-invalid`, `outbox.not-receipts`.
   */
  async commit(request: CommitRequest): Promise<object> {
    const bundleId = formatId(request.bundleId);
    if (await this.#outbox.has(bundleId, request.headerDigest)) return {};
    await this.#outbox.checkFile(request.file, request.size);
    await this.#release.check(request);
    const ids = request.exchangeIds.map(formatId);
    await inTransaction(this.#context.pool, async (client) => {
      const stream = await advanceStream(client, request);
      if (stream === undefined)
        throw new GatewayError("seal.lease-lost", { detail: request.stream });
      const moved = await moveExchanges(client, ids, {
        steps: ["sealed", "queued"],
        nowMs: Date.now(),
        bundleId,
      });
      // One was cancelled meanwhile: the bundle must not carry it, so the bundle is given up.
      if (moved.length !== ids.length) {
        throw new GatewayError("seal.lease-lost", { detail: "an exchange is no longer permitted" });
      }
      await this.#outbox.put(client, { ...stream, bundleId, request });
      await this.#context.shell.journal.record(
        moved.map((row) => carriedEvent(subjectOf(row), "exchange.queued", request.bundleId)),
      );
    });
    this.#outbox.ring();
    return {};
  }

  /** Ends a lease without a bundle. A lease already lost is no error: nothing was committed. */
  async fail(request: FailRequest): Promise<object> {
    await this.#stop(
      request.items.map((item) => ({
        id: formatId(item.exchangeId ?? new Uint8Array()),
        code: item.code ?? "",
      })),
    );
    await endLease(this.#context.pool, request.leaseId);
    this.#permitted.ring();
    return {};
  }

  async #stop(items: readonly { readonly id: string; readonly code: string }[]): Promise<void> {
    for (const { id, code } of items) {
      const refusal = {
        code: isErrorCode(code) ? code : "internal.fault",
        rule: "",
        reason: "",
      };
      const nowMs = Date.now();
      // A permit whose key counts no more has run out: the sweep has it decided anew.
      const to = code.startsWith("certificate.") ? "expired" : "failed";
      await inTransaction(this.#context.pool, async (client) => {
        const moved = await moveExchanges(client, [id], { steps: [to], nowMs, refusal });
        await this.#context.shell.journal.record(
          moved.map((row) => stoppedEvent(subjectOf(row), `exchange.${to}`, refusal)),
        );
      });
    }
  }
}

/** How long the next bundle of this priority waits for company after one that holds this much. */
export function companyMs(priority: Priority, items: number, bytes: number): number {
  const small = items < PACE_ITEMS && bytes < PACE_BYTES;
  return small && priority !== "urgent" ? PACE_MS : 0;
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await delay(ms, undefined, { signal }).catch(() => undefined);
}

function readPriority(text: string): Priority {
  if (isPriority(text)) return text;
  throw new GatewayError("rpc.bad-message", { detail: "priority" });
}
