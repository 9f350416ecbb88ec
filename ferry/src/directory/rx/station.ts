/**
 * Guarantee: the receiving half of an appliance's link put together from its parts, opened and closed in order.
 * The program around it only brings configuration, peers and keys.
 *
 * folder ─▶ intake ─▶ shipments ─▶ unpack ─▶ finish ─▶ Deliver ─▶ inbox
 *             └─▶ account, gaps (alarms)        └─▶ done log
 */
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { judgedTimes } from "@lightferry/proto/bundle";
import { asGatewayError } from "@lightferry/proto/errors";
import { Troubles } from "@lightferry/proto/service";
import type { SmProvider } from "@lightferry/proto/sm";
import type { KeyDirectory } from "@lightferry/proto/trust";
import { Alarms } from "../../alarms.ts";
import type { EventSink, Log } from "../../events.ts";
import { LagMeter } from "../../lag.ts";
import { removeAll } from "../../media/files.ts";
import type { RxLane, RxLink, RxPicture } from "../../picture.ts";
import { rangesText } from "../../ranges.ts";
import { missingPath } from "../../repair/missing.ts";
import { DoneLog } from "../../rx/done.ts";
import { Finisher } from "../../rx/finish.ts";
import { Gaps } from "../../rx/gaps.ts";
import type { InboxPeer } from "../../rx/lane.ts";
import { moveFile } from "../../rx/move-file.ts";
import { Quarantine } from "../../rx/quarantine.ts";
import { RefusedBundles } from "../../rx/refused.ts";
import { Rejections } from "../../rx/rejections.ts";
import { DEFAULT_ROOM_LIMITS, Room, type RoomLimits } from "../../rx/room.ts";
import { senderKeys } from "../../rx/sender-keys.ts";
import type { BelievedHead } from "../head.ts";
import { Decoder } from "./decode.ts";
import { Folder } from "./folder.ts";
import { Intake } from "./intake.ts";
import { Positions } from "./positions.ts";
import { ReceivedLog } from "./received.ts";
import { Shipments } from "./shipments.ts";
import { Unpacker } from "./unpack.ts";

/** The inbox verifies every chunk before it answers: seconds for a large bundle. */
const DELIVER_DEADLINE_MS = 600_000;
const TICK_MS = 1_000;
/** Counts are told so often. */
const REPORT_TICKS = 10;
/** Heartbeats that may stay away before it is told. */
const SILENT_BEATS = 3;
/** Files that were put away, kept for the officer; older ones go, their events stay. */
const KEEP_AWAY = 64;
/** Ranges of lost files named in one event. */
const MAX_NAMED = 32;
/** Clocks further apart than this are said: what the delay explains comes on top. */
const CLOCK_LIMIT_MS = 60_000;

export interface DirectoryStationOptions {
  readonly lane: string;
  readonly expectedSender: string;
  readonly arrivalsDir: string;
  readonly stateDir: string;
  /** Folder that the appliance fills. */
  readonly path: string;
  readonly pollMs: number;
  readonly notices: boolean;
  readonly settleMs: number;
  readonly delayMs: number;
  readonly heartbeatMs: number;
  readonly maxPartialBytes: number;
  readonly roomLimits?: RoomLimits;
  readonly provider: SmProvider;
  readonly keys: () => KeyDirectory;
  readonly inbox: InboxPeer;
  readonly events: EventSink;
  readonly log: Log;
  /** This machine's clock, Unix milliseconds. */
  readonly clock?: () => number;
  /** Tests look at the account more often. */
  readonly tickMs?: number;
}

export class DirectoryStation {
  readonly #options: DirectoryStationOptions;
  readonly #received: ReceivedLog;
  readonly #done: DoneLog;
  readonly #rejections = new Rejections({
    type: "gate.file-refused",
    code: "directory.file-refused",
  });
  readonly #stop = new AbortController();
  readonly #quarantine: Quarantine;
  readonly #finisher: Finisher;
  readonly #alarms: Alarms;
  readonly #gaps: Gaps;
  readonly #shipments: Shipments;
  readonly #space: Space;
  readonly #intake: Intake;
  readonly #folder: Folder;
  readonly #lag = new LagMeter();
  readonly #began = performance.now();
  readonly #positions: Positions;
  #running: Promise<void> = Promise.resolve();
  #recording: Promise<unknown> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #ticks = 0;
  #away = 0;

  private constructor(
    options: DirectoryStationOptions,
    received: ReceivedLog,
    done: DoneLog,
    gaps: Gaps,
    space: Space,
  ) {
    const { lane, expectedSender: sender, provider, keys, inbox, events, log } = options;
    const { arrivalsDir, stateDir, delayMs, clock = Date.now } = options;
    this.#options = options;
    this.#received = received;
    this.#done = done;
    this.#gaps = gaps;
    this.#space = space;
    this.#positions = new Positions(gaps, delayMs);
    const { signal } = this.#stop;
    const { account } = received;
    this.#alarms = new Alarms({ events, lane, log, clock });
    const troubles = new Troubles(events, (error) =>
      log.error({ code: asGatewayError(error).code }, "trouble could not be journalled"),
    );
    this.#quarantine = new Quarantine(join(stateDir, "quarantine"), lane, events);
    this.#finisher = new Finisher({
      ...{ provider, lane, arrivalsDir, done, events, log, signal },
      refused: new RefusedBundles(join(stateDir, "refused")),
      quarantine: this.#quarantine,
      claims: (of) => of === lane,
      verifyContext: () => ({
        ...judgedTimes(clock(), account.senderTime()),
        ...{ lane, sender, keys: keys() },
      }),
      senderTime: () => account.senderTime(),
      clock,
      deliver: async (request) => {
        const answer = await inbox.deliver(request, { deadlineMs: DELIVER_DEADLINE_MS, signal });
        const sentMs = account.senderTime()?.nowMs ?? clock();
        if (!request.refusedCode) this.#lag.note(request.bundleId ?? new Uint8Array(), sentMs);
        return answer;
      },
    });
    const finish = (object: Parameters<Finisher["finish"]>[0]) => this.#finisher.finish(object);
    const unpacker = new Unpacker({
      ...{
        provider,
        dir: partialDir(options),
        arrivalsDir,
        done,
        finish,
        troubles,
        lane,
        log,
        signal,
      },
    });
    this.#shipments = new Shipments({
      ...{ provider, delayMs, received, room: space.room, log, signal },
      ...{ dir: partialDir(options), maxBytes: options.maxPartialBytes, decoder: new Decoder() },
      unpack: unpacker.unpack,
      gaveUp: (id, size, good, why) => this.#gaveUp(id, size, good, why),
    });
    const verifier = senderKeys({
      ...{ provider, sender, keys, rejections: this.#rejections, now: clock },
      senderNow: () => account.senderTime()?.nowMs ?? clock(),
    });
    this.#intake = new Intake({
      ...{ provider, verifier, lane, received, shipments: this.#shipments },
      heard: (believed) => this.#heard(believed),
      inventory: (epoch, page) => this.#positions.inventory(verifier, lane, epoch, page),
    });
    this.#folder = new Folder({
      ...{ path: options.path, pollMs: options.pollMs, notices: options.notices },
      ...{ settleMs: options.settleMs, troubles, lane, log, signal },
      take: (path) => this.#intake.take(path),
      putAway: (path, reason) => this.#putAway(path, reason),
      count: (reason) => this.#rejections.count(reason),
    });
  }

  /** Reads what a former run left, then looks at the folder. @throws GatewayError `ferry.state-corrupt` */
  static async start(options: DirectoryStationOptions): Promise<DirectoryStation> {
    const { stateDir, arrivalsDir, lane, expectedSender, events, log, delayMs } = options;
    const own = ["refused", "quarantine", "refused-files"].map((name) => join(stateDir, name));
    for (const path of [arrivalsDir, partialDir(options), ...own]) {
      await mkdir(path, { recursive: true, mode: 0o750 });
    }
    const received = await ReceivedLog.open(
      ...([join(stateDir, "received.log"), delayMs, options.clock ?? Date.now] as const),
    );
    const done = await DoneLog.open(join(stateDir, "done.log"));
    const openGaps = await Gaps.opening({
      ...{ lane, sender: expectedSender, done, events, log, path: missingPath(stateDir, lane) },
      senderOffsetMs: () => received.account.clockOffsetMs,
    });
    const station = new DirectoryStation(
      options,
      received,
      done,
      openGaps(() => []),
      await spaceOf(options),
    );
    await station.#finisher.resume();
    station.#finisher.judgeAnew();
    await station.#shipments.load();
    station.#timer = setInterval(() => station.#tick(), options.tickMs ?? TICK_MS);
    station.#running = station.#folder.run();
    return station;
  }

  /** Certificates, lists or denials are others now: what was kept for its keys may count. */
  trustChanged(): void {
    this.#finisher.judgeAnew();
  }

  status(): Omit<RxLink, "link"> & RxLane & Pick<RxPicture, "role" | "space"> {
    const { lane, expectedSender: sender, path: folder } = this.#options;
    const { account } = this.#received;
    const { heardAt, clockOffsetMs } = account;
    const { taken, bytes, duplicates, foreign, waiting } = this.#folder.counts;
    const files = { taken, duplicates, foreign, waiting, putAway: this.#away };
    return {
      ...{ role: "rx", sender, lane, driver: "directory", locked: false, port: 0, folder },
      received: { datagrams: taken, bytes, overruns: 0, receiveBuffer: 0 },
      ...{ bytesPerSecond: this.#folder.rate.bytesPerSecond, frames: taken, files },
      epoch: account.epoch,
      accounted: { settled: account.settled, lost: account.lost },
      loss: { permille: permilleOf(account), frames: account.settled, lost: account.lost },
      alarms: this.#alarms.active,
      alarmCounts: Object.fromEntries(this.#alarms.counts),
      heartbeat: {
        count: this.#intake.heartbeats,
        silent: this.#alarms.has("ferry.heartbeat-missed"),
        secondsAgo: heardAt === undefined ? null : (performance.now() - heardAt) / 1_000,
        clockOffsetMs: clockOffsetMs === undefined ? null : Math.round(clockOffsetMs),
      },
      bundles: { ...this.#finisher.counts, waiting: this.#finisher.waiting },
      quarantine: this.#quarantine.picture(),
      ...{ objects: this.#shipments.size, heldBytes: this.#shipments.bytes },
      ...{ restored: this.#shipments.restored, repeats: this.#shipments.duplicates },
      progress: this.#shipments.progress(),
      rejected: this.#rejections.totals(),
      ...(this.#gaps.status() as Pick<RxLane, "gaps">),
      lag: this.#lag.lag,
      space: { ...this.#space.room.status(), alarms: this.#space.alarms.active },
    } as ReturnType<DirectoryStation["status"]>;
  }

  /** Stops looking and writes down what is there; the next start goes on with it. */
  async close(): Promise<void> {
    this.#stop.abort();
    clearInterval(this.#timer);
    await this.#running;
    await this.#shipments.close();
    await this.#finisher.judged();
    await this.#alarms.close();
    await this.#space.room.close();
    await this.#space.alarms.close();
    await this.#gaps.close();
    await this.#report();
    await this.#recording;
    await this.#received.close();
    await this.#done.close();
  }

  #heard({ head }: BelievedHead): void {
    const { epoch, streams } = head;
    this.#alarms.clear("ferry.heartbeat-missed", { epoch: String(epoch) });
    this.#positions.heard(streams);
  }

  #tick(): void {
    const { delayMs, heartbeatMs, log } = this.#options;
    const now = performance.now();
    const { account } = this.#received;
    const silence = now - (account.heardAt ?? this.#began);
    if (silence > SILENT_BEATS * heartbeatMs + delayMs) {
      this.#alarms.raise("ferry.heartbeat-missed", { seconds: (silence / 1_000).toFixed(1) });
    }
    this.#clock();
    void this.#space.room.look();
    this.#finisher.tick();
    this.#positions.tick(now);
    this.#gaps.tick();
    const settled = account.settled;
    for (const { epoch, ranges } of account.tick(now)) {
      const missing = rangesText(ranges.slice(0, MAX_NAMED));
      const files = ranges.reduce((sum, [from, to]) => sum + to - from + 1, 0);
      this.#gap({ files: String(files), missing, epoch: String(epoch) });
    }
    this.#ticks += 1;
    const guarded = (work: Promise<unknown>): void => {
      this.#recording = Promise.all([
        this.#recording,
        work.catch((error: unknown) => log.error({ err: error }, "not written")),
      ]);
    };
    if (account.settled !== settled) guarded(this.#received.settled());
    if (this.#ticks % REPORT_TICKS === 0) {
      guarded(this.#report());
      guarded(this.#shipments.tick());
    }
  }

  /** The appliance's delay makes the sender's clock seem to be behind: that much is no difference. */
  #clock(): void {
    const offset = this.#received.account.clockOffsetMs;
    if (offset === undefined) return;
    const { delayMs } = this.#options;
    const drift = offset > CLOCK_LIMIT_MS || offset < -CLOCK_LIMIT_MS - delayMs;
    const facts = { "limit-ms": String(CLOCK_LIMIT_MS), "offset-ms": String(Math.round(offset)) };
    if (drift) this.#alarms.raise("ferry.clock-drift", facts);
    else this.#alarms.clear("ferry.clock-drift", facts);
  }

  async #report(): Promise<void> {
    const { events, lane, log } = this.#options;
    await this.#rejections.report(events, lane, log).catch((error: unknown) => {
      log.error({ err: error }, "refusals not written");
    });
  }

  #gap(attributes: Record<string, string>): void {
    const { events, lane, log } = this.#options;
    log.warn(attributes, "files lost");
    const recorded = events
      .record([{ type: "gate.gap", outcome: "error", lane, attributes }])
      .catch((error: unknown) => log.error({ err: error }, "gap not written"));
    this.#recording = Promise.all([this.#recording, recorded]);
  }

  #gaveUp(shipment: string, size: number, good: number, why: string): void {
    const { events, lane, log } = this.#options;
    log.warn({ shipment, size, good, why }, "shipment given up");
    const attributes = { shipment, good: String(good), why };
    const type = "gate.object-incomplete";
    const recorded = events
      .record([{ type, outcome: "error", lane, size, attributes }])
      .catch((error: unknown) => log.error({ err: error }, "alarm not written"));
    this.#recording = Promise.all([this.#recording, recorded]);
  }

  /** Under a name of ours. */
  async #putAway(path: string, reason: string): Promise<void> {
    const dir = join(this.#options.stateDir, "refused-files");
    this.#away += 1;
    const name = `${Date.now().toString().padStart(15, "0")}-${this.#away}-${reason}.bin`;
    await moveFile(path, join(dir, name));
    const kept = (await readdir(dir)).sort();
    await removeAll(dir, kept.slice(0, Math.max(0, kept.length - KEEP_AWAY)));
  }
}

/** What the disk has left, and what is told of it. */
interface Space {
  readonly room: Room;
  readonly alarms: Alarms;
}

async function spaceOf(options: DirectoryStationOptions): Promise<Space> {
  const { stateDir, arrivalsDir, events, lane, log, clock = Date.now, roomLimits } = options;
  const alarms = new Alarms({ events, lane, log, clock });
  const directories = [stateDir, arrivalsDir];
  const limits = roomLimits ?? DEFAULT_ROOM_LIMITS;
  return { room: await Room.open({ directories, limits, alarms, events, log }), alarms };
}

/** State is kept by sender: what one sender began, another cannot continue. */
function partialDir({ stateDir, expectedSender }: DirectoryStationOptions): string {
  return join(stateDir, "shipments", expectedSender);
}

function permilleOf({
  lost,
  settled,
}: {
  readonly lost: number;
  readonly settled: number;
}): number {
  return settled === 0 ? 0 : Math.round((lost * 1_000) / settled);
}
