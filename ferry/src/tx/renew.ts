/**
 * Guarantee: what a living ferry holds is not given to another however long it waits for its passes, and
 * what was given to another while this one was away is not sent by it any more.
 */
import { asGatewayError } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import type { CallOptions } from "@lightferry/proto/rpc";
import type { Log } from "../events.ts";
import type { Carrier } from "./carry.ts";

type RenewRequest = lightferry.ferry.v1.RenewRequest.$Properties;
type RenewResponse = lightferry.ferry.v1.RenewResponse.$Properties;

/** A third of the shortest lease: two of them may fail. */
const EVERY_MS = 10_000;
const DEADLINE_MS = 10_000;
/** Of one call: 200 KB. */
const LEASES_MAX = 5_000;

export interface Renewal {
  readonly renew: (request: RenewRequest, options: CallOptions) => Promise<RenewResponse>;
  readonly lane: string;
  readonly carrier: Pick<Carrier, "leases" | "lost">;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Tests renew sooner. */
  readonly everyMs?: number;
}

/** Runs until the signal, beginning at once: a ferry that comes back says first what it holds. Never throws. */
export async function renewLeases(renewal: Renewal): Promise<void> {
  const { lane, carrier, log, signal, everyMs = EVERY_MS } = renewal;
  while (!signal.aborted) {
    const leases = carrier.leases();
    try {
      for (let at = 0; at < leases.length; at += LEASES_MAX) {
        const leaseIds = leases.slice(at, at + LEASES_MAX);
        const call = { deadlineMs: DEADLINE_MS, signal };
        const { lost } = await renewal.renew({ lane, leaseIds }, call);
        carrier.lost(lost ?? []);
      }
    } catch (error) {
      const { code, detail } = asGatewayError(error);
      if (!signal.aborted) log.warn({ code, detail, lane }, "leases not renewed, tried again");
    }
    await pause(everyMs, signal);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
    signal.addEventListener("abort", done);
  });
}
