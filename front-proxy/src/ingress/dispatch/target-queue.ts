/**
 * Guarantee: for one target, the intent of every call is committed and
 * journalled before the call, its outcome is journalled and committed after it,
 * and neither is ever given up while the process lives.
 *
 * ```
 * permitted ─claim (batch)─▶ dispatched ─journal intent─▶ call ─▶ journal outcome ─▶ settle (batch)
 *     ▲                                                    │
 *     └────────── back-off, or released (no call made) ────┘
 * ```
 * Claims and outcomes are gathered while the previous write is under way; no
 * timer delays them. While a target is out of reach it is probed by one call at
 * a time, so that its backlog does not use up its attempts.
 */
import { setTimeout as pause } from "node:timers/promises";
import { asGatewayError } from "@lightferry/proto/errors";
import type { FrontProxyContext } from "../../context.ts";
import type { Spool } from "../../payload/spool.ts";
import { describeFault } from "../failures.ts";
import type { ReadyContents } from "../handoff.ts";
import type { AttemptResult, Target } from "../targets/target.ts";
import { CLAIM_AHEAD, type IngressTuning } from "../tuning.ts";
import { dispatchingEvent, outcomeEvent } from "./events.ts";
import { backOffMs, type Outcome, outcomeOf } from "./outcome.ts";
import { openParcel, readyParcel } from "./parcel.ts";
import { type ClaimedRow, claim, nextDueMs, release, settle } from "./queue-rows.ts";

export interface QueueDesk {
  readonly context: FrontProxyContext;
  readonly staging: Spool;
  /** Contents that opening has just verified. */
  readonly ready: ReadyContents;
  readonly tuning: IngressTuning;
  /** An ordered delivery has ended: successors at other targets may go. */
  readonly onOrderedSettled: () => void;
}

/** Claim only when at least this part of the room is free, so that claims come in batches. */
const CLAIM_FRACTION = 4;

/** A call under way gets this long to end by itself when the program stops; supervisors wait ten seconds. */
const STOP_GRACE_MS = 5_000;

export class TargetQueue {
  readonly #desk: QueueDesk;
  readonly #service: string;
  readonly #target: Target;
  readonly #capacity: number;
  #ready: ClaimedRow[] = [];
  #inFlight = 0;
  #outcomes: { row: ClaimedRow; outcome: Outcome }[] = [];
  #settling: Promise<void> | undefined;
  readonly #calls = new Set<Promise<void>>();
  #pumping: Promise<void> | undefined;
  #pumpAgain = false;
  /** False when the last look found less than was asked for, and nobody has told of more since. */
  #mayHold = true;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  /** Calls in a row that found the target out of reach, and until when it is left alone. */
  #unreachable = 0;
  #closedUntilMs = 0;

  constructor(desk: QueueDesk, service: string, target: Target) {
    this.#desk = desk;
    this.#service = service;
    this.#target = target;
    // Claimed but not called counts as in doubt after a crash: ahead only where that is harmless.
    this.#capacity = desk.tuning.concurrency + (target.repeatable ? CLAIM_AHEAD : 0);
  }

  /** There may be deliveries that were not there when the queue looked last. */
  poke(): void {
    this.#mayHold = true;
    this.#goOn();
  }

  /** Room has become free: that matters only where something may wait for it. */
  #goOn(): void {
    if (this.#stopped || !this.#mayHold) return;
    this.#pumpAgain = true;
    this.#pumping ??= this.#pump().finally(() => {
      this.#pumping = undefined;
      if (this.#pumpAgain) this.#goOn();
    });
  }

  /** Makes no new calls; waits a while for those under way, then cuts them off; keeps their outcomes. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    const cutOff = setTimeout(() => this.#target.close(), STOP_GRACE_MS);
    await this.#pumping;
    const unused = this.#ready.splice(0);
    if (unused.length > 0) await this.#release(unused);
    await Promise.all(this.#calls);
    await this.#settling;
    clearTimeout(cutOff);
    this.#target.close();
  }

  async #pump(): Promise<void> {
    while (this.#pumpAgain && !this.#stopped) {
      this.#pumpAgain = false;
      try {
        await this.#claimOnce();
      } catch (error) {
        this.#desk.context.shell.log.warn(
          { service: this.#service, ...describeFault(error) },
          "cannot take up deliveries",
        );
        this.#pumpAgain = false;
        this.#mayHold = true;
        this.#wakeAt(Date.now() + this.#desk.tuning.faultPauseMs);
        return;
      }
    }
  }

  async #claimOnce(): Promise<void> {
    const { context } = this.#desk;
    const busy = this.#ready.length + this.#inFlight;
    const nowMs = Date.now();
    if (this.#closedUntilMs > nowMs) return this.#wakeAt(this.#closedUntilMs);
    // A probe finds out whether the target is back; everything else waits for it.
    const probing = this.#unreachable > 0;
    if (probing && busy > 0) return;
    const free = probing ? 1 : this.#capacity - busy;
    if (!probing && busy > 0 && free < this.#capacity / CLAIM_FRACTION) return;
    // Whoever pokes from here on tells of something that this look may not have seen.
    this.#mayHold = false;
    const rows = await claim(context.pool, this.#service, free, nowMs);
    if (rows.length > 0) {
      try {
        await context.shell.journal.record(rows.map(dispatchingEvent));
      } catch (error) {
        await this.#release(rows);
        throw error;
      }
      this.#ready.push(...rows);
      this.#fill();
    }
    if (rows.length === free) {
      this.#mayHold = true;
      if (!probing) this.#pumpAgain = true;
      return;
    }
    const due = await nextDueMs(context.pool, this.#service, nowMs);
    if (due !== undefined) this.#wakeAt(due);
  }

  #fill(): void {
    while (this.#inFlight < this.#desk.tuning.concurrency && !this.#stopped) {
      const row = this.#ready.shift();
      if (row === undefined) return;
      this.#inFlight += 1;
      const call = this.#attempt(row).finally(() => this.#calls.delete(call));
      this.#calls.add(call);
    }
  }

  async #attempt(row: ClaimedRow): Promise<void> {
    const result = await this.#call(row);
    this.#inFlight -= 1;
    this.#watchReach(result);
    const { tuning } = this.#desk;
    const outcome = outcomeOf(result, {
      repeatable: this.#target.repeatable,
      attempts: row.attempts,
      nowMs: Date.now(),
      random: Math.random(),
      tuning,
    });
    this.#outcomes.push({ row, outcome });
    this.#startSettling();
    this.#fill();
    this.#goOn();
  }

  #startSettling(): void {
    this.#settling ??= this.#settle().finally(() => {
      this.#settling = undefined;
      if (this.#outcomes.length > 0) this.#startSettling();
    });
  }

  async #call(row: ClaimedRow): Promise<AttemptResult> {
    try {
      const { context, staging, ready } = this.#desk;
      const found = ready.take(row.exchange_id);
      const parcel =
        found === undefined ? openParcel(context, staging, row) : readyParcel(row, found);
      return await this.#target.attempt(parcel);
    } catch (error) {
      // Only before a byte has left: the content at rest cannot be opened.
      const { code, detail } = asGatewayError(error);
      this.#desk.context.shell.log.error(
        { service: this.#service, ...describeFault(error) },
        "delivery cannot be handed over",
      );
      return { kind: "rejected", code, detail };
    }
  }

  #watchReach(result: AttemptResult): void {
    if (result.kind !== "not-received" || result.retryAfterMs !== undefined) {
      this.#unreachable = 0;
      this.#closedUntilMs = 0;
      return;
    }
    // Calls that were under way together say the same thing once.
    if (Date.now() < this.#closedUntilMs) return;
    this.#unreachable += 1;
    const { tuning } = this.#desk;
    const backOff = { attempts: this.#unreachable, random: Math.random(), tuning };
    this.#closedUntilMs = Date.now() + backOffMs(backOff);
    // Not called yet: they wait in the database without losing an attempt.
    const unused = this.#ready.splice(0);
    if (unused.length > 0) void this.#release(unused).then(() => this.poke());
  }

  async #settle(): Promise<void> {
    while (this.#outcomes.length > 0) {
      const batch = this.#outcomes.splice(0);
      await this.#untilDone(() => this.#settleBatch(batch));
      for (const { row, outcome } of batch) {
        if (outcome.state === "delivered") await this.#clean(row);
      }
      if (batch.some(({ row }) => row.ordering_key !== "")) this.#desk.onOrderedSettled();
      // What goes back into the queue is there again, now or later.
      if (batch.some(({ outcome }) => outcome.state === "permitted")) this.poke();
    }
  }

  async #settleBatch(batch: readonly { row: ClaimedRow; outcome: Outcome }[]): Promise<void> {
    const { context } = this.#desk;
    const nowMs = Date.now();
    await context.shell.journal.record(batch.map(({ row, outcome }) => outcomeEvent(row, outcome)));
    await settle(
      context.pool,
      batch.map(({ row, outcome }) => ({
        exchangeId: row.exchange_id,
        state: outcome.state,
        code: outcome.state === "delivered" ? undefined : outcome.code,
        nextAttemptMs: outcome.state === "permitted" ? outcome.nextAttemptMs : 0,
        step: {
          atMs: nowMs,
          state: outcome.state,
          ...(outcome.state === "delivered" ? {} : { code: outcome.code }),
          detail: outcome.detail,
        },
      })),
      nowMs,
    );
  }

  async #clean(row: ClaimedRow): Promise<void> {
    try {
      if (row.staged_file !== null) await this.#desk.staging.remove(row.staged_file);
      await this.#target.settled(row.exchange_id);
    } catch (error) {
      // The next start finds what is left over; the outcome itself is committed.
      this.#desk.context.shell.log.warn(describeFault(error), "cannot remove delivered content");
    }
  }

  #release(rows: readonly ClaimedRow[]): Promise<void> {
    const ids = rows.map((row) => row.exchange_id);
    return this.#untilDone(() => release(this.#desk.context.pool, ids, Date.now()));
  }

  /** Repeats our own writing until it succeeds; a stopping process leaves it to the next start. */
  async #untilDone(work: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        this.#desk.context.shell.log.warn(
          { service: this.#service, ...describeFault(error) },
          "cannot write outcomes of deliveries",
        );
        if (this.#stopped) return;
        await pause(this.#desk.tuning.faultPauseMs);
      }
    }
  }

  #wakeAt(atMs: number): void {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.poke(), Math.max(0, atMs - Date.now()));
  }
}
