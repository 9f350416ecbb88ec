/**
 * Guarantee: what arrives of one lane has its own objects, inbox, memory of what
 * is done, gaps, refused and quarantined bundles: no other lane's trouble is its own.
 *
 * reassemble ─▶ finish ─▶ Deliver ─▶ inbox
 *     └─ gaps      └─▶ done log
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { asGatewayError } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import type { CallOptions } from "@lightferry/proto/rpc";
import type { SmProvider } from "@lightferry/proto/sm";
import type { KeyDirectory } from "@lightferry/proto/trust";
import type { EventSink, Log } from "../events.ts";
import { LagMeter } from "../lag.ts";
import type { LaneWay } from "../lane-settings.ts";
import type { Begun } from "../repair/missing.ts";
import type { LinkVerifier } from "../signed.ts";
import { DoneLog } from "./done.ts";
import { Finisher } from "./finish.ts";
import { Gaps } from "./gaps.ts";
import type { Incoming } from "./incoming.ts";
import { Inventories } from "./inventories.ts";
import { Quarantine } from "./quarantine.ts";
import { Reassembler } from "./reassemble.ts";
import { RefusedBundles } from "./refused.ts";
import { REPORT_MS, type Rejections } from "./rejections.ts";
import type { Room } from "./room.ts";
import type { SenderClock } from "./sender-clock.ts";
import type { SecretOf } from "./tags.ts";
import { SPACELESS } from "./write-arrival.ts";

/** The inbox verifies every chunk before it answers: seconds for a large bundle. */
const DELIVER_DEADLINE_MS = 600_000;

/** What the receiving half asks of the inbox; the RPC client is one. */
export interface InboxPeer {
  openLinkKey(
    request: lightferry.ferry.v1.OpenLinkKeyRequest.$Properties,
    options: CallOptions,
  ): Promise<lightferry.ferry.v1.OpenLinkKeyResponse.$Properties>;
  deliver(
    request: lightferry.ferry.v1.DeliverRequest.$Properties,
    options: CallOptions,
  ): Promise<lightferry.ferry.v1.DeliverResponse.$Properties>;
}

/** What a lane is, by the settings. */
export interface StationLane extends LaneWay {
  /** As in the registry. */
  readonly name: string;
  /** On the wire, 0 … 15. */
  readonly number: number;
  /** Node id of the sender; nobody else's signature counts. */
  readonly expectedSender: string;
  readonly arrivalsDir: string;
  readonly inbox: InboxPeer;
}

export interface LaneParts extends StationLane {
  /** Of this lane alone. */
  readonly stateDir: string;
  /** What is missing, where the makers of tickets look for it. */
  readonly missingPath: string;
  readonly provider: SmProvider;
  readonly keys: () => KeyDirectory;
  readonly verifier: LinkVerifier;
  /** undefined: tags are not looked at. */
  readonly secretOf: SecretOf | undefined;
  readonly rejections: Rejections;
  /** Of the sender, on all its links. */
  readonly time: SenderClock;
  readonly events: EventSink;
  readonly log: Log;
  readonly clock: () => number;
  /** Of the disk, shared by all lanes. */
  readonly room: Room;
  /** Stops and starts the gates for as long as the disk is behind. */
  readonly pause: () => void;
  readonly resume: () => void;
  /** Whether what a former run left in the arrivals directory is this lane's. */
  readonly claims: (lane: string | undefined) => boolean;
  readonly signal: AbortSignal;
}

export class ArrivingLane {
  readonly name: string;
  readonly reassembler: Reassembler;
  readonly gaps: Gaps;
  readonly inventories: Inventories;
  readonly #parts: LaneParts;
  readonly #done: DoneLog;
  readonly #quarantine: Quarantine;
  readonly #finisher: Finisher;
  readonly #lag = new LagMeter();
  readonly #finishing = new Set<Promise<void>>();
  #reportedAt = performance.now();
  #recording: Promise<unknown> = Promise.resolve();

  private constructor(parts: LaneParts, done: DoneLog, openGaps: (begun: () => Begun[]) => Gaps) {
    const { name, stateDir, provider, keys, verifier, rejections, time, events, log } = parts;
    const { expectedSender, inbox, signal } = parts;
    this.#parts = parts;
    this.name = name;
    this.#done = done;
    this.#quarantine = new Quarantine(join(stateDir, "quarantine"), name, events);
    this.#finisher = new Finisher({
      ...{ provider, lane: name, done, events, log, signal },
      arrivalsDir: parts.arrivalsDir,
      claims: parts.claims,
      refused: new RefusedBundles(join(stateDir, "refused")),
      quarantine: this.#quarantine,
      verifyContext: () => ({
        ...time.judgedTimes(),
        ...{ lane: name, sender: expectedSender, keys: keys() },
      }),
      senderTime: () => time.senderTime(),
      clock: parts.clock,
      deliver: async (request) => {
        const answer = await inbox.deliver(request, { deadlineMs: DELIVER_DEADLINE_MS, signal });
        if (!request.refusedCode) {
          this.#lag.note(request.bundleId ?? new Uint8Array(), time.senderNow());
        }
        return answer;
      },
    });
    this.reassembler = new Reassembler({
      ...{ provider, verifier, lane: name, done, rejections, log },
      directory: partialDir(parts),
      ...{ room: parts.room, secretOf: parts.secretOf },
      whole: (object) => this.#finish(object),
      incomplete: (object) => this.#incomplete(object),
      pause: parts.pause,
      resume: parts.resume,
    });
    this.gaps = openGaps(() => this.reassembler.begun());
    const count = (reason: string, by?: number): void => rejections.count(reason, by);
    this.inventories = new Inventories({ verifier, lane: name, gaps: this.gaps, count });
  }

  /** Reads what a former run left. */
  static async open(parts: LaneParts): Promise<ArrivingLane> {
    const { stateDir, arrivalsDir, name, expectedSender, events, log, time } = parts;
    const folders = [join(stateDir, "refused"), join(stateDir, "quarantine"), partialDir(parts)];
    for (const path of [arrivalsDir, ...folders]) {
      await mkdir(path, { recursive: true, mode: 0o750 });
    }
    const done = await DoneLog.open(join(stateDir, "done.log"));
    const openGaps = await Gaps.opening({
      ...{ lane: name, sender: expectedSender, done, events, log },
      path: parts.missingPath,
      senderOffsetMs: () => time.offsetMs,
    });
    const lane = new ArrivingLane(parts, done, openGaps);
    await lane.#finisher.resume();
    lane.#finisher.judgeAnew();
    await lane.reassembler.load();
    return lane;
  }

  /** Certificates, lists or denials are others now: what was kept for its keys may count. */
  trustChanged(): void {
    this.#finisher.judgeAnew();
  }

  /** Resolves when nothing of the quarantine is being judged. */
  settled(): Promise<void> {
    return this.#finisher.judged();
  }

  /** Once a second: ends of passes, what is held for its clock, gaps, forgotten objects, counts for the log. */
  tick(): void {
    this.reassembler.tick();
    this.#finisher.tick();
    this.inventories.tick();
    this.gaps.tick();
    if (performance.now() - this.#reportedAt >= REPORT_MS) this.#report();
  }

  picture() {
    const { expectedSender, number, rejections } = this.#parts;
    return {
      lane: this.name,
      number,
      sender: expectedSender,
      lag: this.#lag.lag,
      bundles: { ...this.#finisher.counts, waiting: this.#finisher.waiting },
      quarantine: this.#quarantine.picture(),
      objects: this.reassembler.objects,
      heldBytes: this.reassembler.heldBytes,
      restored: this.reassembler.restored,
      checked: this.reassembler.checked,
      progress: this.reassembler.progress(),
      repeats: this.reassembler.repeats,
      rejected: rejections.totals(),
      ...this.gaps.status(),
    };
  }

  /** Writes down what is there; the signal of the parts must be aborted. */
  async close(): Promise<void> {
    this.#report();
    await this.#recording;
    await Promise.all(this.#finishing);
    await this.settled();
    // While the objects under way are known.
    await this.gaps.close();
    await this.reassembler.close();
    await this.#done.close();
  }

  #report(): void {
    const { rejections, events, log } = this.#parts;
    this.#reportedAt = performance.now();
    const said = rejections
      .report(events, this.name, log)
      .catch((error: unknown) => log.error({ err: error }, "counts not written"));
    this.#recording = Promise.all([this.#recording, said]);
  }

  #finish(object: Incoming): void {
    const { signal, log } = this.#parts;
    const run = this.#finisher
      .finish(object)
      .then(() => this.reassembler.finished(object))
      .catch((error: unknown) => {
        if (signal.aborted) return;
        if (asGatewayError(error).code === SPACELESS) {
          this.reassembler.spaceless(object);
          return;
        }
        log.error({ bundle: object.bundleId, err: error }, "arrival not finished");
      })
      .finally(() => this.#finishing.delete(run));
    this.#finishing.add(run);
  }

  #incomplete(object: Incoming): void {
    const { events, log } = this.#parts;
    const { bundleId, objectId, spans, geometry, headerDigest } = object;
    log.warn({ bundle: bundleId, missing: spans.missing, of: spans.count }, "object incomplete");
    events
      .record([
        {
          type: "gate.object-incomplete",
          outcome: "error",
          bundleId: Buffer.from(bundleId, "hex"),
          lane: this.name,
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
function partialDir({ stateDir, expectedSender }: LaneParts): string {
  return join(stateDir, "partial", expectedSender);
}
