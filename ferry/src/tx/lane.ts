/**
 * Guarantee: one lane of the sending half: what it leases, holds, sends and tells of itself is
 * its own, its shards have a memory of their own for each link, and only the links and the journal are shared.
 *
 * outbox ─lease─▶ carry: check ─▶ source ─▶ spread ─▶ pass ─▶ link
 *                       journal ◀─────── pass over ──┘└ memory
 * outbox ─ListEmitted─▶ inventory ─▶ links      leases ─renew, 10 s─▶ outbox
 */
import type { lightferry } from "@lightferry/proto/gen";
import type { CallOptions } from "@lightferry/proto/rpc";
import type { KeyDirectory } from "@lightferry/proto/trust";
import type { EventSink, Log } from "../events.ts";
import { CHANNEL, FRAME_HEADER, FRAME_TYPE } from "../frame.ts";
import { LagMeter } from "../lag.ts";
import type { LaneId, LaneWay } from "../lane-settings.ts";
import type { Code } from "../object.ts";
import type { LinkSigner } from "../signed.ts";
import { Carrier } from "./carry.ts";
import type { Emitter } from "./emit.ts";
import type { Encoding } from "./encoding.ts";
import type { StreamState } from "./heartbeat.ts";
import { DEFAULT_INVENTORY, InventorySource, type InventoryTimes } from "./inventory.ts";
import type { TxJournal } from "./journal.ts";
import { ShardMemory } from "./memory.ts";
import { Message } from "./message.ts";
import { GATE_LIMITS, leaseBundles } from "./outbox.ts";
import type { OwnClock } from "./own-clock.ts";
import { Places } from "./places.ts";
import { renewLeases } from "./renew.ts";
import { Spread, type SpreadLink } from "./spread.ts";
import type { TaggerOf } from "./tagger.ts";
import type { TicketDesk } from "./tickets.ts";

/** The outbox waits at most so long for an acknowledgement to be answered. */
const ACK_DEADLINE_MS = 10_000;
/** A pass and its repetition. */
const DEFAULT_PASSES = 2;
/** A page of an inventory has no code over it: said twice, one in 10,000 parts is lost at 1 % loss. */
const PAGE_COPIES = 2;

type LeaseResponse = lightferry.ferry.v1.LeaseResponse.$Properties;

/** What the sending half asks of the outbox; the RPC client is one. */
export interface OutboxPeer {
  lease(
    request: lightferry.ferry.v1.LeaseRequest.$Properties,
    options: CallOptions,
  ): Promise<LeaseResponse>;
  ack(request: lightferry.ferry.v1.AckRequest.$Properties, options: CallOptions): Promise<object>;
  renew(
    request: lightferry.ferry.v1.RenewRequest.$Properties,
    options: CallOptions,
  ): Promise<lightferry.ferry.v1.RenewResponse.$Properties>;
  listEmitted(
    request: lightferry.ferry.v1.ListEmittedRequest.$Properties,
    options: CallOptions,
  ): Promise<lightferry.ferry.v1.ListEmittedResponse.$Properties>;
  recall(
    request: lightferry.ferry.v1.RecallRequest.$Properties,
    options: CallOptions,
  ): Promise<lightferry.ferry.v1.RecallResponse.$Properties>;
}

/** What a lane is, by the settings. */
export interface SenderLane extends LaneId, LaneWay {
  /** Share of what urgent bundles leave, beside the other lanes. */
  readonly weight: number;
  /** Wire bytes per second on all its links together. */
  readonly rateBytesPerSecond?: number | undefined;
  readonly outboxDir: string;
}

/** A link that a lane goes by. */
export interface LaneLink {
  readonly number: number;
  readonly emitter: Emitter;
  /** Wire bytes per second. */
  readonly rate: number;
  readonly frameSize: number;
}

/** What a lane's sending needs beside what the settings say of it. */
export interface LaneSendingParts {
  readonly node: string;
  /** As the outbox knows this ferry. */
  readonly worker: string;
  readonly code: Code;
  readonly secondPassMs: number;
  readonly passes: number | undefined;
  readonly inventory: InventoryTimes | undefined;
  readonly journal: TxJournal;
  /** Of the lane, by their numbers; at least one, and their frames are of one size. */
  readonly links: readonly LaneLink[];
  /** Of all lanes. */
  readonly encoding: Encoding;
  readonly desk: TicketDesk;
  readonly signer: LinkSigner;
  /** Of this lane's objects; undefined: they have no tags. */
  readonly taggerOf: TaggerOf | undefined;
  readonly keys: () => KeyDirectory;
  readonly outbox: OutboxPeer;
  readonly events: EventSink;
  readonly log: Log;
  readonly clock: OwnClock;
  readonly failed: (error: unknown) => void;
  readonly signal: AbortSignal;
}

export class LaneSending {
  readonly #lane: SenderLane;
  readonly #parts: LaneSendingParts;
  readonly #links: readonly (LaneLink & SpreadLink)[];
  readonly #places = new Places(GATE_LIMITS);
  readonly #carrier: Carrier;
  readonly #inventory: InventorySource;
  readonly #lag = new LagMeter();
  #running: Promise<unknown> = Promise.resolve();

  constructor(lane: SenderLane, parts: LaneSendingParts) {
    const { node, code, secondPassMs, journal, encoding, desk, signer } = parts;
    const { taggerOf, keys, outbox, events, log, clock, failed, signal } = parts;
    const { name, outboxDir } = lane;
    const [{ frameSize }] = parts.links as [LaneLink];
    this.#lane = lane;
    this.#parts = parts;
    this.#links = parts.links.map((link) => {
      return { ...link, memory: new ShardMemory(frameSize - FRAME_HEADER, code) };
    });
    const spread = new Spread(this.#links);
    this.#carrier = new Carrier({
      ...{ journal, spread, encoding, signer, taggerOf, events },
      ...{ log, frameSize, code, failed, signal },
      places: this.#places,
      laneNumber: lane.number,
      check: () => ({
        ...{ provider: signer.provider, keys: keys(), lane: name, node, outboxDir },
        times: clock.times(),
      }),
      secondPassMs,
      passes: parts.passes ?? DEFAULT_PASSES,
      asked: (bundle) => desk.asked(bundle),
      ack: async (request) => {
        const answer = await outbox.ack(request, { deadlineMs: ACK_DEADLINE_MS, signal });
        if (request.passesDone === 1)
          this.#lag.note(request.bundleId ?? new Uint8Array(), clock.now());
        return answer;
      },
    });
    this.#inventory = new InventorySource({
      ...{ lane: name, node, epoch: journal.epoch, frameSize, signer, log, signal },
      passDelayMs: secondPassMs,
      times: parts.inventory ?? DEFAULT_INVENTORY,
      list: (request, call) => outbox.listEmitted(request, call),
      say: (pages) => this.#say(pages),
      clock: clock.now,
    });
  }

  /** Goes on with what a former run had not finished, and leases. */
  start(): void {
    const { outbox, worker, log, failed, signal } = this.#parts;
    const carrier = this.#carrier;
    const lane = this.#lane.name;
    carrier.resume();
    this.#running = Promise.all([
      this.#inventory.run(),
      renewLeases({
        lane,
        carrier,
        signal,
        log,
        renew: (request, call) => outbox.renew(request, call),
      }),
      leaseBundles({
        ...{ lane, worker, places: this.#places, log, failed, signal },
        take: (bundle) => carrier.take(bundle),
        lease: (request, call) => outbox.lease(request, call),
      }),
    ]);
  }

  /** Numbers of its links. */
  get links(): readonly number[] {
    return this.#links.map(({ number }) => number);
  }

  /** How far each stream of the lane is. */
  positions(): Map<string, StreamState> {
    const under = this.#carrier.underWay();
    const positions = new Map<string, StreamState>();
    for (const [stream, sequence] of this.#streams()) {
      positions.set(stream, { sequence, underWay: under.get(stream) ?? 0 });
      under.delete(stream);
    }
    for (const [stream, underWay] of under) positions.set(stream, { sequence: 0, underWay });
    return positions;
  }

  /** A full inventory goes next. */
  demandInventory(): void {
    this.#inventory.demand();
  }

  picture() {
    const { name, number, weight, rateBytesPerSecond = null } = this.#lane;
    return {
      lane: name,
      number,
      weight,
      rateBytesPerSecond,
      links: this.links,
      coding: this.#links[0]?.memory.variant ?? "",
      memory: {
        shards: this.#links.reduce((sum, { memory }) => sum + memory.shards, 0),
        used: this.#links.reduce((sum, { memory }) => sum + memory.used, 0),
      },
      passes: this.#passes(),
      bundles: {
        ...this.#carrier.counts,
        sending: this.#carrier.sending,
        held: this.#carrier.held,
      },
      inventory: this.#inventory.status(),
      lag: this.#lag.lag,
      streams: Object.fromEntries(this.#streams()),
    };
  }

  /** Resolves when nothing of it runs any more; the signal of the parts must be aborted, the links stopped. */
  async settled(): Promise<void> {
    await this.#running;
    await this.#carrier.settled();
  }

  #streams(): [stream: string, sequence: number][] {
    const beginning = `${this.#lane.name}/`;
    return [...this.#parts.journal.positions].filter(([stream]) => stream.startsWith(beginning));
  }

  /** Each link says it: what one loses another brings. */
  async #say(pages: readonly Uint8Array[]): Promise<void> {
    const { epoch } = this.#parts.journal;
    const { number: lane } = this.#lane;
    const head = { type: FRAME_TYPE.INVENTORY, epoch, channel: CHANNEL.normal, lane };
    const copies = this.#links.length > 1 ? 1 : PAGE_COPIES;
    const said = this.#links.map(({ emitter }) => emitter.say(new Message(head, pages, copies)));
    await Promise.all(said);
  }

  /** Passes under way, each on all its links together. */
  #passes() {
    const shown = new Map<string, { bundle: string; pass: number; bytes: number; size: number }>();
    for (const { emitter } of this.#links) {
      for (const { lane, bundleId, bytes, size, kind } of emitter.passes) {
        if (lane !== this.#lane.number) continue;
        const bundle = Buffer.from(bundleId).toString("hex");
        const known = shown.get(bundle);
        if (known === undefined)
          shown.set(bundle, { bundle, pass: kind.repeat ? 2 : 1, bytes, size });
        else known.bytes += bytes;
      }
    }
    return [...shown.values()];
  }
}
