/**
 * Guarantee: bundles are leased as fast as they can be sent and no faster; one
 * long poll is open at a time, and a queue of bulk never keeps urgent or normal
 * bundles from being leased.
 */

import { asGatewayError } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import type { Log } from "../events.ts";
import { isTransient, untilAnswered } from "../retry.ts";
import type { Carrier } from "./carry.ts";

type LeaseRequest = lightferry.ferry.v1.LeaseRequest.$Properties;
type LeaseResponse = lightferry.ferry.v1.LeaseResponse.$Properties;

/** Urgent and normal first passes at once: twice what may be read at the same time. */
const SENDING_SOON = 64;
/** All first passes at once, so that waiting bulk is bounded too. */
const SENDING = 256;
/** With those waiting for their second pass: about 1 KB of memory each. */
const HELD = 50_000;
/** Bundles of one lease. */
const LEASE_MAX = 32;
/** Long poll; the deadline leaves the answer time to arrive. */
const WAIT_MS = 20_000;
const DEADLINE_MS = 30_000;
/** How soon to look again for room. */
const FULL_PAUSE_MS = 5;

export interface LeaseLoop {
  readonly lease: (
    request: LeaseRequest,
    options: { readonly deadlineMs: number; readonly signal: AbortSignal },
  ) => Promise<LeaseResponse>;
  readonly lane: string;
  readonly worker: string;
  readonly carrier: Pick<Carrier, "held" | "sending" | "sendingSoon" | "take">;
  readonly log: Log;
  /** The epoch has no more object ids: the program must begin another. */
  readonly failed: (error: unknown) => void;
  readonly signal: AbortSignal;
}

/** Runs until the signal; never throws. */
export async function leaseBundles(loop: LeaseLoop): Promise<void> {
  const { lane, worker, carrier, signal } = loop;
  while (!signal.aborted) {
    const room = roomOf(carrier);
    if (room <= 0) {
      await new Promise((resolve) => setTimeout(resolve, FULL_PAUSE_MS));
      continue;
    }
    const request = { lane, worker, max: Math.min(room, LEASE_MAX), waitMs: WAIT_MS };
    try {
      const response = await untilAnswered(
        () => loop.lease(request, { deadlineMs: DEADLINE_MS, signal }),
        signal,
        (error) => saidAndRetried(loop.log, error),
      );
      for (const lease of response.bundles ?? []) carrier.take(lease);
    } catch (error) {
      if (signal.aborted) return;
      const { code, detail } = asGatewayError(error);
      if (code === "ferry.epoch-exhausted") {
        loop.failed(error);
        return;
      }
      // What could not be taken on is leased again when its time has run out.
      loop.log.warn({ code, detail, lane }, "leased bundles not taken on");
    }
  }
}

function roomOf(carrier: LeaseLoop["carrier"]): number {
  return Math.min(
    SENDING_SOON - carrier.sendingSoon,
    SENDING - carrier.sending,
    HELD - carrier.held,
  );
}

/** A refused lease is as good as a missing peer: tried again, but said. */
function saidAndRetried(log: Log, error: unknown): boolean {
  if (!isTransient(error)) {
    const { code, detail } = asGatewayError(error);
    log.warn({ code, detail }, "outbox refused a lease");
  }
  return true;
}
