/**
 * Guarantee: what the outbox is told of a bundle is told until it answers, under the newest lease; a lease that
 * was lost is waited for a while, since the outbox gives it out again.
 */
import { asGatewayError } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import { Turns } from "@lightferry/proto/service";
import type { Log } from "../../events.ts";
import { isTransient, untilAnswered } from "../../retry.ts";

type Ack = lightferry.ferry.v1.AckRequest.$Properties;

/** Longer than the outbox waits before it gives a lost lease out again. */
const RENEWAL_MS = 120_000;
/** Under way at a time; each is one transaction of the outbox. */
const AT_ONCE = 8;

/** Whose lease it is. */
export interface Leased {
  /** Hex. */
  readonly bundleId: string;
  leaseId: string;
}

export class Acks {
  readonly #send: (request: Ack) => Promise<unknown>;
  readonly #log: Log;
  readonly #signal: AbortSignal;
  readonly #turns = new Turns(AT_ONCE);
  readonly #renewed = new Map<string, () => void>();

  constructor(send: (request: Ack) => Promise<unknown>, log: Log, signal: AbortSignal) {
    this.#send = send;
    this.#log = log;
    this.#signal = signal;
  }

  /** A newer lease has come. */
  renew(bundle: Leased, leaseId: string): void {
    bundle.leaseId = leaseId;
    this.#renewed.get(bundle.bundleId)?.();
  }

  /** @returns false when the outbox does not know of it any more @throws the reason of the abort */
  async tell(bundle: Leased, answer: Omit<Ack, "bundleId" | "leaseId">): Promise<boolean> {
    const bundleId = Buffer.from(bundle.bundleId, "hex");
    for (;;) {
      const { leaseId } = bundle;
      try {
        await this.#turns.run(() =>
          untilAnswered(
            () => this.#send({ ...answer, bundleId, leaseId: bundle.leaseId }),
            this.#signal,
            isTransient,
          ),
        );
        return true;
      } catch (error) {
        this.#signal.throwIfAborted();
        const { code, detail } = asGatewayError(error);
        this.#log.warn({ bundle: bundle.bundleId, code, detail }, "not acknowledged");
      }
      if (bundle.leaseId === leaseId && !(await this.#renewal(bundle.bundleId))) return false;
    }
  }

  async #renewal(bundleId: string): Promise<boolean> {
    const late = AbortSignal.timeout(RENEWAL_MS);
    const over = AbortSignal.any([late, this.#signal]);
    const came = await new Promise<boolean>((resolve) => {
      this.#renewed.set(bundleId, () => resolve(true));
      over.addEventListener("abort", () => resolve(false), { once: true });
    });
    this.#renewed.delete(bundleId);
    this.#signal.throwIfAborted();
    return came;
  }
}
