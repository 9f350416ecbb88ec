/**
 * Guarantee: the receiving half put together from its parts, opened and closed
 * in order. The program around it only brings configuration, peers and keys.
 *
 * gate ─▶ receiver ─▶ reassemble ─▶ finish ─▶ Deliver ─▶ inbox
 *            └─▶ link, gaps (alarms)  └─▶ done log
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { lightferry } from "@lightferry/proto/gen";
import type { CallOptions } from "@lightferry/proto/rpc";
import type { SmProvider } from "@lightferry/proto/sm";
import type { KeyDirectory } from "@lightferry/proto/trust";
import { Alarms } from "../alarms.ts";
import type { EventSink, Log } from "../events.ts";
import type { GateReceiver } from "../gate/gate.ts";
import { LagMeter } from "../lag.ts";
import { type Begun, missingPath } from "../repair/missing.ts";
import { type AlarmLimits, DEFAULT_ALARM_LIMITS } from "./alarm-limits.ts";
import { DoneLog } from "./done.ts";
import { Finisher } from "./finish.ts";
import { Gaps } from "./gaps.ts";
import type { Incoming } from "./incoming.ts";
import { Inventories } from "./inventories.ts";
import { Link } from "./link.ts";
import { Quarantine } from "./quarantine.ts";
import { Reassembler } from "./reassemble.ts";
import { Receiver } from "./receiver.ts";
import { Rejections } from "./rejections.ts";
import { senderKeys } from "./sender-keys.ts";
import { type ExpectedLink, LinkWatch } from "./watch.ts";

/** Ends of passes, gaps and forgotten objects are looked at so often. */
const TICK_MS = 1_000;
/** The inbox verifies every chunk before it answers: seconds for a large bundle. */
const DELIVER_DEADLINE_MS = 600_000;

/** What the receiving half asks of the inbox; the RPC client is one. */
export interface InboxPeer {
  deliver(
    request: lightferry.ferry.v1.DeliverRequest.$Properties,
    options: CallOptions,
  ): Promise<lightferry.ferry.v1.DeliverResponse.$Properties>;
}

export interface StationOptions {
  readonly lane: string;
  readonly expectedSender: string;
  readonly arrivalsDir: string;
  readonly stateDir: string;
  readonly gate: GateReceiver;
  readonly provider: SmProvider;
  readonly keys: () => KeyDirectory;
  readonly inbox: InboxPeer;
  readonly events: EventSink;
  readonly log: Log;
  /** What this end was told of the link beside its lane. */
  readonly expected?: Omit<ExpectedLink, "lane"> | undefined;
  readonly alarmLimits?: AlarmLimits;
  /** This machine's clock, Unix milliseconds. */
  readonly clock?: () => number;
}

export class Station {
  readonly #options: StationOptions;
  readonly #link: Link;
  readonly #done: DoneLog;
  readonly #rejections = new Rejections();
  readonly #stop = new AbortController();
  readonly #finishing = new Set<Promise<void>>();
  readonly #quarantine: Quarantine;
  readonly #finisher: Finisher;
  readonly #reassembler: Reassembler;
  readonly #receiver: Receiver;
  readonly #gaps: Gaps;
  readonly #inventories: Inventories;
  #timer: NodeJS.Timeout | undefined;
  readonly #alarms: Alarms;
  readonly #lag = new LagMeter();
  readonly #watch: LinkWatch;

  private constructor(
    options: StationOptions,
    link: Link,
    done: DoneLog,
    openGaps: (begun: () => Begun[]) => Gaps,
  ) {
    const { lane, expectedSender, provider, keys, inbox, events, log, gate } = options;
    this.#options = options;
    this.#link = link;
    this.#done = done;
    const { signal } = this.#stop;
    const { clock = Date.now } = options;
    this.#alarms = new Alarms({ events, lane, log, clock });
    this.#watch = new LinkWatch({
      alarms: this.#alarms,
      link,
      limits: options.alarmLimits ?? DEFAULT_ALARM_LIMITS,
      expected: { ...options.expected, lane },
      received: () => gate.stats(),
    });
    this.#quarantine = new Quarantine(join(options.stateDir, "quarantine"), lane, events);
    this.#finisher = new Finisher({
      provider,
      lane,
      arrivalsDir: options.arrivalsDir,
      refusedDir: join(options.stateDir, "refused"),
      quarantine: this.#quarantine,
      done,
      events,
      log,
      verifyContext: () => ({
        ...link.judgedTimes(),
        ...{ lane, sender: expectedSender, keys: keys() },
      }),
      senderTime: () => link.senderTime(),
      clock,
      deliver: async (request) => {
        const answer = await inbox.deliver(request, { deadlineMs: DELIVER_DEADLINE_MS, signal });
        this.#lag.note(request.bundleId ?? new Uint8Array(), link.senderNow());
        return answer;
      },
      signal,
    });
    const rejections = this.#rejections;
    const verifier = senderKeys({
      ...{ provider, sender: expectedSender, keys, rejections },
      senderNow: () => link.senderNow(),
      now: clock,
    });
    this.#reassembler = new Reassembler({
      provider,
      verifier,
      lane,
      directory: partialDir(options),
      done,
      rejections,
      log,
      whole: (object) => this.#finish(object),
      incomplete: (object) => this.#incomplete(object),
      pause: () => gate.pause(),
      resume: () => gate.resume(),
    });
    const reassembler = this.#reassembler;
    this.#gaps = openGaps(() => reassembler.begun());
    const count = (reason: string, by?: number): void => rejections.count(reason, by);
    this.#inventories = new Inventories({ verifier, lane, gaps: this.#gaps, count });
    const { gaps, inventories } = { gaps: this.#gaps, inventories: this.#inventories };
    this.#receiver = new Receiver({
      ...{ link, number: 0, verifier, rejections, events, log },
      lanes: [{ name: lane, reassembler, gaps, inventories }],
      watch: this.#watch,
    });
  }

  /** Reads what a former run left, then listens. */
  static async start(options: StationOptions): Promise<Station> {
    const { stateDir, arrivalsDir, expectedSender } = options;
    for (const path of [
      arrivalsDir,
      partialDir(options),
      join(stateDir, "refused"),
      join(stateDir, "quarantine"),
    ]) {
      await mkdir(path, { recursive: true, mode: 0o750 });
    }
    const link = await Link.open(join(stateDir, "link.json"), expectedSender, options.clock);
    const done = await DoneLog.open(join(stateDir, "done.log"));
    const openGaps = await Gaps.opening({
      ...{ lane: options.lane, sender: expectedSender, done },
      ...{ events: options.events, log: options.log },
      path: missingPath(stateDir, options.lane),
      senderOffsetMs: () => link.clockOffsetMs,
    });
    const station = new Station(options, link, done, openGaps);
    await station.#finisher.resume();
    station.#finisher.judgeAnew();
    await station.#reassembler.load();
    station.#receiver.start();
    station.#timer = setInterval(() => station.#tick(), TICK_MS);
    options.gate.listen(station.#receiver.datagram);
    return station;
  }

  /** Certificates, lists or denials are others now: what was kept for its keys may count. */
  trustChanged(): void {
    this.#finisher.judgeAnew();
  }

  /** Resolves when nothing of the quarantine is being judged. */
  settled(): Promise<void> {
    return this.#finisher.judged();
  }

  status(): object {
    const { gate, lane, expectedSender } = this.#options;
    const { state, clockOffsetMs, heardAt } = this.#link;
    const received = gate.stats();
    return {
      role: "rx",
      sender: expectedSender,
      lane,
      driver: gate.driver,
      locked: gate.locked,
      port: gate.port,
      received,
      receiverOverruns: received.overruns,
      frames: this.#receiver.counts.frames,
      epoch: state.epoch,
      accounted: { settled: state.settled, lost: state.lost },
      heartbeat: {
        count: this.#receiver.counts.heartbeats,
        silent: this.#watch.silent,
        secondsAgo: heardAt === undefined ? null : (performance.now() - heardAt) / 1000,
        clockOffsetMs: clockOffsetMs ?? null,
        settings: this.#watch.theirs ?? null,
      },
      loss: this.#watch.loss,
      bytesPerSecond: this.#watch.bytesPerSecond,
      lag: this.#lag.lag,
      alarms: this.#alarms.active,
      alarmCounts: Object.fromEntries(this.#alarms.counts),
      bundles: { ...this.#finisher.counts, waiting: this.#finisher.waiting },
      quarantine: this.#quarantine.picture(),
      objects: this.#reassembler.objects,
      heldBytes: this.#reassembler.heldBytes,
      restored: this.#reassembler.restored,
      progress: this.#reassembler.progress(),
      repeats: this.#reassembler.repeats,
      rejected: this.#rejections.totals(),
      ...this.#gaps.status(),
    };
  }

  /** Stops listening and writes down what is there; the next start goes on with it. */
  async close(): Promise<void> {
    await this.#options.gate.close();
    this.#stop.abort();
    clearInterval(this.#timer);
    await this.#receiver.close();
    await this.#alarms.close();
    await Promise.all(this.#finishing);
    await this.settled();
    // While the objects under way are known.
    await this.#gaps.close();
    await this.#reassembler.close();
    await this.#link.save();
    await this.#done.close();
  }

  #tick(): void {
    this.#reassembler.tick();
    this.#inventories.tick();
    this.#gaps.tick();
  }

  #finish(object: Incoming): void {
    const run = this.#finisher
      .finish(object)
      .then(() => this.#reassembler.finished(object))
      .catch((error: unknown) => {
        if (this.#stop.signal.aborted) return;
        this.#options.log.error({ bundle: object.bundleId, err: error }, "arrival not finished");
      })
      .finally(() => this.#finishing.delete(run));
    this.#finishing.add(run);
  }

  #incomplete(object: Incoming): void {
    const { events, lane, log } = this.#options;
    const { bundleId, objectId, spans, geometry, headerDigest } = object;
    log.warn({ bundle: bundleId, missing: spans.missing, of: spans.count }, "object incomplete");
    events
      .record([
        {
          type: "gate.object-incomplete",
          outcome: "error",
          bundleId: Buffer.from(bundleId, "hex"),
          lane,
          digest: headerDigest,
          size: geometry.size,
          attributes: {
            good: String(spans.goodBytes),
            missing: String(spans.missing),
            object: String(objectId),
          },
        },
      ])
      .catch((error: unknown) => log.error({ err: error }, "alarm not written"));
  }
}

/** State is kept by sender: what one sender began, another cannot continue. */
function partialDir({ stateDir, expectedSender }: StationOptions): string {
  return join(stateDir, "partial", expectedSender);
}
