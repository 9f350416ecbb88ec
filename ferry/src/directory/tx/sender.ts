/**
 * Guarantee: the sending half of an appliance's link put together from its parts, opened and closed in order.
 * The program around it only brings configuration, peers and keys.
 *
 * outbox ─lease─▶ carry: check ─▶ shipment ─▶ groups: parity ─▶ outlet: turn, pace, sign ─▶ target
 *                   journal ◀── group, pass over ──┘                └─ heartbeat
 */
import { join } from "node:path";
import { asGatewayError } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import { Troubles } from "@lightferry/proto/service";
import type { KeyDirectory } from "@lightferry/proto/trust";
import type { EventSink, Log } from "../../events.ts";
import { LagMeter } from "../../lag.ts";
import type { OutboxPeer } from "../../media/export.ts";
import type { TxLane, TxLink } from "../../picture.ts";
import type { LinkSigner } from "../../signed.ts";
import { OwnClock } from "../../tx/own-clock.ts";
import type { Profile } from "../profile.ts";
import { Acks } from "./acks.ts";
import { Carrier } from "./carry.ts";
import { Groups } from "./groups.ts";
import { ShipmentJournal } from "./journal.ts";
import { leaseBundles } from "./lease.ts";
import { Outlet } from "./outlet.ts";
import type { Target } from "./target.ts";

/** The outbox waits at most so long for an acknowledgement to be answered. */
const ACK_DEADLINE_MS = 10_000;

export interface DirectorySenderOptions {
  readonly node: string;
  readonly lane: string;
  readonly outboxDir: string;
  readonly stateDir: string;
  readonly profile: Profile;
  readonly heartbeatMs: number;
  readonly secondPassMs: number;
  readonly target: Target;
  readonly signer: LinkSigner;
  readonly keys: () => KeyDirectory;
  readonly outbox: OutboxPeer;
  readonly events: EventSink;
  readonly log: Log;
}

export class DirectorySender {
  readonly #options: DirectorySenderOptions;
  readonly #journal: ShipmentJournal;
  readonly #groups: Groups;
  readonly #outlet: Outlet;
  readonly #carrier: Carrier;
  readonly #stop = new AbortController();
  readonly #lag = new LagMeter();
  readonly #leasing: Promise<void>;

  private constructor(options: DirectorySenderOptions, journal: ShipmentJournal, groups: Groups) {
    const { node, lane, outboxDir, profile, signer, keys, outbox, events, log } = options;
    this.#options = options;
    this.#journal = journal;
    this.#groups = groups;
    const { signal } = this.#stop;
    const troubles = new Troubles(events, (error) =>
      log.error({ code: asGatewayError(error).code }, "trouble could not be journalled"),
    );
    const clock = new OwnClock();
    const { heartbeatMs, secondPassMs, target } = options;
    this.#outlet = new Outlet({
      ...{ node, lane, profile, heartbeatMs, target, journal, signer, troubles, log, signal },
    });
    const send = async (request: lightferry.ferry.v1.AckRequest.$Properties): Promise<unknown> => {
      const answer = await outbox.ack(request, { deadlineMs: ACK_DEADLINE_MS, signal });
      const first = request.passesDone === 1 || request.finished === true;
      if (first) this.#lag.note(request.bundleId ?? new Uint8Array(), clock.now());
      return answer;
    };
    this.#carrier = new Carrier({
      ...{ profile, secondPassMs, journal, groups, outlet: this.#outlet, events, log, signal },
      troubles,
      acks: new Acks(send, log, signal),
      check: () => ({
        ...{ provider: signer.provider, keys: keys(), lane, node, outboxDir },
        times: clock.times(),
      }),
    });
    this.#carrier.start();
    const worker = `${node}/ferry-tx`;
    this.#leasing = leaseBundles({ outbox, lane, worker, carrier: this.#carrier, log, signal });
  }

  /** Begins a new epoch and goes on with what a former run had not finished. @throws GatewayError `ferry.state-corrupt` */
  static async start(options: DirectorySenderOptions): Promise<DirectorySender> {
    const { stateDir, profile, signer } = options;
    const parts = profile.dataParts + profile.parityParts;
    const groups = await Groups.open(join(stateDir, "parity"), signer.provider, parts);
    return new DirectorySender(options, await ShipmentJournal.open(stateDir), groups);
  }

  get epoch(): number {
    return this.#journal.epoch;
  }

  status(): Omit<TxLink, "link"> & TxLane & { readonly role: "tx"; readonly node: string } {
    const { lane, node } = this.#options;
    const { sent, number } = this.#outlet;
    const { counts, sending, held } = this.#carrier;
    const { files: frames, bytes, heartbeats, retried, parityBytes } = sent;
    const appliance = { target: this.#options.target.where, waiting: this.#outlet.waiting };
    return {
      ...{ role: "tx", node, lane, driver: "directory", locked: false, ...appliance },
      ...{ epoch: this.#journal.epoch, nextFrame: number + 1, heartbeats },
      sent: {
        ...{ frames, bytes, retried, failed: 0, bytesPerSecond: this.#outlet.rate.bytesPerSecond },
        parityShare: bytes === 0 ? 0 : parityBytes / bytes,
      },
      coding: this.#groups.variant,
      memory: this.#groups.memory,
      passes: this.#carrier.passes(),
      bundles: { ...counts, sending, held },
      streams: Object.fromEntries(this.#journal.positions),
      lag: this.#lag.lag,
    } as ReturnType<DirectorySender["status"]>;
  }

  /** Stops sending; what was not finished goes on at the next start. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#leasing;
    await this.#carrier.settled();
    await this.#outlet.settled();
    await this.#options.target.close();
    await this.#journal.close();
  }
}
