/**
 * Guarantee: a leased bundle is checked, sent, acknowledged as emitted only
 * after its event and its journal line are durable, sent a second and, where it
 * is set, a third time after the set delay, and acknowledged as finished. One
 * that a repair ticket asks for is sent once more, those of its groups that are
 * asked for. A restart goes on at the pass that was not over.
 *
 * lease ─▶ check ─▶ pass 1 ─▶ event ─▶ journal ─▶ Ack(1) ─▶ wait ─▶ pass 2 (3) ─▶ journal ─▶ Ack(finished) ─▶ forget
 *   │        └─ refused: event ─▶ Ack(refuse_code) ─▶ forget
 *   └─ repair ─▶ check ─▶ repeated pass ─▶ event ─▶ journal ─▶ Ack(finished) ─▶ forget
 */
import { setTimeout as delay } from "node:timers/promises";
import { asGatewayError } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import type { EventSink, FerryEvent, Log } from "../events.ts";
import { FRAME_HEADER } from "../frame.ts";
import type { Code } from "../object.ts";
import { rangesText } from "../ranges.ts";
import { isTransient, untilAnswered } from "../retry.ts";
import type { LinkSigner } from "../signed.ts";
import { type Asked, repairOf, sameCode } from "./asked.ts";
import type { CheckContext } from "./check.ts";
import type { Encoding } from "./encoding.ts";
import type { Carried, Repair, TxJournal } from "./journal.ts";
import { channelOf, REPEAT_CLASS } from "./order.ts";
import { leaseClassOf, type Place, type Places } from "./places.ts";
import type { Spread } from "./spread.ts";
import type { TaggerOf } from "./tagger.ts";
import { LEASE_LOST, Transmit } from "./transmit.ts";

type Lease = lightferry.ferry.v1.LeasedBundle.$Properties;
type Ack = lightferry.ferry.v1.AckRequest.$Properties;

/** An event is a line of evidence: groups are named as far as a line goes. */
const MAX_GROUPS_TEXT = 1_000;

export interface CarrierParts {
  readonly journal: TxJournal;
  /** Over the links of the lane. */
  readonly spread: Spread;
  /** Of the lane, on the wire. */
  readonly laneNumber: number;
  readonly encoding: Encoding;
  /** Where what is taken on counts. */
  readonly places: Places;
  readonly signer: LinkSigner;
  /** undefined: no object has tags. */
  readonly taggerOf?: TaggerOf | undefined;
  readonly events: EventSink;
  readonly log: Log;
  readonly check: () => CheckContext;
  readonly frameSize: number;
  readonly code: Code;
  /** Between two passes of a bundle. */
  readonly secondPassMs: number;
  /** Of every bundle. */
  readonly passes: number;
  /** What is known of a bundle that was recalled. */
  readonly asked: (bundle: Carried) => Asked | undefined;
  readonly ack: (request: Ack) => Promise<unknown>;
  /** The epoch has no more object ids: the program must begin another. */
  readonly failed: (error: unknown) => void;
  readonly signal: AbortSignal;
}

export interface CarrierCounts {
  emitted: number;
  finished: number;
  refused: number;
  repaired: number;
  /** Given to another ferry because their leases ran out here. */
  takenOver: number;
}

export class Carrier {
  readonly counts: CarrierCounts = {
    ...{ emitted: 0, finished: 0, refused: 0, repaired: 0 },
    takenOver: 0,
  };
  readonly #parts: CarrierParts;
  readonly #live = new Map<string, Carried>();
  readonly #transmit: Transmit;
  readonly #running = new Set<Promise<void>>();
  /** Leases that are another's by now. */
  readonly #lost = new Set<string>();
  /** Asked for again by a ticket while their end was being written here, which the outbox knew before: taken when it is. */
  readonly #again = new Map<string, Lease>();

  constructor(parts: CarrierParts) {
    this.#parts = parts;
    const { epoch } = parts.journal;
    this.#transmit = new Transmit({ ...parts, epoch, lost: (leaseId) => this.#lost.has(leaseId) });
  }

  /** Bundles held, waiting for their second pass or under way. */
  get held(): number {
    return this.#live.size;
  }

  /** First passes not over. */
  get sending(): number {
    return this.#parts.places.sending;
  }

  /** Goes on with everything that a former run had not finished. */
  resume(): void {
    const { journal, check } = this.#parts;
    const { lane } = check();
    for (const bundle of journal.bundles.values()) {
      if (bundle.lane === lane) this.#start(bundle, false);
    }
  }

  /** Lowest number of each stream whose first pass is not over. */
  underWay(): Map<string, number> {
    const lowest = new Map<string, number>();
    for (const { stream, sequence, passes, repair } of this.#live.values()) {
      if (passes > 0 || repair !== undefined) continue;
      lowest.set(stream, Math.min(sequence, lowest.get(stream) ?? sequence));
    }
    return lowest;
  }

  /** Leases of all that is held. */
  leases(): string[] {
    return Array.from(this.#live.values(), ({ leaseId }) => leaseId);
  }

  /** Leases that the outbox gave to somebody else, or ended: no further pass is begun under them. */
  lost(leaseIds: readonly string[]): void {
    const held = new Set(this.leases());
    for (const leaseId of leaseIds) if (held.has(leaseId)) this.#lost.add(leaseId);
  }

  /** Takes a leased bundle, new or known. */
  take(lease: Lease): void {
    const bundleId = Buffer.from(lease.bundleId ?? []).toString("hex");
    const leaseId = lease.leaseId ?? "";
    const known = this.#live.get(bundleId) ?? this.#parts.journal.bundles.get(bundleId);
    if (known === undefined) {
      this.#start(this.#carried(lease, bundleId), true);
      return;
    }
    if (lease.repair === true && known.repair === undefined && this.#live.has(bundleId)) {
      this.#again.set(bundleId, lease);
      return;
    }
    this.#lost.delete(known.leaseId);
    known.leaseId = leaseId;
    if (lease.repair === true && !this.#live.has(bundleId)) known.repair ??= this.#repairOf(known);
    this.#parts.journal.renewLease(bundleId, leaseId).catch(() => undefined);
    if (!this.#live.has(bundleId)) this.#start(known, false);
  }

  /** Resolves when nothing of it runs any more; the signal of the parts must be aborted. */
  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }

  #carried(lease: Lease, bundleId: string): Carried {
    const passes = Math.min(lease.passesDone ?? 0, this.#parts.passes);
    const bundle: Carried = {
      bundleId,
      lane: this.#parts.check().lane,
      objectId: this.#parts.journal.newObjectId(),
      shardSize: this.#shardSize,
      code: this.#parts.code,
      file: lease.file ?? "",
      size: lease.size ?? 0,
      headerDigest: Buffer.from(lease.headerDigest ?? []).toString("hex"),
      stream: lease.stream ?? "",
      sequence: lease.sequence ?? 0,
      priority: lease.priority ?? "",
      leaseId: lease.leaseId ?? "",
      passes,
      firstPassMs: passes > 0 ? Date.now() : 0,
    };
    if (lease.repair === true) bundle.repair = this.#repairOf(bundle);
    return bundle;
  }

  #repairOf(bundle: Carried): Repair {
    const { asked, journal } = this.#parts;
    return repairOf(bundle, asked(bundle), journal, this.#live.values());
  }

  get #shardSize(): number {
    return this.#parts.frameSize - FRAME_HEADER;
  }

  #start(bundle: Carried, fresh: boolean): void {
    let begin = fresh;
    const { code } = this.#parts;
    if (bundle.shardSize !== this.#shardSize || !sameCode(bundle.code, code)) {
      // Cut or coded otherwise it is another object to the far side.
      bundle.objectId = this.#parts.journal.newObjectId();
      bundle.shardSize = this.#shardSize;
      bundle.code = code;
      if (bundle.repair !== undefined) bundle.repair = { ...bundle.repair, groups: [] };
      begin = true;
    }
    this.#live.set(bundle.bundleId, bundle);
    const { priority, passes: passesDone, repair } = bundle;
    const leaseClass = leaseClassOf({ priority, passesDone, repair: repair !== undefined });
    const placed = this.#parts.places.take(leaseClass, bundle.size);
    const run = this.#carry(bundle, begin, placed)
      .catch((error: unknown) => this.#gaveUp(bundle, error))
      .finally(() => {
        if (this.#live.get(bundle.bundleId) === bundle) this.#live.delete(bundle.bundleId);
        placed.left();
        this.#lost.delete(bundle.leaseId);
        this.#running.delete(run);
        this.#takeAgain(bundle.bundleId);
      });
    this.#running.add(run);
  }

  #takeAgain(bundleId: string): void {
    const { signal, failed } = this.#parts;
    const lease = this.#again.get(bundleId);
    if (lease === undefined || this.#live.has(bundleId)) return;
    this.#again.delete(bundleId);
    if (signal.aborted) return;
    try {
      this.take(lease);
    } catch (error) {
      failed(error);
    }
  }

  async #carry(bundle: Carried, begin: boolean, placed: Place): Promise<void> {
    const { journal, passes } = this.#parts;
    if (bundle.repair !== undefined) {
      if (begin) await journal.begin(bundle);
      if (!(await this.#repair(bundle, bundle.repair))) return;
    } else if (bundle.passes === 0) {
      if (!(await this.#firstPass(bundle, begin))) return;
    } else if (begin) {
      await journal.begin(bundle);
    }
    placed.passed();
    while (bundle.passes < passes) {
      await this.#ack(bundle, { passesDone: bundle.passes });
      await this.#repeat(bundle);
    }
    await this.#ack(bundle, { passesDone: passes, finished: true });
    await journal.done(bundle.bundleId);
    this.counts.finished += 1;
  }

  /** False when the bundle was refused. */
  async #firstPass(bundle: Carried, begin: boolean): Promise<boolean> {
    const { journal, events } = this.#parts;
    const channel = channelOf(bundle.priority);
    const kind = { channel, serviceClass: channel, repeat: false };
    const refused = await this.#transmit.send(bundle, kind, () => {
      // The pass ends with a line of its own, so this one need not be waited for.
      if (begin) journal.begin(bundle).catch(() => undefined);
    });
    if (refused !== undefined) {
      await this.#refuse(bundle, refused);
      return false;
    }
    // Intent before effect: the event is durable before anyone may count on the pass.
    await events.record([this.#event("bundle.emitted", bundle)]);
    const now = Date.now();
    await journal.passOver(bundle.bundleId, 1, now);
    bundle.passes = 1;
    bundle.firstPassMs = now;
    this.counts.emitted += 1;
    return true;
  }

  /** The pass after the one that was over last. */
  async #repeat(bundle: Carried): Promise<void> {
    const { journal, secondPassMs, signal, events } = this.#parts;
    const wait = bundle.firstPassMs + bundle.passes * secondPassMs - Date.now();
    if (wait > 0) await delay(wait, undefined, { signal });
    const channel = channelOf(bundle.priority);
    const refused = await this.#transmit.send(bundle, {
      channel,
      serviceClass: REPEAT_CLASS,
      repeat: true,
    });
    const pass = bundle.passes + 1;
    if (refused !== undefined) {
      // The first pass stands; what can no longer be verified is not sent again.
      const event = this.#event("bundle.refused", bundle, refused.code);
      await events.record([{ ...event, attributes: { ...event.attributes, pass: String(pass) } }]);
    }
    await journal.passOver(bundle.bundleId, pass, Date.now());
    bundle.passes = pass;
  }

  /** What a ticket asked for. False when the bundle was refused: it cannot be had any more. */
  async #repair(bundle: Carried, { ticket, groups }: Repair): Promise<boolean> {
    const { journal, events, passes } = this.#parts;
    const channel = channelOf(bundle.priority);
    const kind = { channel, serviceClass: REPEAT_CLASS, repeat: true };
    const refused = await this.#transmit.send(bundle, kind, undefined, groups);
    if (refused !== undefined) {
      await this.#refuse(bundle, refused);
      return false;
    }
    const event = this.#event("bundle.repeated", bundle);
    const sent = groups.length === 0 ? "all" : rangesText(groups);
    const known = ticket === "" ? {} : { ticket };
    const attributes = { ...event.attributes, ...known, groups: sent.slice(0, MAX_GROUPS_TEXT) };
    await events.record([{ ...event, attributes }]);
    await journal.repaired(bundle.bundleId);
    bundle.repair = undefined;
    bundle.passes = passes;
    this.counts.repaired += 1;
    return true;
  }

  async #refuse(bundle: Carried, cause: unknown): Promise<void> {
    const error = asGatewayError(cause);
    const { events, journal, log } = this.#parts;
    log.warn({ bundle: bundle.bundleId, code: error.code, detail: error.detail }, "bundle refused");
    await events.record([this.#event("bundle.refused", bundle, error.code)]);
    await this.#ack(bundle, { refuseCode: error.code });
    await journal.done(bundle.bundleId);
    this.counts.refused += 1;
  }

  async #ack(bundle: Carried, answer: Omit<Ack, "bundleId" | "leaseId">): Promise<void> {
    const { ack, signal } = this.#parts;
    const bundleId = Buffer.from(bundle.bundleId, "hex");
    // The lease may be another while the outbox is away, or by the time that it answers.
    let { leaseId } = bundle;
    await untilAnswered(
      () => {
        leaseId = bundle.leaseId;
        return ack({ ...answer, bundleId, leaseId });
      },
      signal,
      (error) =>
        isTransient(error) ||
        (asGatewayError(error).code === LEASE_LOST && leaseId !== bundle.leaseId),
    );
  }

  /**
   * Stays in the journal: the outbox leases it out again, or a restart goes on with it. But what was
   * given to another is not this ferry's any more.
   */
  async #gaveUp(bundle: Carried, cause: unknown): Promise<void> {
    const { signal, log, journal } = this.#parts;
    if (signal.aborted) return;
    const error = asGatewayError(cause);
    if (error.code === LEASE_LOST) {
      log.info({ bundle: bundle.bundleId }, "taken over by another ferry");
      this.counts.takenOver += 1;
      // At once: this ferry may be the other, and get its new lease while the line is being written.
      this.#live.delete(bundle.bundleId);
      await journal.done(bundle.bundleId);
      return;
    }
    log.error(
      { bundle: bundle.bundleId, code: error.code, detail: error.detail },
      "bundle put aside until it is leased again",
    );
  }

  #event(
    type: "bundle.emitted" | "bundle.refused" | "bundle.repeated",
    bundle: Carried,
    code?: string,
  ): FerryEvent {
    return {
      type,
      outcome: code === undefined ? "ok" : "refused",
      ...(code === undefined ? {} : { code }),
      bundleId: Buffer.from(bundle.bundleId, "hex"),
      lane: this.#parts.check().lane,
      digest: Buffer.from(bundle.headerDigest, "hex"),
      size: bundle.size,
      attributes: {
        epoch: String(this.#parts.journal.epoch),
        object: String(bundle.objectId),
        sequence: String(bundle.sequence),
        stream: bundle.stream,
      },
    };
  }
}
