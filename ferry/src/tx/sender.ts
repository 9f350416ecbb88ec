/**
 * Guarantee: the sending half put together from its parts, opened and closed in
 * order. The program around it only brings configuration, peers and keys.
 *
 * outbox ─lease─▶ carry: check ─▶ source ─▶ pass ─▶ order ─▶ emit ─▶ gate
 *                       journal ◀── pass over ──┘└ memory   ├─ heartbeat, 1 s
 * tickets ─Recall─▶ outbox ─ListEmitted─▶ inventory ──────────┘
 */

import { asGatewayError } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import type { CallOptions } from "@lightferry/proto/rpc";
import { Troubles } from "@lightferry/proto/service";
import type { KeyDirectory } from "@lightferry/proto/trust";
import type { EventSink, Log } from "../events.ts";
import { CHANNEL, FRAME_HEADER, FRAME_TYPE } from "../frame.ts";
import type { GateSender } from "../gate/gate.ts";
import { LagMeter } from "../lag.ts";
import type { Code } from "../object.ts";
import type { LinkSigner } from "../signed.ts";
import { Carrier } from "./carry.ts";
import { Emitter } from "./emit.ts";
import { HeartbeatSource } from "./heartbeat.ts";
import { DEFAULT_INVENTORY, InventorySource, type InventoryTimes } from "./inventory.ts";
import { TxJournal } from "./journal.ts";
import { ShardMemory } from "./memory.ts";
import { Message, type MessageHead } from "./message.ts";
import { leaseBundles } from "./outbox.ts";
import { OwnClock } from "./own-clock.ts";
import { TicketDesk } from "./tickets.ts";

/** The outbox waits at most so long for an acknowledgement to be answered. */
const ACK_DEADLINE_MS = 10_000;
/** A pass and its repetition. */
const DEFAULT_PASSES = 2;
/** A page of an inventory has no code over it: said twice, one in 10,000 parts is lost at 1 % loss. */
const PAGE_COPIES = 2;
/** What waits while no ferry key is in force. */
const SIGNING = "signing";

type LeaseResponse = lightferry.ferry.v1.LeaseResponse.$Properties;

/** What the sending half asks of the outbox; the RPC client is one. */
export interface OutboxPeer {
  lease(
    request: lightferry.ferry.v1.LeaseRequest.$Properties,
    options: CallOptions,
  ): Promise<LeaseResponse>;
  ack(request: lightferry.ferry.v1.AckRequest.$Properties, options: CallOptions): Promise<object>;
  listEmitted(
    request: lightferry.ferry.v1.ListEmittedRequest.$Properties,
    options: CallOptions,
  ): Promise<lightferry.ferry.v1.ListEmittedResponse.$Properties>;
  recall(
    request: lightferry.ferry.v1.RecallRequest.$Properties,
    options: CallOptions,
  ): Promise<lightferry.ferry.v1.RecallResponse.$Properties>;
}

export interface SenderOptions {
  readonly node: string;
  readonly lane: string;
  readonly outboxDir: string;
  readonly stateDir: string;
  readonly frameSize: number;
  readonly code: Code;
  /** Between two passes of a bundle. */
  readonly secondPassMs: number;
  /** Of every bundle, 2 or 3; 2 when absent. */
  readonly passes?: number;
  readonly inventory?: InventoryTimes;
  /** Node at the other end of the lane, by the registry: only it may ask for repairs. */
  readonly receiver: () => string | undefined;
  readonly gate: GateSender;
  readonly signer: LinkSigner;
  readonly keys: () => KeyDirectory;
  readonly outbox: OutboxPeer;
  readonly events: EventSink;
  readonly log: Log;
  /** This machine's clock, Unix milliseconds. */
  readonly clock?: () => number;
}

export class Sender {
  readonly #options: SenderOptions;
  readonly #journal: TxJournal;
  readonly #emitter: Emitter;
  readonly #carrier: Carrier;
  readonly #memory: ShardMemory;
  readonly #lag = new LagMeter();
  readonly #inventory: InventorySource;
  readonly #desk: TicketDesk;
  readonly #stop: AbortController;
  readonly #leasing: Promise<void>;
  readonly #listing: Promise<void>;

  private constructor(
    options: SenderOptions,
    journal: TxJournal,
    desk: TicketDesk,
    stop: AbortController,
  ) {
    const { node, lane, outboxDir, frameSize, code, gate, signer, keys, outbox, log } = options;
    this.#options = options;
    this.#journal = journal;
    this.#desk = desk;
    this.#stop = stop;
    const settings = { lane, frameSize, ...code };
    const positions = () => journal.positions;
    const troubles = new Troubles(options.events, (error) =>
      log.error({ code: asGatewayError(error).code }, "trouble could not be journalled"),
    );
    const signed = (fault: unknown): void => {
      void (fault === undefined ? troubles.over(SIGNING) : troubles.met(SIGNING, fault, { lane }));
    };
    const clock = new OwnClock(options.clock);
    const heartbeat = new HeartbeatSource(
      ...([signer, node, journal.epoch, settings, positions, signed] as const),
      clock.now,
    );
    this.#emitter = new Emitter(gate, frameSize, heartbeat);
    const { signal } = this.#stop;
    this.#memory = new ShardMemory(frameSize - FRAME_HEADER, code);
    this.#carrier = new Carrier({
      journal,
      emitter: this.#emitter,
      memory: this.#memory,
      signer,
      events: options.events,
      log,
      check: () => ({
        ...{ provider: signer.provider, keys: keys(), lane, node, outboxDir },
        times: clock.times(),
      }),
      frameSize,
      code,
      secondPassMs: options.secondPassMs,
      passes: options.passes ?? DEFAULT_PASSES,
      asked: (bundle) => desk.asked(bundle),
      ack: async (request) => {
        const answer = await outbox.ack(request, { deadlineMs: ACK_DEADLINE_MS, signal });
        if (request.passesDone === 1)
          this.#lag.note(request.bundleId ?? new Uint8Array(), clock.now());
        return answer;
      },
      signal,
    });
    this.#inventory = new InventorySource({
      ...{ lane, node, epoch: journal.epoch, frameSize, signer, log, signal },
      passDelayMs: options.secondPassMs,
      times: options.inventory ?? DEFAULT_INVENTORY,
      list: (request, call) => outbox.listEmitted(request, call),
      say: (parts) => this.#emitter.say(new Message(this.#inventoryHead, parts, PAGE_COPIES)),
      clock: clock.now,
    });
    this.#emitter.start();
    this.#carrier.resume();
    this.#listing = this.#inventory.run();
    this.#leasing = leaseBundles({
      lease: (request, call) => outbox.lease(request, call),
      lane,
      worker: `${node}/ferry-tx`,
      carrier: this.#carrier,
      log,
      signal,
    });
  }

  /** Begins a new epoch and goes on with what a former run had not finished. */
  static async start(options: SenderOptions): Promise<Sender> {
    const { node, lane, stateDir, signer, keys, receiver, outbox, events, log } = options;
    const stop = new AbortController();
    const journal = await TxJournal.open(stateDir);
    let sender: Sender | undefined;
    const desk = await TicketDesk.open({
      ...{ stateDir, node, lanes: [lane], receiverOf: receiver, provider: signer.provider, keys },
      recall: (request, call) => outbox.recall(request, call),
      demand: () => sender?.demandInventory(),
      ...{ events, log, clock: options.clock ?? Date.now, signal: stop.signal },
    });
    sender = new Sender(options, journal, desk, stop);
    desk.start();
    return sender;
  }

  /** A full inventory goes next. */
  demandInventory(): void {
    this.#inventory.demand();
  }

  get epoch(): number {
    return this.#journal.epoch;
  }

  get #inventoryHead(): MessageHead {
    const { epoch } = this.#journal;
    return { type: FRAME_TYPE.INVENTORY, epoch, channel: CHANNEL.normal, lane: 0 };
  }

  status(): object {
    const { gate, lane, node } = this.#options;
    return {
      role: "tx",
      node,
      lane,
      driver: gate.driver,
      locked: gate.locked,
      epoch: this.#journal.epoch,
      nextFrame: this.#emitter.framesNumbered,
      sent: { ...gate.stats(), ...this.#emitter.rates },
      coding: this.#memory.variant,
      memory: { shards: this.#memory.shards, used: this.#memory.used },
      passes: Array.from(this.#emitter.passes, ({ bundleId, bytes, size, kind }) => ({
        bundle: Buffer.from(bundleId).toString("hex"),
        pass: kind.repeat ? 2 : 1,
        bytes,
        size,
      })),
      bundles: {
        ...this.#carrier.counts,
        sending: this.#carrier.sending,
        held: this.#carrier.held,
      },
      inventory: this.#inventory.status(),
      tickets: this.#desk.counts,
      lag: this.#lag.lag,
      streams: Object.fromEntries(this.#journal.positions),
    };
  }

  /** Stops sending; what was not finished goes on at the next start. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#emitter.stop(this.#stop.signal.reason);
    await this.#leasing;
    await this.#listing;
    await this.#desk.close();
    await this.#carrier.settled();
    await this.#options.gate.close();
    await this.#journal.close();
  }
}
