/**
 * Guarantee: the sending half of an appliance's link put together from its parts, opened and closed in order.
 * The program around it only brings configuration, peers and keys.
 *
 * outbox ─lease─▶ carry: check ─▶ shipment ─▶ groups: parity ─▶ outlet: turn, pace, sign ─▶ target
 *                   journal ◀── group, pass over ──┘                └─ heartbeat
 */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { asGatewayError } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import { Troubles } from "@lightferry/proto/service";
import type { KeyDirectory } from "@lightferry/proto/trust";
import type { EventSink, Log } from "../../events.ts";
import { LagMeter } from "../../lag.ts";
import { SET_ID_BYTES } from "../../manifest-parts.ts";
import type { TxLane, TxLink } from "../../picture.ts";
import type { LinkSigner } from "../../signed.ts";
import { InventorySource, type InventoryTimes } from "../../tx/inventory.ts";
import type { OutboxPeer } from "../../tx/lane.ts";
import { leaseBundles } from "../../tx/outbox.ts";
import { OwnClock } from "../../tx/own-clock.ts";
import { Places } from "../../tx/places.ts";
import { renewLeases } from "../../tx/renew.ts";
import { TicketDesk } from "../../tx/tickets.ts";
import type { Profile } from "../profile.ts";
import { Acks } from "./acks.ts";
import { Carrier } from "./carry.ts";
import { Groups } from "./groups.ts";
import { ShipmentJournal } from "./journal.ts";
import { applianceLimits } from "./lease.ts";
import { REPEAT_CLASS } from "./line.ts";
import { Outlet } from "./outlet.ts";
import type { Target } from "./target.ts";

/** The outbox waits at most so long for an acknowledgement to be answered. */
const ACK_DEADLINE_MS = 10_000;
/** Of a frame that would hold the longest page of an inventory: here a file does. */
const PAGE_FRAME = 65_536;

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
  /** The node at the other end, by the registry. */
  readonly receiver: () => string | undefined;
  readonly inventory?: InventoryTimes;
  readonly outbox: OutboxPeer;
  readonly events: EventSink;
  readonly log: Log;
  /** This machine's clock, Unix milliseconds. */
  readonly clock?: () => number;
}

export class DirectorySender {
  readonly #options: DirectorySenderOptions;
  readonly #journal: ShipmentJournal;
  readonly #groups: Groups;
  readonly #outlet: Outlet;
  readonly #carrier: Carrier;
  readonly #stop: AbortController;
  readonly #lag = new LagMeter();
  readonly #inventory: InventorySource;
  readonly #desk: TicketDesk;
  readonly #running: Promise<unknown>;

  private constructor(options: DirectorySenderOptions, opened: Opened) {
    const { journal, groups, desk, stop } = opened;
    this.#stop = stop;
    this.#desk = desk;
    const { node, lane, outboxDir, profile, signer, keys, outbox, events, log } = options;
    this.#options = options;
    this.#journal = journal;
    this.#groups = groups;
    const { signal } = stop;
    const troubles = new Troubles(events, (error) =>
      log.error({ code: asGatewayError(error).code }, "trouble could not be journalled"),
    );
    const clock = new OwnClock(options.clock);
    const { heartbeatMs, secondPassMs, target } = options;
    this.#outlet = new Outlet({
      ...{ node, lane, profile, heartbeatMs, target, journal, signer, troubles, log, signal },
      clock: clock.now,
    });
    const send = async (request: lightferry.ferry.v1.AckRequest.$Properties): Promise<unknown> => {
      const answer = await outbox.ack(request, { deadlineMs: ACK_DEADLINE_MS, signal });
      const first = request.passesDone === 1 || request.finished === true;
      if (first) this.#lag.note(request.bundleId ?? new Uint8Array(), clock.now());
      return answer;
    };
    const places = new Places(applianceLimits(profile));
    this.#carrier = new Carrier({
      ...{ profile, secondPassMs, journal, groups, outlet: this.#outlet, events, log, signal },
      places,
      troubles,
      acks: new Acks(send, log, signal),
      check: () => ({
        ...{ provider: signer.provider, keys: keys(), lane, node, outboxDir },
        times: clock.times(),
      }),
    });
    const carrier = this.#carrier;
    this.#inventory = new InventorySource({
      ...{ lane, node, epoch: journal.epoch, frameSize: PAGE_FRAME, signer, log, signal },
      ...{ passDelayMs: secondPassMs, times: options.inventory ?? timesOf(profile) },
      list: (request, call) => outbox.listEmitted(request, call),
      say: (parts) => this.#say(parts),
      clock: clock.now,
    });
    carrier.start();
    // The first part stays over restarts: the outbox gives a later instance what a killed one held.
    const worker = `${node}/ferry-tx/${randomUUID()}`;
    this.#running = Promise.all([
      this.#inventory.run(),
      renewLeases({ lane, carrier, log, signal, renew: (ask, call) => outbox.renew(ask, call) }),
      leaseBundles({
        ...{ lane, worker, places, log, signal },
        lease: (ask, call) => outbox.lease(ask, call),
        take: (bundle) => carrier.take(bundle),
        failed: (error) => log.error({ code: asGatewayError(error).code }, "no more is leased"),
      }),
    ]);
  }

  /** Begins a new epoch and goes on with what a former run had not finished. @throws GatewayError `ferry.state-corrupt` */
  static async start(options: DirectorySenderOptions): Promise<DirectorySender> {
    const { stateDir, profile, signer, node, lane, keys, receiver, outbox, events, log } = options;
    const stop = new AbortController();
    const parts = profile.dataParts + profile.parityParts;
    const groups = await Groups.open(join(stateDir, "parity"), signer.provider, parts);
    const journal = await ShipmentJournal.open(stateDir);
    let sender: DirectorySender | undefined;
    const desk = await TicketDesk.open({
      ...{ stateDir, node, lanes: [lane], receiverOf: receiver, provider: signer.provider, keys },
      recall: (request, call) => outbox.recall(request, call),
      demand: () => sender?.demandInventory(),
      ...{ events, log, clock: options.clock ?? Date.now, signal: stop.signal },
    });
    sender = new DirectorySender(options, { journal, groups, desk, stop });
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
      inventory: this.#inventory.status(),
      tickets: this.#desk.counts,
      lag: this.#lag.lag,
    } as ReturnType<DirectorySender["status"]>;
  }

  /** Stops sending; what was not finished goes on at the next start. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#desk.close();
    await this.#carrier.settled();
    await this.#outlet.settled();
    await this.#options.target.close();
    await this.#journal.close();
  }

  /** A page is one part, and so one file. */
  async #say(parts: readonly Uint8Array[]): Promise<void> {
    for (const part of parts) {
      const page = part.subarray(SET_ID_BYTES);
      const pieces = async function* (): AsyncIterable<Uint8Array> {
        yield page;
      };
      const head = { inventorySize: page.length };
      await this.#outlet.send({ head, length: page.length, parity: false, pieces }, REPEAT_CLASS);
    }
  }
}

interface Opened {
  readonly journal: ShipmentJournal;
  readonly groups: Groups;
  readonly desk: TicketDesk;
  readonly stop: AbortController;
}

/** Inventories take a twentieth of the files that the appliance bears at most. */
function timesOf({ filesPerMinute }: Profile): InventoryTimes {
  const recentMs = Math.max(60_000, filesPerMinute === 0 ? 0 : (20 * 60_000) / filesPerMinute);
  return { recentMs, windowMs: 10 * recentMs, fullMs: 60 * recentMs };
}
