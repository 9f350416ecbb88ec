/**
 * Guarantee: a leased bundle is checked, put into a shipment that is durable before its first file, and
 * acknowledged as emitted only after its event and its journal line are; repeated passes send the very same
 * parts. A restart goes on at the group that was not over.
 *
 * lease ─▶ check ─▶ shipment ─▶ pass 1: groups ─▶ event ─▶ journal ─▶ Ack(1) ─▶ wait ─▶ pass 2 … ─▶ Ack(finished) ─▶ forget
 *            └─ refused: event ─▶ Ack(refuse_code)
 */
import { setTimeout as delay } from "node:timers/promises";
import { asGatewayError, type ErrorCode } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import type { EventSink, FerryEvent } from "../../events.ts";
import type { TxLane } from "../../picture.ts";
import { leaseClassOf, type Place, type Places } from "../../tx/places.ts";
import type { Profile } from "../profile.ts";
import type { Acks } from "./acks.ts";
import { composeShipment, type Fresh, freshOf, judge, type Refused, refusalOf } from "./compose.ts";
import type { Carried, Shipment } from "./journal.ts";
import { REPEAT_CLASS } from "./line.ts";
import { Passes, type PassParts } from "./passes.ts";

type Lease = lightferry.ferry.v1.LeasedBundle.$Properties;

/** Urgent, normal, bulk, repeated: each has one shipment on the line at a time. */
const CLASSES = 4;
/** Of one record of the journal. */
const EVENTS_AT_ONCE = 512;
/** After a fault that nobody foresaw. */
const AGAIN_MS = 2_000;

export interface CarrierParts extends PassParts {
  readonly profile: Profile;
  /** Where what is taken on counts. */
  readonly places: Places;
  readonly secondPassMs: number;
  readonly acks: Acks;
  readonly events: EventSink;
}

export class Carrier {
  readonly counts = { emitted: 0, finished: 0, refused: 0 };
  readonly #parts: CarrierParts;
  /** Leased and in no shipment yet, by class. */
  readonly #fresh: Fresh[][] = Array.from({ length: CLASSES }, () => []);
  /** Begun, waiting for the line, by class. */
  readonly #ready: Shipment[][] = Array.from({ length: CLASSES }, () => []);
  readonly #wake: (() => void)[] = [];
  /** Everything held, by bundle id. */
  readonly #held = new Map<string, Fresh | Carried>();
  /** Where each of them counts. */
  readonly #placed = new Map<string, Place>();
  readonly #running = new Set<Promise<void>>();
  readonly #passes: Passes;

  constructor(parts: CarrierParts) {
    this.#parts = parts;
    this.#passes = new Passes(parts);
  }

  get held(): number {
    return this.#held.size;
  }

  /** First passes not over. */
  get sending(): number {
    return this.#parts.places.sending;
  }

  /** Goes on with what a former run had not finished, and begins to work. */
  start(): void {
    const { journal, places } = this.#parts;
    for (const shipment of journal.shipments.values()) {
      for (const bundle of shipment.bundles) {
        this.#held.set(bundle.bundleId, bundle);
        const placed = places.take(shipment.serviceClass, bundle.size);
        if (shipment.passes > 0) placed.passed();
        this.#placed.set(bundle.bundleId, placed);
      }
      if (shipment.passes === 0) this.#ready[shipment.serviceClass]?.push(shipment);
      else this.#run(this.#afterPass(shipment));
    }
    for (let serviceClass = 0; serviceClass < CLASSES; serviceClass += 1) {
      this.#run(this.#serve(serviceClass));
    }
  }

  /** Takes a leased bundle, new or known. */
  take(lease: Lease): void {
    const fresh = freshOf(lease);
    const known = this.#held.get(fresh.bundleId);
    if (known !== undefined) {
      this.#parts.acks.renew(known, fresh.leaseId);
      return;
    }
    this.#held.set(fresh.bundleId, fresh);
    const serviceClass = leaseClassOf(lease);
    this.#placed.set(fresh.bundleId, this.#parts.places.take(serviceClass, fresh.size));
    this.#fresh[serviceClass]?.push(fresh);
    this.#wake[serviceClass]?.();
  }

  /** Under which the bundles are held, to be renewed. */
  leases(): string[] {
    return [...this.#held.values()].map(({ leaseId }) => leaseId).filter((id) => id !== "");
  }

  /** Given to another ferry, or over: what is in no shipment yet is not sent by this one. */
  lost(leaseIds: readonly string[]): void {
    const lost = new Set(leaseIds);
    for (const [index, fresh] of this.#fresh.entries()) {
      const kept = fresh.filter(({ leaseId }) => !lost.has(leaseId));
      for (const { bundleId, leaseId } of fresh) if (lost.has(leaseId)) this.#forget(bundleId);
      this.#fresh[index]?.splice(0, fresh.length, ...kept);
    }
  }

  /** Resolves when nothing of it runs any more; the signal of the parts must be aborted. */
  async settled(): Promise<void> {
    for (const wake of this.#wake) wake();
    await Promise.all(this.#running);
  }

  /** For the status. */
  passes(): TxLane["passes"] {
    return this.#passes.picture();
  }

  #run(work: Promise<void>): void {
    const { signal, log } = this.#parts;
    const run = work
      .catch((error: unknown) => {
        if (signal.aborted) return;
        const { code, detail } = asGatewayError(error);
        log.error({ code, detail }, "left until the next start");
      })
      .finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  async #serve(serviceClass: number): Promise<void> {
    const { signal, log } = this.#parts;
    const ready = this.#ready[serviceClass] ?? [];
    const fresh = this.#fresh[serviceClass] ?? [];
    while (!signal.aborted) {
      const begun = ready.shift();
      const next = begun ?? (await this.#compose(fresh, serviceClass));
      if (next !== undefined) {
        try {
          await this.#pass(next, begun === undefined);
        } catch (error) {
          if (signal.aborted) return;
          const { code, detail } = asGatewayError(error);
          log.error({ shipment: next.id, code, detail }, "pass broken off, tried again");
          await delay(AGAIN_MS, undefined, { signal });
          ready.push(next);
          continue;
        }
        this.#run(this.#afterPass(next));
      } else if (!signal.aborted && fresh.length === 0 && ready.length === 0) {
        await new Promise<void>((resolve) => {
          this.#wake[serviceClass] = resolve;
        });
      }
    }
  }

  async #compose(fresh: Fresh[], serviceClass: number): Promise<Shipment | undefined> {
    const { profile, check, journal } = this.#parts;
    const { shipment, refused } = await composeShipment(fresh, serviceClass, profile, check);
    for (const refusal of refused) this.#run(this.#refuse(refusal));
    if (shipment === undefined) return undefined;
    for (const bundle of shipment.bundles) {
      // A newer lease may have come while the others were looked at.
      bundle.leaseId = this.#held.get(bundle.bundleId)?.leaseId ?? bundle.leaseId;
      this.#held.set(bundle.bundleId, bundle);
    }
    await this.#passes.persist(() => journal.begin(shipment));
    return shipment;
  }

  async #refuse({ bundle, code, detail }: Refused): Promise<void> {
    const { log, events, acks } = this.#parts;
    log.warn({ bundle: bundle.bundleId, code, detail }, "bundle refused");
    await this.#passes.persist(() => events.record([this.#event(bundle, {}, code)]));
    await acks.tell(bundle, { refuseCode: code });
    this.#forget(bundle.bundleId);
    this.counts.refused += 1;
  }

  #forget(bundleId: string): void {
    this.#held.delete(bundleId);
    this.#placed.get(bundleId)?.left();
    this.#placed.delete(bundleId);
  }

  /**
   * One pass over all groups. What cannot be read or verified any more is left out, and the rest sent without it.
   * @param fresh it was verified a moment ago
   */
  async #pass(shipment: Shipment, fresh: boolean): Promise<void> {
    const { journal, events } = this.#parts;
    const fault =
      (fresh ? undefined : await this.#unfit(shipment)) ?? (await this.#passes.send(shipment));
    if (fault !== undefined) return await this.#without(shipment, fault);
    if (shipment.passes === 0) {
      const list = shipment.bundles.map((bundle) => this.#event(bundle, { shipment: shipment.id }));
      // Intent before effect: the events are durable before anyone may count on the pass.
      for (let from = 0; from < list.length; from += EVENTS_AT_ONCE) {
        await this.#passes.persist(() => events.record(list.slice(from, from + EVENTS_AT_ONCE)));
      }
      this.counts.emitted += shipment.bundles.length;
    }
    const passes = shipment.passes + 1;
    await this.#passes.persist(() => journal.passOver(shipment.id, passes, Date.now()));
    for (const { bundleId } of shipment.bundles) this.#placed.get(bundleId)?.passed();
  }

  /** A bundle may have expired, or its keys been revoked, while it waited. */
  async #unfit({ bundles }: Shipment): Promise<{ readonly detail: string } | undefined> {
    for (const bundle of bundles) {
      const refusal = await refusalOf(bundle, this.#parts.check());
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  }

  /** What verifies still goes on in a shipment of its own; of a repeated pass the first one stands. */
  async #without(shipment: Shipment, fault: { readonly detail: string }): Promise<void> {
    const { journal, check, log, profile } = this.#parts;
    log.warn({ shipment: shipment.id, detail: fault.detail }, "shipment cannot be read any more");
    const good: Carried[] = [];
    for (const bundle of shipment.bundles) {
      const refusal = await judge(bundle, check());
      if (typeof refusal === "string") good.push(bundle);
      else if (shipment.passes === 0) this.#run(this.#refuse({ bundle, ...refusal }));
      else this.#run(this.#finish(bundle, shipment.passes));
    }
    await this.#passes.persist(() => journal.done(shipment.id));
    const again = good.map((bundle): Fresh => ({ ...bundle, repeat: shipment.passes > 0 }));
    const serviceClass = shipment.passes > 0 ? REPEAT_CLASS : shipment.serviceClass;
    while (again.length > 0) {
      const { shipment: next, refused } = await composeShipment(
        again,
        serviceClass,
        profile,
        check,
      );
      for (const refusal of refused) this.#run(this.#refuse(refusal));
      if (next === undefined) continue;
      for (const bundle of next.bundles) this.#held.set(bundle.bundleId, bundle);
      await this.#passes.persist(() => journal.begin(next));
      this.#ready[serviceClass]?.push(next);
      this.#wake[serviceClass]?.();
    }
  }

  /** Tells the outbox and waits for the next pass, if there is one. */
  async #afterPass(shipment: Shipment): Promise<void> {
    const { profile, acks, secondPassMs, journal, signal } = this.#parts;
    // Went on in another shipment.
    if (!journal.shipments.has(shipment.id)) return;
    const last =
      shipment.passes >=
      Math.max(profile.passes, 1 + Number(shipment.serviceClass === REPEAT_CLASS));
    if (last) {
      await Promise.all(shipment.bundles.map((bundle) => this.#finish(bundle, shipment.passes)));
      await this.#passes.persist(() => journal.done(shipment.id));
      return;
    }
    const passesDone = shipment.passes;
    await Promise.all(shipment.bundles.map((bundle) => acks.tell(bundle, { passesDone })));
    // A clock that was set back does not hold it up for longer.
    const due = shipment.firstPassMs + passesDone * secondPassMs - Date.now();
    const wait = Math.min(due, secondPassMs);
    if (wait > 0) await delay(wait, undefined, { signal });
    this.#ready[REPEAT_CLASS]?.push(shipment);
    this.#wake[REPEAT_CLASS]?.();
  }

  async #finish(bundle: Carried, passesDone: number): Promise<void> {
    await this.#parts.acks.tell(bundle, { passesDone, finished: true });
    this.#forget(bundle.bundleId);
    this.counts.finished += 1;
  }

  #event(
    { bundleId, headerDigest, size, sequence, stream }: Fresh | Carried,
    more: Readonly<Record<string, string>>,
    code?: ErrorCode,
  ): FerryEvent {
    return {
      type: code === undefined ? "bundle.emitted" : "bundle.refused",
      outcome: code === undefined ? "ok" : "refused",
      ...(code === undefined ? {} : { code }),
      bundleId: Buffer.from(bundleId, "hex"),
      lane: this.#parts.check().lane,
      digest: Buffer.from(headerDigest, "hex"),
      size,
      attributes: {
        epoch: String(this.#parts.journal.epoch),
        sequence: String(sequence),
        stream,
        ...more,
      },
    };
  }
}
