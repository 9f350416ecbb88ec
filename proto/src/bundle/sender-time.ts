/**
 * Guarantee: whoever judges when a bundle expires goes by the sender's clock where
 * its heartbeats tell it, and a clock that is wrong, held back or forged moves that
 * judgement by a bounded time only (proto/SPEC.md §8.2).
 */
import { SENDER_CLOCK_ROOM_MS, SENDER_TIME_AGE_MAX_MS } from "./limits.ts";

/** What the sender's heartbeats tell of its clock; Unix milliseconds. */
export interface SenderTime {
  /** Its clock at this moment. */
  readonly nowMs: number;
  /** The latest time that it ever told: what it sealed then is not from the future when its clock is set back. */
  readonly latestMs: number;
  /** Since the heartbeat that this rests on, by a clock that is never set. */
  readonly ageMs: number;
}

/** The times that {@link verifyHeader} goes by. */
export interface JudgedTimes {
  /** Expired is what ends before this. */
  readonly now: number;
  /** From the future is what was made after this; never before `now`. */
  readonly latest: number;
}

/**
 * The sender's time within {@link SENDER_CLOCK_ROOM_MS} of our own; our own where it is not told, or not any more.
 * @param ownMs this machine's clock, Unix milliseconds
 */
export function judgedTimes(ownMs: number, told: SenderTime | undefined): JudgedTimes {
  if (told === undefined || !(told.ageMs <= SENDER_TIME_AGE_MAX_MS)) {
    return { now: ownMs, latest: ownMs };
  }
  const now = near(ownMs, told.nowMs);
  return { now, latest: Math.max(ownMs, now, near(ownMs, told.latestMs)) };
}

function near(ownMs: number, toldMs: number): number {
  return Math.min(Math.max(toldMs, ownMs - SENDER_CLOCK_ROOM_MS), ownMs + SENDER_CLOCK_ROOM_MS);
}
