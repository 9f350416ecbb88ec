/**
 * Guarantee: what lies in the arrivals directory is a whole bundle whose header
 * signature, commitments and verdicts verify and whose bytes the signed manifest
 * names; it is delivered until the inbox answers, and only then remembered as done.
 *
 * whole object ─▶ file (synced) ─▶ verify header ─▶ rename, sync ─▶ event ─▶ Deliver … ─▶ done ─▶ remove
 *                                    └─ refused: event ─▶ refused/ or quarantine/ ─▶ done
 *   trust or clocks changed ─▶ quarantine/ judged anew ─▶ good: as above
 */
import { readdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import {
  type ByteSource,
  bufferSource,
  type ReceivedBundle,
  readHeader,
  type SenderTime,
  type VerifyContext,
} from "@lightferry/proto/bundle";
import { asGatewayError, GatewayError } from "@lightferry/proto/errors";
import type { lightferry } from "@lightferry/proto/gen";
import { Troubles, Turns } from "@lightferry/proto/service";
import type { SmProvider } from "@lightferry/proto/sm";
import type { EventSink, Log } from "../events.ts";
import { untilAnswered } from "../retry.ts";
import { asStorageFault } from "../storage-fault.ts";
import { type Arrival, arrivalOf } from "./arrival.ts";
import { ClockDoubt } from "./clock-doubt.ts";
import { DirectorySync } from "./directory-sync.ts";
import type { DoneLog } from "./done.ts";
import type { Incoming } from "./incoming.ts";
import { moveFile } from "./move-file.ts";
import type { PartialFile } from "./partial.ts";
import type { Quarantine } from "./quarantine.ts";
import { Readmission } from "./readmit.ts";
import type { RefusedBundles } from "./refused.ts";
import { SPACELESS, writeArrival } from "./write-arrival.ts";

type DeliverRequest = lightferry.ferry.v1.DeliverRequest.$Properties;
type DeliverResponse = lightferry.ferry.v1.DeliverResponse.$Properties;

/** Objects verified, synced and delivered at the same time; they share syncs of the directory. */
const AT_ONCE = 16;
const ARRIVAL_NAME = /^([0-9a-f]{32})\.lfb$/;
/** A file that was being written when the program ended. */
const UNFINISHED_NAME = /^\.[0-9a-f]{32}\.new$/;

export interface FinisherParts {
  readonly provider: SmProvider;
  readonly lane: string;
  readonly arrivalsDir: string;
  /** Whether what a former run left there is this lane's, by the lane of its header; all is when absent. */
  readonly claims?: (lane: string | undefined) => boolean;
  readonly refused: RefusedBundles;
  /** Bundles under a key that does not count: kept until it does, or a person decides. */
  readonly quarantine: Quarantine;
  readonly done: DoneLog;
  readonly events: EventSink;
  readonly log: Log;
  readonly verifyContext: () => VerifyContext;
  /** What the heartbeats of this run tell of the sender's clock; undefined before the first. */
  readonly senderTime: () => SenderTime | undefined;
  /** This machine's clock, Unix milliseconds. */
  readonly clock: () => number;
  readonly deliver: (request: DeliverRequest) => Promise<DeliverResponse>;
  readonly signal: AbortSignal;
}

/** A bundle of which every byte is here, in memory or in a file of its own. */
export type WholeObject = Pick<
  Incoming,
  "bundleId" | "objectId" | "headerDigest" | "bytes" | "release"
> & {
  readonly geometry: { readonly size: number };
  readonly file: Pick<PartialFile, "path" | "complete" | "remove"> | undefined;
};

interface Refusal {
  readonly refusal: GatewayError;
  readonly path: string;
  /** How often trust had changed when it was judged. */
  readonly round: number;
}

export class Finisher {
  readonly counts = { arrived: 0, delivered: 0, duplicates: 0, quarantined: 0, refused: 0 };
  readonly #parts: FinisherParts;
  readonly #turns = new Turns(AT_ONCE);
  readonly #directory: DirectorySync;
  readonly #troubles: Troubles;
  readonly #doubt: ClockDoubt;
  /** From the judgement of each until the inbox has answered or its refusal is remembered, hex. */
  readonly #inHand = new Set<string>();
  readonly #readmission: Readmission;
  #waiting = 0;

  constructor(parts: FinisherParts) {
    this.#parts = parts;
    this.#doubt = new ClockDoubt(parts);
    const { quarantine, arrivalsDir, log, signal } = parts;
    this.#readmission = new Readmission({
      ...{ quarantine, arrivalsDir, log, signal, inHand: this.#inHand, doubt: this.#doubt },
      judge: (path, bundleId) => this.#turns.run(() => this.#check(path, bundleId)),
      arrived: (arrival) => this.#arrived(arrival, 0, { after: "quarantine" }),
    });
    this.#directory = new DirectorySync(parts.arrivalsDir);
    this.#troubles = new Troubles(parts.events, (error) =>
      parts.log.error({ code: asGatewayError(error).code }, "trouble could not be journalled"),
    );
  }

  /** Arrived and not yet taken by the inbox. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Takes a whole object to its end.
   * @throws GatewayError `ferry.space-full` when it is in memory and the disk has no room for it, or
   * the reason of the abort; nothing else
   */
  async finish(object: WholeObject): Promise<void> {
    const { bundleId, objectId } = object;
    const settled = await this.#persist(bundleId, () =>
      this.#turns.run(() => this.#settle(object)),
    );
    // On disk or not wanted: no reason to hold it in memory while the inbox is away.
    object.release();
    await object.file?.remove(false);
    if (settled === "known") return;
    if ("refusal" in settled) await this.#refused(settled, bundleId, object);
    else await this.#arrived(settled, objectId);
  }

  /** Trust has changed, or the program begins: what lies in quarantine is judged anew. */
  judgeAnew(): void {
    this.#readmission.judgeAll();
  }

  /** A second has passed: what only a clock keeps in quarantine may be judged otherwise by now. */
  tick(): void {
    this.#readmission.tick();
  }

  /** Resolves when no judging of the quarantine is under way. */
  async judged(): Promise<void> {
    await this.#readmission.idle();
  }

  /** Goes on with what lay in the arrivals directory when the program ended. */
  async resume(): Promise<void> {
    const { arrivalsDir, log, signal } = this.#parts;
    for (const name of (await readdir(arrivalsDir)).sort()) {
      const path = join(arrivalsDir, name);
      if (UNFINISHED_NAME.test(name)) await unlink(path).catch(() => undefined);
      if (!ARRIVAL_NAME.test(name) || !(await this.#claims(path))) continue;
      this.#again(path, name).catch((error: unknown) => {
        if (!signal.aborted)
          log.error({ file: name, code: asGatewayError(error).code }, "arrival left");
      });
    }
  }

  /** Several lanes may have one arrivals directory. */
  async #claims(path: string): Promise<boolean> {
    const { claims } = this.#parts;
    if (claims === undefined) return true;
    const read = await readHeader(path).catch(() => undefined);
    return claims(read?.header.lane);
  }

  async #again(path: string, name: string): Promise<void> {
    const bundleId = name.slice(0, 32);
    // It may wait for a heartbeat while its sender sends it again: one of the two would take the other's file.
    this.#inHand.add(bundleId);
    const checked = await this.#persist(bundleId, () => this.#check(path, bundleId));
    if (!("refusal" in checked)) return await this.#arrived(checked, 0);
    // What no longer verifies (its key was revoked meanwhile) is not delivered.
    await this.#refused(checked, bundleId, undefined);
  }

  /** A disk or journal in trouble costs time: it is tried until it is done, but for {@link SPACELESS}. */
  async #persist<T>(bundleId: string, work: () => Promise<T>): Promise<T> {
    const subject = this.#subject(bundleId);
    const done = await untilAnswered(work, this.#parts.signal, (error) => {
      const fault = asStorageFault(error);
      const { code, detail } = asGatewayError(fault);
      if (code === SPACELESS) return false;
      const cause = (error as NodeJS.ErrnoException).code;
      this.#parts.log.error({ bundle: bundleId, code, detail, cause }, "not stored, tried again");
      void this.#troubles.met("storing", fault, subject);
      return true;
    });
    await this.#troubles.over("storing", subject);
    return done;
  }

  #subject(bundleId: string) {
    return { bundleId: Buffer.from(bundleId, "hex"), lane: this.#parts.lane };
  }

  /** Makes the file of an object, checks it and, if it is good, moves it to the arrivals. */
  async #settle(object: WholeObject): Promise<Arrival | Refusal | "known"> {
    const { arrivalsDir, done } = this.#parts;
    const { bundleId, file } = object;
    if (done.hasBundle(bundleId) || this.#inHand.has(bundleId)) {
      await file?.remove(true);
      return "known";
    }
    // From here on: two ferries may have sent the bundle, as an object each.
    this.#inHand.add(bundleId);
    try {
      const checked = await this.#fileAndCheck(object);
      if (!("refusal" in checked)) {
        await moveFile(this.#path(object), join(arrivalsDir, `${bundleId}.lfb`));
      }
      return checked;
    } catch (error) {
      this.#inHand.delete(bundleId);
      throw error;
    }
  }

  /** Reads and verifies; a fault of the disk is thrown, a fault of the bundle is a refusal. */
  async #check(
    path: string,
    bundleId: string,
    headerDigest?: Uint8Array,
    from: string | ByteSource = path,
  ): Promise<Arrival | Refusal> {
    const { provider, verifyContext } = this.#parts;
    const { round } = this.#readmission;
    // With the context, before the file is read: a heartbeat that comes in between has not judged it.
    const judging = this.#doubt.begin();
    let received: ReceivedBundle | undefined;
    try {
      const context = verifyContext();
      received = await readHeader(from);
      const arrival = arrivalOf(provider, received, context, bundleId, headerDigest);
      this.#doubt.over(bundleId);
      return arrival;
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      const header = received?.header;
      if (header && this.#doubt.holds(bundleId, error.code, judging, header)) throw error;
      this.#doubt.over(bundleId);
      return { refusal: error, path, round };
    }
  }

  /** The verified file lies in the arrivals directory: makes that durable, says so, hands it over. */
  async #arrived(
    arrival: Arrival,
    objectId: number,
    more: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const { lane, events, done } = this.#parts;
    const { bundleId, headerDigest, size, stream, sequence } = arrival;
    this.#inHand.add(bundleId);
    await this.#persist(bundleId, async () => {
      await this.#directory.sync();
      await events.record([
        {
          type: "bundle.arrived",
          outcome: "ok",
          bundleId: Buffer.from(bundleId, "hex"),
          lane,
          digest: headerDigest,
          size,
          attributes: { object: String(objectId), sequence: String(sequence), stream, ...more },
        },
      ]);
    });
    this.counts.arrived += 1;
    done.streams.arrived(stream, sequence);
    await this.#deliver(arrival);
    await this.#persist(bundleId, () => done.add({ objectId, bundleId, stream, sequence }));
    this.#inHand.delete(bundleId);
    // A file that was taken was moved away; that of a duplicate was left.
    await unlink(join(this.#parts.arrivalsDir, `${bundleId}.lfb`)).catch(() => undefined);
  }

  #path({ file, bundleId }: WholeObject): string {
    return file?.path ?? join(this.#parts.arrivalsDir, `.${bundleId}.new`);
  }

  /** The object as a synced file, judged. What a short one has in memory is not read back: each read is another wait. */
  async #fileAndCheck(object: WholeObject): Promise<Arrival | Refusal> {
    const { bundleId, headerDigest, file, bytes } = object;
    const path = this.#path(object);
    if (file !== undefined) {
      await file.complete();
      return await this.#check(path, bundleId, headerDigest);
    }
    const [written, checked] = await Promise.allSettled([
      writeArrival(path, bytes),
      this.#check(path, bundleId, headerDigest, bufferSource(bytes)),
    ]);
    if (written.status === "rejected") throw written.reason;
    if (checked.status === "rejected") throw checked.reason;
    return checked.value;
  }

  /** Delivers until the inbox answers. */
  async #deliver(arrival: Arrival): Promise<void> {
    const { lane, deliver, signal, log, clock, senderTime } = this.#parts;
    const { bundleId, headerDigest, size } = arrival;
    const request: DeliverRequest = {
      bundleId: Buffer.from(bundleId, "hex"),
      file: `${bundleId}.lfb`,
      size,
      headerDigest,
      lane,
      receivedMs: clock(),
    };
    this.#waiting += 1;
    try {
      const { status = "", code = "" } = await untilAnswered(
        // The sender's time of each try, not of the first: the inbox may be away for hours.
        () => deliver({ ...request, senderTime: senderTime() ?? null }),
        signal,
        (error) => {
          const { code: reason, detail } = asGatewayError(error);
          log.warn({ bundle: bundleId, code: reason, detail }, "not delivered, tried again");
          void this.#troubles.met("delivering", error, this.#subject(bundleId));
          return true;
        },
      );
      await this.#troubles.over("delivering", this.#subject(bundleId));
      this.counts.delivered += 1;
      if (status === "duplicate") this.counts.duplicates += 1;
      else if (status === "quarantined") this.counts.quarantined += 1;
      if (status !== "accepted") log.warn({ bundle: bundleId, status, code }, "inbox answered");
    } finally {
      this.#waiting -= 1;
    }
  }

  async #refused(
    refusal: Refusal,
    bundleId: string,
    object: WholeObject | undefined,
  ): Promise<void> {
    const { refused } = this.#parts;
    let keep: boolean;
    try {
      keep = await this.#putAway(refusal, bundleId, object);
    } finally {
      // Not before it is remembered: a copy that came meanwhile would be judged and told again, and take the file.
      this.#inHand.delete(bundleId);
    }
    if (keep) {
      this.counts.quarantined += 1;
      // Trust has changed between the judgement and the move.
      if (refusal.round !== this.#readmission.round) this.judgeAnew();
      return;
    }
    this.counts.refused += 1;
    await refused.trim();
  }

  /** @returns whether it lies in quarantine */
  async #putAway(
    { refusal, path }: Refusal,
    bundleId: string,
    object: WholeObject | undefined,
  ): Promise<boolean> {
    const { events, lane, log, refused, quarantine, done } = this.#parts;
    const { code, detail } = refusal;
    const keep = quarantine.keeps(code);
    log.warn({ bundle: bundleId, code, detail }, "bundle refused");
    const facts =
      object === undefined ? {} : { digest: object.headerDigest, size: object.geometry.size };
    const id = Buffer.from(bundleId, "hex");
    await this.#persist(bundleId, () =>
      events.record([
        {
          type: "bundle.refused",
          outcome: "refused",
          ...{ code, bundleId: id, lane, ...facts },
          ...(keep ? { attributes: { kept: "quarantine" } } : {}),
        },
      ]),
    );
    await this.#persist(bundleId, () => (keep ? quarantine : refused).take(path, bundleId));
    // It fills no position of its stream: the gap stays open until a good one comes.
    const objectId = object?.objectId ?? 0;
    await this.#persist(bundleId, () => done.add({ objectId, bundleId, stream: "", sequence: 0 }));
    return keep;
  }
}
