/** Guarantee: a call to a peer that is not up is tried again, ever more slowly, until it answers or the program stops. */
import { setTimeout as delay } from "node:timers/promises";
import { asGatewayError } from "@lightferry/proto/errors";

/** A restarting peer is back within a second or two; a dead one is not worth more calls. */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;

/** Faults of the transport, not of the request: worth another try. */
export function isTransient(error: unknown): boolean {
  const { code } = asGatewayError(error);
  return code === "rpc.unavailable" || code === "rpc.deadline";
}

/**
 * Calls until it answers.
 * @param retry whether an error is worth another try
 * @throws the error that is not, or the reason of the abort
 */
export async function untilAnswered<T>(
  call: () => Promise<T>,
  signal: AbortSignal,
  retry: (error: unknown) => boolean = isTransient,
): Promise<T> {
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    signal.throwIfAborted();
    try {
      return await call();
    } catch (error) {
      if (signal.aborted || !retry(error)) throw error;
      await delay(pause, undefined, { signal });
    }
  }
}
