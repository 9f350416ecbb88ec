/**
 * Guarantee: bundles of each class are leased as fast as they can be sent and no faster, and none waits for
 * room because bundles of another class have it: an urgent one is leased at once whatever is being sent.
 *
 * Each class is in at most one open long poll. One asks for all that have room; where a class gets room
 * while another's poll is open it is asked for by one of its own, since a poll that was called off might
 * have been answered.
 */

import { asGatewayError } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import type { Log } from "../events.ts";
import { isTransient, untilAnswered } from "../retry.ts";
import { type ClassLimits, LEASE_CLASSES, type Places } from "./places.ts";
import { AT_ONCE } from "./transmit.ts";

type LeaseRequest = lightferry.ferry.v1.LeaseRequest.$Properties;
type LeaseResponse = lightferry.ferry.v1.LeaseResponse.$Properties;
type LeasedBundle = lightferry.ferry.v1.LeasedBundle.$Properties;

/**
 * Of the gate. Of any size: as many as are sent at one time and the next. Beyond, so many and so large that
 * the line never waits for the outbox: half a second of the fastest one in small bundles, no more of large
 * ones, which another ferry of the lane may be free to send. Each bundle that is held takes about 1 KB of
 * memory; so many of one class may wait for their second pass, half a minute of 1,600 a second.
 */
export const GATE_LIMITS: readonly ClassLimits[] = [
  { bundles: 64, anySize: AT_ONCE[0] + 1, bytes: 256 << 20, held: 10_000 },
  { bundles: 64, anySize: AT_ONCE[1] + 1, bytes: 256 << 20, held: 50_000 },
  { bundles: 128, anySize: AT_ONCE[2] + 1, bytes: 512 << 20, held: 50_000 },
  { bundles: 64, anySize: AT_ONCE[3] + 1, bytes: 256 << 20, held: 50_000 },
];
/** Bundles of one answer: what another ferry of the lane may have as well. */
const LEASE_MAX = 32;
/** Long poll; the deadline leaves the answer time to arrive. */
const WAIT_MS = 20_000;
const DEADLINE_MS = 30_000;

export interface LeaseLoop {
  readonly lease: (
    request: LeaseRequest,
    options: { readonly deadlineMs: number; readonly signal: AbortSignal },
  ) => Promise<LeaseResponse>;
  readonly lane: string;
  readonly worker: string;
  readonly places: Pick<Places, "room" | "onRoom">;
  readonly take: (lease: LeasedBundle) => void;
  readonly log: Log;
  /** The epoch has no more object ids: the program must begin another. */
  readonly failed: (error: unknown) => void;
  readonly signal: AbortSignal;
}

/** Runs until the signal; never throws. */
export async function leaseBundles(loop: LeaseLoop): Promise<void> {
  const over = new AbortController();
  const signal = AbortSignal.any([loop.signal, over.signal]);
  const asked = new Set<number>();
  const polls = new Set<Promise<void>>();
  let wake = (): void => undefined;
  loop.places.onRoom(() => wake());
  signal.addEventListener("abort", () => wake());
  while (!signal.aborted) {
    const woken = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const classes = [...LEASE_CLASSES.keys()].filter(
      (one) => !asked.has(one) && loop.places.room(one) !== undefined,
    );
    if (classes.length > 0) {
      for (const one of classes) asked.add(one);
      const poll = leaseOnce({ ...loop, signal }, classes)
        .catch((error: unknown) => {
          over.abort();
          loop.failed(error);
        })
        .finally(() => {
          for (const one of classes) asked.delete(one);
          polls.delete(poll);
          wake();
        });
      polls.add(poll);
    }
    await woken;
  }
  await Promise.all(polls);
}

/** One long poll for these classes. @throws GatewayError `ferry.epoch-exhausted` */
async function leaseOnce(loop: LeaseLoop, classes: readonly number[]): Promise<void> {
  const { lane, worker, places, signal } = loop;
  const room = classes.map((one) => [LEASE_CLASSES[one], places.room(one)]);
  const request = { lane, worker, max: LEASE_MAX, waitMs: WAIT_MS, ...Object.fromEntries(room) };
  try {
    const response = await untilAnswered(
      () => loop.lease(request, { deadlineMs: DEADLINE_MS, signal }),
      signal,
      (error) => saidAndRetried(loop.log, error),
    );
    for (const lease of response.bundles ?? []) loop.take(lease);
  } catch (error) {
    if (signal.aborted) return;
    const { code, detail } = asGatewayError(error);
    if (code === "ferry.epoch-exhausted") throw error;
    // What could not be taken on is leased again when its time has run out.
    loop.log.warn({ code, detail, lane }, "leased bundles not taken on");
  }
}

/** A refused lease is as good as a missing peer: tried again, but said. */
function saidAndRetried(log: Log, error: unknown): boolean {
  if (!isTransient(error)) {
    const { code, detail } = asGatewayError(error);
    log.warn({ code, detail }, "outbox refused a lease");
  }
  return true;
}
