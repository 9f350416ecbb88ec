/**
 * Guarantee: nothing is logged twice. An emitter numbers its events without
 * holes, so a number above the highest one logged is new without asking; only
 * numbers at or below it are looked up. A known number with other bytes
 * refuses its whole job.
 */
import { GatewayError } from "@lightferry/proto/errors";
import {
  emitterKey,
  type LogStore,
  type PreparedEvent,
  type PreparedTrail,
  trailKey,
} from "../store/batch.ts";
import type { Job } from "./job.ts";

export interface Admission {
  readonly events: readonly PreparedEvent[];
  readonly trails: readonly PreparedTrail[];
  readonly refused: ReadonlyMap<Job, GatewayError>;
}

export async function admit(
  store: LogStore,
  lastSequence: (emitter: string) => number,
  jobs: readonly Job[],
): Promise<Admission> {
  const seenAgain = jobs
    .flatMap((job) => job.events)
    .filter(({ event }) => event.emitterSequence <= lastSequence(event.emitter))
    .map(({ event }) => ({ emitter: event.emitter, sequence: event.emitterSequence }));
  const events = new Register<PreparedEvent>(
    await store.findEvents(seenAgain),
    ({ event }) => emitterKey(event.emitter, event.emitterSequence),
    "audit.sequence-conflict",
  );
  const trails = new Register<PreparedTrail>(
    await store.findTrails(jobs.flatMap((job) => job.trails)),
    trailKey,
    "audit.trail-conflict",
  );
  const refused = new Map<Job, GatewayError>();
  for (const job of jobs) {
    const conflict = events.conflict(job.events) ?? trails.conflict(job.trails);
    if (conflict !== undefined) {
      refused.set(job, conflict);
      continue;
    }
    events.add(job.events);
    trails.add(job.trails);
  }
  return { events: events.added, trails: trails.added, refused };
}

/** What the log holds under each key, and what this batch adds to it. */
class Register<Item extends { readonly bytes: Uint8Array }> {
  readonly added: Item[] = [];
  readonly #known: Map<string, Uint8Array>;
  readonly #keyOf: (item: Item) => string;
  readonly #code: "audit.sequence-conflict" | "audit.trail-conflict";

  constructor(
    known: Map<string, Uint8Array>,
    keyOf: (item: Item) => string,
    code: "audit.sequence-conflict" | "audit.trail-conflict",
  ) {
    this.#known = known;
    this.#keyOf = keyOf;
    this.#code = code;
  }

  /** Also finds two different contents under one key inside the list itself. */
  conflict(items: readonly Item[]): GatewayError | undefined {
    const own = new Map<string, Uint8Array>();
    for (const item of items) {
      const key = this.#keyOf(item);
      const known = this.#known.get(key) ?? own.get(key);
      if (known !== undefined && Buffer.compare(known, item.bytes) !== 0) {
        return new GatewayError(this.#code, { detail: key });
      }
      own.set(key, item.bytes);
    }
    return undefined;
  }

  add(items: readonly Item[]): void {
    for (const item of items) {
      const key = this.#keyOf(item);
      if (this.#known.has(key)) continue;
      this.#known.set(key, item.bytes);
      this.added.push(item);
    }
  }
}
