/** Guarantee: bundles are leased as fast as the appliance takes them and no faster; one long poll is open at a time. */
import { randomUUID } from "node:crypto";
import { asGatewayError } from "@lightferry/proto/errors";
import type { Log } from "../../events.ts";
import { isTransient, untilAnswered } from "../../retry.ts";
import type { OutboxPeer } from "../../tx/lane.ts";
import type { Carrier } from "./carry.ts";

/** First passes not over: two shipments of the smallest bundles, so that the next is filled while one is sent. */
const SENDING = 1_024;
/** With those waiting for their next pass: about 1 KB of memory each. */
const HELD = 50_000;
/** Bundles of one lease. */
const LEASE_MAX = 64;
/** Long poll; the deadline leaves the answer time to arrive. */
const WAIT_MS = 20_000;
const DEADLINE_MS = 30_000;
/** How soon to look again for room. */
const FULL_PAUSE_MS = 50;

export interface LeaseLoop {
  readonly outbox: Pick<OutboxPeer, "lease">;
  readonly lane: string;
  /** Stays over restarts: the outbox gives a later instance what a killed one held. */
  readonly worker: string;
  readonly carrier: Pick<Carrier, "take" | "sending" | "held">;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Runs until the signal; never throws. */
export async function leaseBundles(loop: LeaseLoop): Promise<void> {
  const { lane, carrier, log, signal, outbox } = loop;
  const worker = `${loop.worker}/${randomUUID()}`;
  while (!signal.aborted) {
    const max = Math.min(SENDING - carrier.sending, HELD - carrier.held, LEASE_MAX);
    if (max <= 0) {
      await new Promise((resolve) => setTimeout(resolve, FULL_PAUSE_MS));
      continue;
    }
    const request = { lane, worker, max, waitMs: WAIT_MS };
    try {
      const { bundles } = await untilAnswered(
        () => outbox.lease(request, { deadlineMs: DEADLINE_MS, signal }),
        signal,
        (error) => {
          const { code, detail } = asGatewayError(error);
          if (!isTransient(error)) log.warn({ code, detail }, "outbox refused a lease");
          return true;
        },
      );
      for (const lease of bundles ?? []) carrier.take(lease);
    } catch {
      // Only the signal ends the retries.
    }
  }
}
