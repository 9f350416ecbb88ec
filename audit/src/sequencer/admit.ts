/**
 * Guarantee: nothing is logged twice. An emitter numbers its events without
 * holes, so a number above the highest one logged is new without asking; only
 * numbers at or below it are looked up. A known number with other bytes
 * refuses its whole job. Trails are known by their bytes.
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
  const knownEvents = await store.findEvents(seenAgain);
  const knownTrails = await store.findTrails(jobs.flatMap((job) => job.trails));
  const events: PreparedEvent[] = [];
  const trails: PreparedTrail[] = [];
  const refused = new Map<Job, GatewayError>();
  for (const job of jobs) {
    const conflict = conflictOf(job.events, knownEvents);
    if (conflict !== undefined) {
      refused.set(job, new GatewayError("audit.sequence-conflict", { detail: conflict }));
      continue;
    }
    for (const prepared of job.events) {
      const key = keyOf(prepared);
      if (knownEvents.has(key)) continue;
      knownEvents.set(key, prepared.bytes);
      events.push(prepared);
    }
    for (const trail of job.trails) {
      const key = trailKey(trail.digest);
      if (knownTrails.has(key)) continue;
      knownTrails.add(key);
      trails.push(trail);
    }
  }
  return { events, trails, refused };
}

/** The first number that stands for two contents, in the log or in the list itself. */
function conflictOf(
  events: readonly PreparedEvent[],
  known: ReadonlyMap<string, Uint8Array>,
): string | undefined {
  const own = new Map<string, Uint8Array>();
  for (const prepared of events) {
    const key = keyOf(prepared);
    const other = known.get(key) ?? own.get(key);
    if (other !== undefined && Buffer.compare(other, prepared.bytes) !== 0) return key;
    own.set(key, prepared.bytes);
  }
  return undefined;
}

function keyOf({ event }: PreparedEvent): string {
  return emitterKey(event.emitter, event.emitterSequence);
}
