/**
 * Guarantee: the receiving half put together from its links and lanes, opened and closed
 * in order. What comes by a link of a lane goes to that lane, and to no other.
 * The program around it only brings configuration, peers and keys.
 *
 * gate of each link ─▶ receiver ─▶ lane of the frame: reassemble ─▶ finish ─▶ Deliver ─▶ its inbox
 *                         └─▶ link, watch (alarms)
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { lightferry } from "@lightferry/proto/gen";
import type { SmProvider } from "@lightferry/proto/sm";
import type { KeyDirectory } from "@lightferry/proto/trust";
import { Alarms } from "../alarms.ts";
import type { EventSink, Log } from "../events.ts";
import type { GateReceiver } from "../gate/gate.ts";
import { comesBy } from "../lane-settings.ts";
import { missingPath } from "../repair/missing.ts";
import type { LinkVerifier } from "../signed.ts";
import { type AlarmLimits, DEFAULT_ALARM_LIMITS } from "./alarm-limits.ts";
import { ArrivingLane, type StationLane } from "./lane.ts";
import { Link } from "./link.ts";
import { OpenedKeys } from "./link-keys.ts";
import { Pauses } from "./pauses.ts";
import { Receiver } from "./receiver.ts";
import { Rejections } from "./rejections.ts";
import { DEFAULT_ROOM_LIMITS, Room, type RoomLimits } from "./room.ts";
import { SenderClock } from "./sender-clock.ts";
import { senderKeys } from "./sender-keys.ts";
import { type ExpectedLink, LinkWatch } from "./watch.ts";

const TICK_MS = 1_000;
/** A private key is used once; what is not answered is asked for again in five seconds. */
const OPEN_DEADLINE_MS = 10_000;

/** A socket, and whose frames it takes. */
export interface StationLink {
  /** 0 … 15 */
  readonly number: number;
  /** Node id; sender of at least one lane that goes by it. */
  readonly expectedSender: string;
  readonly gate: GateReceiver;
  /** What this end was told of the link beside its lanes. */
  readonly expected?: Omit<ExpectedLink, "lanes" | "due"> | undefined;
}

export interface StationOptions {
  /** At least one, with different names and numbers. */
  readonly lanes: readonly StationLane[];
  /** At least one, with different numbers. */
  readonly links: readonly StationLink[];
  readonly stateDir: string;
  readonly provider: SmProvider;
  readonly keys: () => KeyDirectory;
  readonly events: EventSink;
  readonly log: Log;
  readonly alarmLimits?: AlarmLimits;
  readonly roomLimits?: RoomLimits;
  /** Whether tags are believed; false when absent. */
  readonly tags?: boolean;
  /** This machine's clock, Unix milliseconds. */
  readonly clock?: () => number;
}

/** What all links and lanes of a sender have in common. */
interface Sender {
  readonly links: Link[];
  /** Keys that do not count are counted with its first link. */
  readonly rejections: Rejections;
  readonly time: SenderClock;
  readonly verifier: LinkVerifier;
  readonly linkKeys: OpenedKeys | undefined;
}

/** One link, open. */
interface Listening {
  readonly of: StationLink;
  readonly link: Link;
  readonly rejections: Rejections;
  readonly alarms: Alarms;
  readonly watch: LinkWatch;
  readonly receiver: Receiver;
  readonly linkKeys: OpenedKeys | undefined;
}

export class Station {
  readonly #options: StationOptions;
  readonly #clock: () => number;
  readonly #stop = new AbortController();
  readonly #senders = new Map<string, Sender>();
  readonly #lanes = new Map<number, ArrivingLane>();
  readonly #links: Listening[] = [];
  /** For lanes whose disk is behind. */
  readonly #pauses: Pauses<StationLane>;
  /** What is alarmed of the machine and not of one link. */
  readonly #alarms: Alarms;
  readonly #room: Room;
  #timer: NodeJS.Timeout | undefined;

  private constructor(options: StationOptions, alarms: Alarms, room: Room) {
    this.#options = options;
    this.#pauses = new Pauses(options.links);
    this.#clock = options.clock ?? Date.now;
    this.#alarms = alarms;
    this.#room = room;
  }

  /** Reads what a former run left, then listens. */
  static async start(options: StationOptions): Promise<Station> {
    const { stateDir, lanes, links } = options;
    const directory = join(stateDir, "links");
    await mkdir(directory, { recursive: true, mode: 0o750 });
    const alarms = new Alarms(alarmParts(options, lanes[0]?.name));
    const station = new Station(options, alarms, await roomOf(options, alarms));
    const opened: (readonly [StationLink, Link])[] = [];
    for (const of of links) {
      const path = join(directory, `${of.number}.json`);
      const link = await Link.open(path, of.expectedSender, station.#clock);
      station.#sender(of.expectedSender).links.push(link);
      opened.push([of, link]);
    }
    for (const lane of lanes) station.#lanes.set(lane.number, await station.#openLane(lane));
    for (const [of, link] of opened) station.#links.push(station.#open(of, link));
    station.#listen();
    return station;
  }

  /** Certificates, lists or denials are others now: what was kept for its keys may count. */
  trustChanged(): void {
    for (const lane of this.#lanes.values()) lane.trustChanged();
  }

  /** Resolves when nothing of the quarantines is being judged. */
  async settled(): Promise<void> {
    for (const lane of this.#lanes.values()) await lane.settled();
  }

  status(): object {
    const links = this.#links.map(pictureOf);
    const lanes = this.#options.lanes.map((lane) => ({
      links: this.#options.links.filter((link) => comesBy(lane, link)).map(({ number }) => number),
      ...(this.#lanes.get(lane.number) as ArrivingLane).picture(),
    }));
    const rejected = sumOf([...links, ...lanes].map((part) => part.rejected));
    const space = { ...this.#room.status(), alarms: this.#alarms.active };
    // Who has one link and one lane need look at nothing else.
    return { role: "rx", ...links[0], ...lanes[0], rejected, space, links, lanes };
  }

  /** Stops listening and writes down what is there; the next start goes on with it. */
  async close(): Promise<void> {
    for (const { of } of this.#links) await of.gate.close();
    this.#stop.abort();
    clearInterval(this.#timer);
    for (const { receiver, alarms } of this.#links) {
      await receiver.close();
      await alarms.close();
    }
    for (const lane of this.#lanes.values()) await lane.close();
    await this.#room.close();
    await this.#alarms.close();
    for (const { link } of this.#links) await link.save();
  }

  #sender(name: string): Sender {
    const known = this.#senders.get(name);
    if (known !== undefined) return known;
    const { provider, keys } = this.#options;
    const links: Link[] = [];
    const rejections = new Rejections();
    const time = new SenderClock(links, this.#clock);
    const verifier = senderKeys({
      ...{ provider, sender: name, keys, rejections },
      senderNow: () => time.senderNow(),
      now: this.#clock,
    });
    const linkKeys = this.#linkKeysOf(name);
    const sender = { links, rejections, time, verifier, linkKeys };
    this.#senders.set(name, sender);
    return sender;
  }

  /** Opened by the front-proxy of its lowest lane, for whose node the key is wrapped. */
  #linkKeysOf(sender: string): OpenedKeys | undefined {
    const { tags, lanes, log } = this.#options;
    const its = lanes.filter((lane) => lane.expectedSender === sender);
    const inbox = its.toSorted((one, other) => one.number - other.number)[0]?.inbox;
    if (tags !== true || inbox === undefined) return undefined;
    const { signal } = this.#stop;
    const open = async (told: lightferry.ferry.v1.WrappedLinkKey.$Properties) => {
      const deadlineMs = OPEN_DEADLINE_MS;
      const { secret } = await inbox.openLinkKey({ ...told }, { deadlineMs, signal });
      return secret ?? new Uint8Array();
    };
    return new OpenedKeys({ open, log });
  }

  #openLane(lane: StationLane): Promise<ArrivingLane> {
    const { stateDir, provider, keys, events, log } = this.#options;
    const { time, verifier, linkKeys } = this.#sender(lane.expectedSender);
    const secretOf = linkKeys && ((epoch: number) => linkKeys.secret(epoch));
    return ArrivingLane.open({
      ...lane,
      stateDir: join(stateDir, "lanes", lane.name),
      missingPath: missingPath(stateDir, lane.name),
      ...{ provider, keys, verifier, time, secretOf, events, log },
      rejections: new Rejections(),
      clock: this.#clock,
      claims: (name) => this.#claimant(name, lane.arrivalsDir) === lane,
      room: this.#room,
      pause: () => this.#pauses.begin(lane),
      resume: () => this.#pauses.end(lane),
      signal: this.#stop.signal,
    });
  }

  #open(of: StationLink, link: Link): Listening {
    const { events, log, lanes, alarmLimits } = this.#options;
    const sender = this.#sender(of.expectedSender);
    const { verifier, links, linkKeys, rejections: ofFirst } = sender;
    const its = lanes.filter((lane) => comesBy(lane, of));
    const open: ArrivingLane[] = [];
    for (const { number } of its) open[number] = this.#lanes.get(number) as ArrivingLane;
    const lane = its[0]?.name ?? "";
    const rejections = links[0] === link ? ofFirst : new Rejections();
    const about = { link: String(of.number) };
    const alarms = new Alarms({ ...alarmParts(this.#options, lane), about });
    const watch = new LinkWatch({
      ...{ alarms, link },
      limits: alarmLimits ?? DEFAULT_ALARM_LIMITS,
      expected: {
        ...of.expected,
        lanes: its.map(nameOf),
        due: its.filter((lane) => lane.links !== undefined).map(nameOf),
      },
      received: () => of.gate.stats(),
    });
    const receiver = new Receiver({
      ...{ link, number: of.number, verifier, lanes: open, rejections, events, watch, log },
      linkKeys,
    });
    return { of, link, rejections, alarms, watch, receiver, linkKeys };
  }

  /** Whose an arrival is that a former run left: what names no lane of this folder goes to the first. */
  #claimant(name: string | undefined, arrivalsDir: string): StationLane | undefined {
    const lanes = this.#options.lanes.filter((lane) => lane.arrivalsDir === arrivalsDir);
    return lanes.find((lane) => lane.name === name) ?? lanes[0];
  }

  #listen(): void {
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    for (const { of, receiver } of this.#links) {
      receiver.start();
      if (of.gate.listenTogether === undefined) of.gate.listen(receiver.datagram);
      else of.gate.listenTogether(receiver.together);
    }
  }

  #tick(): void {
    void this.#room.look();
    for (const lane of this.#lanes.values()) lane.tick();
  }
}

/** As heartbeats are compared with it. */
function nameOf({ number, name }: StationLane): string {
  return `${number} ${name}`;
}

function alarmParts({ events, log, clock = Date.now }: StationOptions, lane = "") {
  return { events, lane, log, clock };
}

/** Where partial files and arrivals lie. */
async function roomOf(options: StationOptions, alarms: Alarms): Promise<Room> {
  const { stateDir, lanes, roomLimits, events, log } = options;
  const directories = [...new Set([stateDir, ...lanes.map(({ arrivalsDir }) => arrivalsDir)])];
  for (const path of directories) await mkdir(path, { recursive: true, mode: 0o750 });
  const limits = roomLimits ?? DEFAULT_ROOM_LIMITS;
  return await Room.open({ directories, limits, alarms, events, log });
}

function pictureOf({ of, link, rejections, alarms, watch, receiver, linkKeys }: Listening) {
  const { state, clockOffsetMs, heardAt } = link;
  const { gate } = of;
  const received = gate.stats();
  return {
    link: of.number,
    sender: of.expectedSender,
    driver: gate.driver,
    locked: gate.locked,
    port: gate.port,
    received,
    receiverOverruns: received.overruns,
    bytesPerSecond: watch.bytesPerSecond,
    frames: receiver.counts.frames,
    epoch: state.epoch,
    tags: linkKeys?.state(state.epoch) ?? "off",
    accounted: { settled: state.settled, lost: state.lost },
    heartbeat: {
      count: receiver.counts.heartbeats,
      silent: watch.silent,
      secondsAgo: heardAt === undefined ? null : (performance.now() - heardAt) / 1000,
      clockOffsetMs: clockOffsetMs ?? null,
      settings: watch.theirs ?? null,
    },
    loss: watch.loss,
    alarms: alarms.active,
    alarmCounts: Object.fromEntries(alarms.counts),
    rejected: rejections.totals(),
  };
}

/** Reasons and how often, of all parts together. */
function sumOf(parts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const part of parts) {
    for (const [reason, count] of Object.entries(part)) sums[reason] = (sums[reason] ?? 0) + count;
  }
  return sums;
}
