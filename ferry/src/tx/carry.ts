/**
 * Guarantee: a leased bundle is checked, sent, acknowledged as emitted only
 * after its event and its journal line are durable, sent a second time after
 * the set delay, and acknowledged as finished. A restart goes on at the pass
 * that was not over.
 *
 * lease ─▶ check ─▶ pass 1 ─▶ journal ─▶ event ─▶ Ack(1) ─▶ wait ─▶ pass 2 ─▶ journal ─▶ Ack(finished) ─▶ forget
 *            └─ refused: event ─▶ Ack(refuse_code) ─▶ forget
 */
import { setTimeout as delay } from "node:timers/promises";
import { asGatewayError, GatewayError } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import { Turns } from "@lightferry/proto/service";
import type { EventSink, FerryEvent, Log } from "../events.ts";
import { FRAME_HEADER } from "../frame.ts";
import { type Code, Geometry } from "../object.ts";
import { untilAnswered } from "../retry.ts";
import type { LinkSigner } from "../signed.ts";
import { BundleFile } from "./bundle-file.ts";
import { type CheckContext, checkBundle, outboxPath, type Proof } from "./check.ts";
import type { Emitter } from "./emit.ts";
import { Encoding } from "./encoding.ts";
import type { Carried, TxJournal } from "./journal.ts";
import type { ShardMemory } from "./memory.ts";
import { channelOf, REPEAT_CLASS } from "./order.ts";
import { Pass, type PassKind } from "./pass.ts";
import { ObjectSource } from "./source.ts";

type Lease = lightferry.ferry.v1.LeasedBundle.$Properties;
type Ack = lightferry.ferry.v1.AckRequest.$Properties;

/** Passes of every bundle. */
const PASSES = 2;

/**
 * Bundles of one class read and sent at the same time. Small ones need company
 * to fill the line while their files are opened; large ones only take memory.
 */
const AT_ONCE: readonly number[] = [16, 16, 3, 8];

export interface CarrierParts {
  readonly journal: TxJournal;
  readonly emitter: Emitter;
  readonly memory: ShardMemory;
  readonly signer: LinkSigner;
  readonly events: EventSink;
  readonly log: Log;
  readonly check: () => CheckContext;
  readonly frameSize: number;
  readonly code: Code;
  readonly secondPassMs: number;
  readonly ack: (request: Ack) => Promise<unknown>;
  readonly signal: AbortSignal;
}

export interface CarrierCounts {
  emitted: number;
  finished: number;
  refused: number;
}

export class Carrier {
  readonly counts: CarrierCounts = { emitted: 0, finished: 0, refused: 0 };
  readonly #parts: CarrierParts;
  readonly #live = new Map<string, Carried>();
  readonly #turns = AT_ONCE.map((limit) => new Turns(limit));
  readonly #encoding = new Encoding();
  /** First passes not over, by class. */
  readonly #first = AT_ONCE.map(() => 0);
  readonly #running = new Set<Promise<void>>();

  constructor(parts: CarrierParts) {
    this.#parts = parts;
  }

  /** Bundles held, waiting for their second pass or under way. */
  get held(): number {
    return this.#live.size;
  }

  /** First passes not over. */
  get sending(): number {
    return this.#first.reduce((sum, count) => sum + count, 0);
  }

  /** … of them not bulk. */
  get sendingSoon(): number {
    return (this.#first[0] ?? 0) + (this.#first[1] ?? 0);
  }

  /** Goes on with everything that a former run had not finished. */
  resume(): void {
    for (const bundle of this.#parts.journal.bundles.values()) this.#start(bundle, false);
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
    known.leaseId = leaseId;
    this.#parts.journal.renewLease(bundleId, leaseId).catch(() => undefined);
    if (!this.#live.has(bundleId)) this.#start(known, false);
  }

  /** Resolves when nothing of it runs any more; the signal of the parts must be aborted. */
  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }

  #carried(lease: Lease, bundleId: string): Carried {
    const passes = Math.min(lease.passesDone ?? 0, PASSES);
    return {
      bundleId,
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
      begin = true;
    }
    this.#live.set(bundle.bundleId, bundle);
    const run = this.#carry(bundle, begin)
      .catch((error: unknown) => this.#gaveUp(bundle, error))
      .finally(() => {
        this.#live.delete(bundle.bundleId);
        this.#running.delete(run);
      });
    this.#running.add(run);
  }

  async #carry(bundle: Carried, begin: boolean): Promise<void> {
    const { journal } = this.#parts;
    if (bundle.passes === 0) {
      const channel = channelOf(bundle.priority);
      this.#first[channel] = (this.#first[channel] as number) + 1;
      try {
        if (!(await this.#firstPass(bundle, channel, begin))) return;
      } finally {
        this.#first[channel] = (this.#first[channel] as number) - 1;
      }
    } else if (begin) {
      await journal.begin(bundle);
    }
    if (bundle.passes < PASSES) {
      await this.#ack(bundle, { passesDone: bundle.passes });
      await this.#secondPass(bundle);
    }
    await this.#ack(bundle, { passesDone: PASSES, finished: true });
    await journal.done(bundle.bundleId);
    this.counts.finished += 1;
  }

  /** False when the bundle was refused. */
  async #firstPass(bundle: Carried, channel: number, begin: boolean): Promise<boolean> {
    const { journal, events } = this.#parts;
    const kind = { channel, serviceClass: channel, repeat: false };
    const refused = await this.#send(bundle, kind, () => {
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

  async #secondPass(bundle: Carried): Promise<void> {
    const { journal, secondPassMs, signal, events } = this.#parts;
    const wait = bundle.firstPassMs + secondPassMs - Date.now();
    if (wait > 0) await delay(wait, undefined, { signal });
    const channel = channelOf(bundle.priority);
    const refused = await this.#send(bundle, { channel, serviceClass: REPEAT_CLASS, repeat: true });
    if (refused !== undefined) {
      // The first pass stands; what can no longer be verified is not sent again.
      const event = this.#event("bundle.refused", bundle, refused.code);
      await events.record([{ ...event, attributes: { ...event.attributes, pass: "2" } }]);
    }
    await journal.passOver(bundle.bundleId, PASSES, Date.now());
    bundle.passes = PASSES;
  }

  /**
   * Checks a bundle and sends it, when it is its turn.
   * @param checked called before the first frame
   * @returns why the bundle is not sent, or undefined when it was
   */
  async #send(
    bundle: Carried,
    kind: PassKind,
    checked: () => void = () => undefined,
  ): Promise<GatewayError | undefined> {
    const { emitter, check } = this.#parts;
    return await (this.#turns[kind.serviceClass] as Turns).run(async () => {
      let file: BundleFile | undefined;
      let passing = false;
      try {
        file = await BundleFile.open(outboxPath(check().outboxDir, bundle.file));
        const proof = await checkBundle(bundle, file, check());
        checked();
        passing = true;
        await emitter.send(this.#pass(bundle, file, proof, kind));
        return undefined;
      } catch (error) {
        const { code } = asGatewayError(error);
        // Clocks are at fault, not the bundle: it is leased and looked at again.
        if (code === "bundle.from-future") throw error;
        // That nothing can be signed now, say, is not the fault of a bundle that was never sent.
        const its = !passing || kind.repeat || code === "ferry.file-invalid";
        if (its && error instanceof GatewayError && error.code !== "rpc.cancelled") return error;
        throw error;
      } finally {
        await file?.close();
      }
    });
  }

  #pass(bundle: Carried, file: BundleFile, proof: Proof, kind: PassKind): Pass {
    const { signer, emitter, check, frameSize, journal, memory } = this.#parts;
    const { lane, node } = check();
    const facts = {
      objectId: bundle.objectId,
      bundleId: Buffer.from(bundle.bundleId, "hex"),
      headerDigest: Buffer.from(bundle.headerDigest, "hex"),
      sender: node,
      lane,
      geometry: new Geometry(bundle.size, bundle.shardSize, bundle.code),
      proof,
    };
    const source = new ObjectSource(facts, file, this.#encoding);
    const { wake } = emitter;
    return new Pass(source, kind, { epoch: journal.epoch, frameSize, signer, memory, wake });
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
    // The lease may be renewed while the outbox is away.
    await untilAnswered(() => ack({ ...answer, bundleId, leaseId: bundle.leaseId }), signal);
  }

  /** Stays in the journal: the outbox leases it out again, or a restart goes on with it. */
  #gaveUp(bundle: Carried, cause: unknown): void {
    if (this.#parts.signal.aborted) return;
    const error = asGatewayError(cause);
    this.#parts.log.error(
      { bundle: bundle.bundleId, code: error.code, detail: error.detail },
      "bundle put aside until it is leased again",
    );
  }

  #event(type: "bundle.emitted" | "bundle.refused", bundle: Carried, code?: string): FerryEvent {
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

/** The journal of an older program names no code. */
function sameCode(one: Code | undefined, other: Code): boolean {
  return one?.groupShards === other.groupShards && one.parityShards === other.parityShards;
}
