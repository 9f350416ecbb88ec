/** Guarantee: an outbox in memory that answers as the real one: leases by lane and room, acknowledgements, recalls and listings. */
import { GatewayError } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import { LEASE_CLASSES, leaseClassOf } from "../src/tx/places.ts";

type LeasedBundle = lightferry.ferry.v1.LeasedBundle.$Properties;
type LeaseRequest = lightferry.ferry.v1.LeaseRequest.$Properties;
type AckRequest = lightferry.ferry.v1.AckRequest.$Properties;
type Named = Pick<LeasedBundle, "stream" | "sequence">;

/** Of one answer. */
const LEASE_MAX = 64;

/** Room for as many bundles of any class and size, for who asks by hand. */
export const roomFor = (bundles: number) => {
  const room = { bundles, anySize: bundles, bytes: 0 };
  return { max: bundles, urgent: room, normal: room, bulk: room, repeated: room };
};

/** The outbox of a front-proxy: leases, takes acknowledgements, gives stale leases out again, keeps what left. */
export class Outbox {
  /** Emitted and still to be had; a test takes out what is gone. */
  readonly kept = new Map<string, LeasedBundle>();
  /** Numbers that will never be sent. */
  readonly givenUp: Named[] = [];
  /** As they came. */
  readonly requests: LeaseRequest[] = [];
  /** Who has asked for leases. */
  readonly askers = new Set<string>();
  readonly recalls: lightferry.ferry.v1.RecallRequest.$Properties[] = [];
  listings = 0;
  /** First passes are not acknowledged before this, and so no second one begins. */
  holding: Promise<void> = Promise.resolve();
  readonly acks: AckRequest[] = [];
  /** When each of them came, in monotonic milliseconds. */
  readonly ackedAt: number[] = [];
  #queue: LeasedBundle[] = [];
  readonly #leased = new Map<string, LeasedBundle>();
  /** Who has each lease. */
  readonly #holders = new Map<string, string>();
  #wake: (() => void)[] = [];
  #leases = 0;
  /** Calls for leases that are not answered. */
  #polls = 0;
  readonly #pollsOver: (() => void)[] = [];

  put(bundle: LeasedBundle): void {
    this.#queue.push(bundle);
    for (const wake of this.#wake.splice(0)) wake();
  }

  /** As after the time of all leases has run out, or of those of one worker. @returns how many */
  leaseAgain(worker?: string): number {
    const before = this.#leased.size;
    for (const [leaseId, bundle] of this.#leased) {
      if (worker !== undefined && this.#holders.get(leaseId) !== worker) continue;
      this.#queue.push(bundle);
      this.#leased.delete(leaseId);
    }
    for (const wake of this.#wake.splice(0)) wake();
    return before - this.#leased.size;
  }

  /**
   * As after the time of the leases of a killed worker, the only one there is: not before its connection is seen to be gone, for
   * one of its polls would take them.
   */
  async leaseAgainAfterDeath(): Promise<void> {
    if (this.#polls > 0) await new Promise<void>((resolve) => this.#pollsOver.push(resolve));
    this.leaseAgain();
  }

  lease = async (
    request: LeaseRequest,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<lightferry.ferry.v1.LeaseResponse.$Properties> => {
    this.askers.add(request.worker ?? "");
    this.requests.push(request);
    this.#polls += 1;
    try {
      return await this.#lease(request, options.signal);
    } finally {
      this.#polls -= 1;
      if (this.#polls === 0) for (const over of this.#pollsOver.splice(0)) over();
    }
  };

  async #lease(
    request: LeaseRequest,
    signal: AbortSignal | undefined,
  ): Promise<lightferry.ferry.v1.LeaseResponse.$Properties> {
    const over = performance.now() + (request.waitMs ?? 0);
    let taken = this.#fitting(request);
    while (taken.length === 0 && performance.now() < over && signal?.aborted !== true) {
      await new Promise<void>((resolve) => {
        this.#wake.push(resolve);
        signal?.addEventListener("abort", () => resolve());
        setTimeout(resolve, over - performance.now()).unref();
      });
      taken = this.#fitting(request);
    }
    if (signal?.aborted === true) throw new GatewayError("rpc.unavailable");
    this.#queue = this.#queue.filter((bundle) => !taken.includes(bundle));
    const bundles = taken.map((bundle) => {
      this.#leases += 1;
      const leased = { ...bundle, leaseId: `lease-${this.#leases}` };
      this.#leased.set(leased.leaseId, leased);
      this.#holders.set(leased.leaseId, request.worker ?? "");
      return leased;
    });
    return { bundles };
  }

  /** What there is room for, in the order in which it came. */
  #fitting(request: LeaseRequest): readonly LeasedBundle[] {
    const mine = this.#queue.filter(({ stream }) => stream?.startsWith(`${request.lane}/`));
    const byClass = Map.groupBy(mine, leaseClassOf);
    const fitting = LEASE_CLASSES.flatMap((name, number) => {
      const { bundles, anySize, bytes } = request[name] ?? {};
      let before = 0;
      return (byClass.get(number) ?? []).slice(0, bundles ?? 0).filter(({ size }, index) => {
        const fits = index < (anySize ?? 0) || before < (bytes ?? 0);
        before += size ?? 0;
        return fits;
      });
    });
    return fitting.slice(0, request.max || LEASE_MAX);
  }

  renew = async ({
    leaseIds,
  }: lightferry.ferry.v1.RenewRequest.$Properties): Promise<lightferry.ferry.v1.RenewResponse.$Properties> => {
    return { lost: (leaseIds ?? []).filter((leaseId) => !this.#leased.has(leaseId)) };
  };

  ack = async (request: AckRequest): Promise<object> => {
    if (request.passesDone === 1 && request.finished !== true) await this.holding;
    const leased = this.#leased.get(request.leaseId ?? "");
    if (leased === undefined) throw new GatewayError("outbox.lease-lost");
    leased.passesDone = request.passesDone ?? 0;
    const id = Buffer.from(leased.bundleId ?? []).toString("hex");
    if (request.refuseCode) this.kept.delete(id);
    else if (leased.passesDone > 0) this.kept.set(id, leased);
    if (request.finished === true || request.refuseCode) this.#leased.delete(request.leaseId ?? "");
    this.acks.push(request);
    this.ackedAt.push(performance.now());
    return {};
  };

  listEmitted = async (): Promise<lightferry.ferry.v1.ListEmittedResponse.$Properties> => {
    this.listings += 1;
    return { held: rangesOf(this.kept.values()), givenUp: rangesOf(this.givenUp), more: false };
  };

  recall = async (
    request: lightferry.ferry.v1.RecallRequest.$Properties,
  ): Promise<lightferry.ferry.v1.RecallResponse.$Properties> => {
    this.recalls.push(request);
    let [recalled, underWay] = [0, 0];
    const gone: Named[] = [];
    for (const { stream, ranges } of request.streams ?? []) {
      for (const { first, last } of ranges ?? []) {
        for (let sequence = first ?? 0; sequence <= (last ?? 0); sequence += 1) {
          const is = (one: LeasedBundle): boolean =>
            one.stream === stream && one.sequence === sequence;
          const found = [...this.kept.values()].find(is);
          if ([...this.#queue, ...this.#leased.values()].some(is)) underWay += 1;
          else if (found === undefined) gone.push({ stream: stream ?? "", sequence });
          else {
            recalled += 1;
            this.put({ ...found, repair: true });
          }
        }
      }
    }
    return { recalled, underWay, gone: rangesOf(gone) };
  };
}

/** One range for each number: enough for a test, and what the shortest page is. */
function rangesOf(bundles: Iterable<Named>): lightferry.ferry.v1.StreamRanges.$Properties[] {
  const byStream = Map.groupBy(bundles, ({ stream }) => stream ?? "");
  return [...byStream]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([stream, of]) => {
      const ranges: { first: number; last: number }[] = [];
      for (const { sequence } of of.toSorted((a, b) => (a.sequence ?? 0) - (b.sequence ?? 0))) {
        const number = sequence ?? 0;
        const last = ranges.at(-1);
        if (last?.last === number - 1) last.last = number;
        else ranges.push({ first: number, last: number });
      }
      return { stream, ranges };
    });
}
