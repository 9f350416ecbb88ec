/**
 * Guarantee: the sending half put together from its links and lanes, opened and closed in
 * order. The program around it only brings configuration, peers and keys.
 *
 * lane: outbox ─lease─▶ carry ─▶ pass ─▶ spread ─┬▶ link: order ─▶ emit ─▶ gate
 * lane: …                                         └▶ link: …   heartbeats ┘
 * tickets ─Recall─▶ outbox, for all lanes
 */
import { asGatewayError } from "@lightferry/proto/errors";
import { Troubles } from "@lightferry/proto/service";
import type { KeyDirectory } from "@lightferry/proto/trust";
import type { EventSink, Log } from "../events.ts";
import type { GateSender } from "../gate/gate.ts";
import { Pacer } from "../gate/pacer.ts";
import { goesBy } from "../lane-settings.ts";
import type { Code } from "../object.ts";
import type { TxLink } from "../picture.ts";
import type { LinkSigner } from "../signed.ts";
import { Emitter } from "./emit.ts";
import { Encoding } from "./encoding.ts";
import { HeartbeatSource } from "./heartbeat.ts";
import type { InventoryTimes } from "./inventory.ts";
import { TxJournal } from "./journal.ts";
import { LaneSending, type OutboxPeer, type SenderLane } from "./lane.ts";
import { LinkSecrets, type WrappedLinkKey } from "./link-keys.ts";
import type { LaneShare } from "./order.ts";
import { OwnClock } from "./own-clock.ts";
import type { TaggerOf } from "./tagger.ts";
import { TicketDesk } from "./tickets.ts";

export type { OutboxPeer } from "./lane.ts";

/** What waits while no ferry key is in force. */
const SIGNING = "signing";

/** A gate, and how much of what is to be sent goes by it. */
export interface SenderLink {
  /** 0 … 15 */
  readonly number: number;
  readonly gate: GateSender;
  /** Wire bytes per second. */
  readonly rateBytesPerSecond: number;
  /** UDP payload of a full frame in bytes; the same on all links of a lane. */
  readonly frameSize: number;
}

export interface SenderOptions {
  readonly node: string;
  /** At least one, with different names and numbers; of their links each has a lane. */
  readonly lanes: readonly SenderLane[];
  /** At least one, with different numbers, the lowest of which names the ferry. */
  readonly links: readonly SenderLink[];
  readonly stateDir: string;
  readonly code: Code;
  /** Between two passes of a bundle. */
  readonly secondPassMs: number;
  /** Of every bundle, 2 or 3; 2 when absent. */
  readonly passes?: number;
  readonly inventory?: InventoryTimes;
  /** Whether chunks have tags; false when absent. */
  readonly tags?: boolean;
  /** Node at the other end of a lane, by the registry: only it may ask for repairs. */
  readonly receiverOf: (lane: string) => string | undefined;
  readonly signer: LinkSigner;
  readonly keys: () => KeyDirectory;
  readonly outbox: OutboxPeer;
  readonly events: EventSink;
  readonly log: Log;
  /** Called when nothing more can be sent in this epoch; the program ends and begins another. */
  readonly failed?: (error: unknown) => void;
  /** This machine's clock, Unix milliseconds. */
  readonly clock?: () => number;
}

interface Sending {
  readonly of: SenderLink;
  readonly emitter: Emitter;
}

export class Sender {
  readonly #options: SenderOptions;
  readonly #journal: TxJournal;
  readonly #links: readonly Sending[];
  readonly #lanes: readonly LaneSending[];
  readonly #desk: TicketDesk;
  /** undefined: nothing is tagged. */
  readonly #secrets: LinkSecrets | undefined;
  /** Of all links: they sign with one key. */
  readonly #troubles: Troubles;
  readonly #stop: AbortController;

  private constructor(
    options: SenderOptions,
    journal: TxJournal,
    desk: TicketDesk,
    stop: AbortController,
  ) {
    const { node, lanes, code, secondPassMs, passes, inventory } = options;
    const { signer, keys, outbox, events, log } = options;
    this.#options = options;
    this.#journal = journal;
    this.#desk = desk;
    this.#stop = stop;
    this.#troubles = new Troubles(events, (error) =>
      log.error({ code: asGatewayError(error).code }, "trouble could not be journalled"),
    );
    const clock = new OwnClock(options.clock);
    if (options.tags === true) {
      this.#secrets = new LinkSecrets({ provider: signer.provider, keys, clock: clock.now });
    }
    const ordered = options.links.toSorted(byNumber);
    // One of each lane for all its links: a cap holds for all of them together.
    const shares = lanes.map((lane) => ({ lane, share: shareOf(lane) }));
    this.#links = ordered.map((of) => {
      const its = shares.filter(({ lane }) => goesBy(lane, of.number));
      return { of, emitter: this.#emitter(of, its, clock) };
    });
    const parts = {
      ...{ node, code, secondPassMs, passes, inventory, journal },
      ...{ desk, signer, keys, outbox, events, log, clock, signal: stop.signal },
      encoding: new Encoding(),
      failed: options.failed ?? ((error: unknown) => log.error({ err: error }, "leasing ended")),
      // The same over restarts: what it held stays leased to it. Another ferry's name is no start of this one.
      worker: `${node}/${ferryOf(options)}/ferry-tx`,
    };
    this.#lanes = lanes.map((lane) => {
      const its = this.#links.filter(({ of }) => goesBy(lane, of.number));
      const way = its.map(({ of: { number, rateBytesPerSecond: rate, frameSize }, emitter }) => {
        return { number, rate, frameSize, emitter };
      });
      return new LaneSending(lane, { ...parts, links: way, taggerOf: this.#taggerOf(lane, its) });
    });
    for (const { emitter } of this.#links) emitter.start();
    for (const lane of this.#lanes) lane.start();
  }

  /** Begins a new epoch and goes on with what a former run had not finished. */
  static async start(options: SenderOptions): Promise<Sender> {
    const { node, lanes, stateDir, signer, keys, receiverOf, outbox, events, log } = options;
    const stop = new AbortController();
    const journal = await TxJournal.open(stateDir, ferryOf(options));
    let sender: Sender | undefined;
    const desk = await TicketDesk.open({
      ...{ stateDir, node, receiverOf, provider: signer.provider, keys },
      lanes: lanes.map(({ name }) => name),
      recall: (request, call) => outbox.recall(request, call),
      demand: () => sender?.demandInventory(),
      ...{ events, log, clock: options.clock ?? Date.now, signal: stop.signal },
    });
    sender = new Sender(options, journal, desk, stop);
    desk.start();
    return sender;
  }

  /** Full inventories go next. */
  demandInventory(): void {
    for (const lane of this.#lanes) lane.demandInventory();
  }

  get epoch(): number {
    return this.#journal.epoch;
  }

  status(): object {
    const { node } = this.#options;
    const { epoch } = this.#journal;
    const links = this.#links.map(({ of: { number, gate, rateBytesPerSecond }, emitter }) => ({
      link: number,
      driver: gate.driver,
      locked: gate.locked,
      epoch,
      rateBytesPerSecond,
      tags: this.#tagsOf(number),
      nextFrame: emitter.framesNumbered,
      sent: { ...gate.stats(), ...emitter.rates },
    }));
    const lanes = this.#lanes.map((lane) => lane.picture());
    const memory = {
      shards: lanes.reduce((sum, lane) => sum + lane.memory.shards, 0),
      used: lanes.reduce((sum, lane) => sum + lane.memory.used, 0),
    };
    const tickets = this.#desk.counts;
    // Who has one link and one lane need look at nothing else.
    return { role: "tx", node, ...links[0], ...lanes[0], memory, tickets, links, lanes };
  }

  /** Stops sending; what was not finished goes on at the next start. */
  async close(): Promise<void> {
    this.#stop.abort();
    const { reason } = this.#stop.signal;
    await Promise.all(this.#links.map(({ emitter }) => emitter.stop(reason)));
    await this.#desk.close();
    for (const lane of this.#lanes) await lane.settled();
    for (const { of } of this.#links) await of.gate.close();
    await this.#journal.close();
  }

  /** Node that the heartbeats of a link tell a key: the one at the end of its lowest lane. */
  #nodeAt(link: number): string | undefined {
    const { lanes, receiverOf } = this.#options;
    const [lowest] = lanes.filter((lane) => goesBy(lane, link)).toSorted(byNumber);
    return lowest === undefined ? undefined : receiverOf(lowest.name);
  }

  #linkKey(link: number): WrappedLinkKey | undefined {
    const node = this.#nodeAt(link);
    return node === undefined ? undefined : this.#secrets?.told(node);
  }

  /** Why nothing that goes by a link is tagged, or that it is. */
  #tagsOf(link: number): NonNullable<TxLink["tags"]> {
    if (this.#secrets === undefined) return "off";
    return this.#linkKey(link) === undefined ? "certificate.unknown" : "on";
  }

  /** A lane has tags where each of its links tells its own node the key. */
  #taggerOf({ name }: SenderLane, links: readonly Sending[]): TaggerOf | undefined {
    const secrets = this.#secrets;
    if (secrets === undefined) return undefined;
    return (facts, frameSize) => {
      const node = this.#options.receiverOf(name);
      if (node === undefined || links.some(({ of }) => this.#nodeAt(of.number) !== node)) {
        return undefined;
      }
      return secrets.tagger(node, facts, frameSize);
    };
  }

  /** @param lanes those that go by the link, of which alone its heartbeats tell */
  #emitter(
    { number, gate, frameSize }: SenderLink,
    lanes: readonly { readonly lane: SenderLane; readonly share: LaneShare }[],
    clock: OwnClock,
  ): Emitter {
    const { signer, node, code } = this.#options;
    const names = lanes.map(({ lane }) => ({ number: lane.number, lane: lane.name }));
    const troubles = this.#troubles;
    const lane = names[0]?.lane ?? "";
    const signed = (fault: unknown): void => {
      void (fault === undefined ? troubles.over(SIGNING) : troubles.met(SIGNING, fault, { lane }));
    };
    const heartbeat = new HeartbeatSource({
      ...{ signer, sender: node, epoch: this.#journal.epoch, link: number, signed },
      linkKey: () => this.#linkKey(number),
      settings: { lanes: names, frameSize, ...code },
      positions: () =>
        new Map(
          this.#lanes
            .filter(({ links }) => links.includes(number))
            .flatMap((each) => [...each.positions()]),
        ),
      clock: clock.now,
    });
    const order = lanes.map(({ share }) => share);
    return new Emitter(gate, frameSize, heartbeat, { number, lanes: order });
  }
}

function byNumber(one: { readonly number: number }, other: { readonly number: number }): number {
  return one.number - other.number;
}

/** A ferry is named by its lowest link. */
function ferryOf({ links }: SenderOptions): number {
  return Math.min(...links.map(({ number }) => number));
}

/** One cap for all its links: who uses one of them has less on the others. */
function shareOf({ number, weight, rateBytesPerSecond }: SenderLane): LaneShare {
  const cap = rateBytesPerSecond === undefined ? undefined : new Pacer(rateBytesPerSecond);
  return { number, weight, cap };
}
