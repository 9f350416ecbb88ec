/**
 * Guarantee: each configured target has a queue of its own, so that one that is
 * down holds up no other; after a crash every call without an outcome is either
 * repeated, where that is harmless or ordered, or in doubt.
 */
import type { EventInput } from "@lightferry/proto/event";
import { parseId } from "@lightferry/proto/ids";
import type { TargetConfig } from "../../config.ts";
import type { FrontProxyContext } from "../../context.ts";
import { DropFolder } from "../targets/drop.ts";
import { HttpTargetClient } from "../targets/http.ts";
import { ReceiptTarget } from "../targets/receipts.ts";
import type { Target } from "../targets/target.ts";
import type { IngressTuning } from "../tuning.ts";
import { outcomeEvent } from "./events.ts";
import { outcomeOf } from "./outcome.ts";
import { failWithoutTarget, findDispatched, isOnItsWay, settle } from "./queue-rows.ts";
import { type QueueDesk, TargetQueue } from "./target-queue.ts";

/** What a restart knows about a call that a stopped process had under way: nothing. */
const UNKNOWN = { kind: "unknown", detail: "restart" } as const;

export class Dispatcher {
  readonly #queues: readonly TargetQueue[];

  private constructor(queues: readonly TargetQueue[]) {
    this.#queues = queues;
  }

  /** Closes unknown outcomes, then takes up work. @throws GatewayError `database.unavailable`, `journal.full`. */
  static async start(parts: Omit<QueueDesk, "onOrderedSettled">): Promise<Dispatcher> {
    const { context, tuning } = parts;
    const targets = new Map<string, Target>();
    for (const [service, config] of Object.entries(context.config.targets)) {
      targets.set(service, createTarget(context, config, tuning));
    }
    for (const target of targets.values()) {
      await target.prepare((id) => isOnItsWay(context.pool, parseId(id)));
    }
    await closeUnknown(context, targets, tuning);
    const queues: TargetQueue[] = [];
    const dispatcher = new Dispatcher(queues);
    const desk = { ...parts, onOrderedSettled: () => dispatcher.poke() };
    for (const [service, target] of targets) queues.push(new TargetQueue(desk, service, target));
    return dispatcher;
  }

  /** Deliveries may have become ready. */
  poke(): void {
    for (const queue of this.#queues) queue.poke();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#queues.map((queue) => queue.stop()));
  }
}

function createTarget(
  context: FrontProxyContext,
  config: TargetConfig,
  tuning: IngressTuning,
): Target {
  switch (config.type) {
    case "drop":
      return new DropFolder(config, context.shell.provider);
    case "receipts":
      return new ReceiptTarget(context);
    case "http":
      return new HttpTargetClient(config, tuning.concurrency);
  }
}

async function closeUnknown(
  context: FrontProxyContext,
  targets: ReadonlyMap<string, Target>,
  tuning: IngressTuning,
): Promise<void> {
  const nowMs = Date.now();
  const rows = await findDispatched(context.pool);
  const settled = rows.flatMap((row) => {
    const target = targets.get(row.service);
    if (target === undefined) return [];
    // The attempt that nobody saw end does not count against the limit: it may never have begun.
    const attempts = Math.min(row.attempts, tuning.attempts - 1);
    const attempt = { repeatable: target.repeatable, attempts, nowMs, random: 0, tuning };
    return [{ row, outcome: outcomeOf(UNKNOWN, attempt) }];
  });
  if (settled.length > 0) {
    await context.shell.journal.record(
      settled.map(({ row, outcome }) => outcomeEvent(row, outcome)),
    );
    await settle(
      context.pool,
      settled.map(({ row, outcome }) => ({
        exchangeId: row.exchange_id,
        state: outcome.state,
        code: outcome.state === "delivered" ? undefined : outcome.code,
        nextAttemptMs: nowMs,
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
  await failOrphans(context, [...targets.keys()], nowMs);
}

async function failOrphans(
  context: FrontProxyContext,
  services: readonly string[],
  nowMs: number,
): Promise<void> {
  const step = { atMs: nowMs, state: "failed", code: "target.unknown" };
  const rows = await failWithoutTarget(context.pool, services, step);
  const events = rows.map((row): EventInput => {
    const detail = "no target is configured any more";
    return outcomeEvent(row, { state: "failed", code: "target.unknown", detail });
  });
  await context.shell.journal.record(events);
}
