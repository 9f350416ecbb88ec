/**
 * Guarantee: the sending half put together from its parts, opened and closed in
 * order. The program around it only brings configuration, peers and keys.
 *
 * outbox ─lease─▶ carry: check ─▶ source ─▶ pass ─▶ order ─▶ emit ─▶ gate
 *                       journal ◀── pass over ──┘└ memory   └─ heartbeat, 1 s
 */

import { asGatewayError } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import type { CallOptions } from "@lightferry/proto/rpc";
import { Troubles } from "@lightferry/proto/service";
import type { KeyDirectory } from "@lightferry/proto/trust";
import type { EventSink, Log } from "../events.ts";
import { FRAME_HEADER } from "../frame.ts";
import type { GateSender } from "../gate/gate.ts";
import { LagMeter } from "../lag.ts";
import type { Code } from "../object.ts";
import type { LinkSigner } from "../signed.ts";
import { Carrier } from "./carry.ts";
import { Emitter } from "./emit.ts";
import { HeartbeatSource } from "./heartbeat.ts";
import { TxJournal } from "./journal.ts";
import { ShardMemory } from "./memory.ts";
import { leaseBundles } from "./outbox.ts";
import { OwnClock } from "./own-clock.ts";

/** The outbox waits at most so long for an acknowledgement to be answered. */
const ACK_DEADLINE_MS = 10_000;
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
}

export interface SenderOptions {
  readonly node: string;
  readonly lane: string;
  readonly outboxDir: string;
  readonly stateDir: string;
  readonly frameSize: number;
  readonly code: Code;
  readonly secondPassMs: number;
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
  readonly #stop = new AbortController();
  readonly #leasing: Promise<void>;

  private constructor(options: SenderOptions, journal: TxJournal) {
    const { node, lane, outboxDir, frameSize, code, gate, signer, keys, outbox, log } = options;
    this.#options = options;
    this.#journal = journal;
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
      ack: async (request) => {
        const answer = await outbox.ack(request, { deadlineMs: ACK_DEADLINE_MS, signal });
        if (request.passesDone === 1)
          this.#lag.note(request.bundleId ?? new Uint8Array(), clock.now());
        return answer;
      },
      signal,
    });
    this.#emitter.start();
    this.#carrier.resume();
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
    return new Sender(options, await TxJournal.open(options.stateDir));
  }

  get epoch(): number {
    return this.#journal.epoch;
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
      lag: this.#lag.lag,
      streams: Object.fromEntries(this.#journal.positions),
    };
  }

  /** Stops sending; what was not finished goes on at the next start. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#emitter.stop(this.#stop.signal.reason);
    await this.#leasing;
    await this.#carrier.settled();
    await this.#options.gate.close();
    await this.#journal.close();
  }
}
