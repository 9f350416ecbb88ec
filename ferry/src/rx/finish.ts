/**
 * Guarantee: what lies in the arrivals directory is a whole bundle whose header
 * signature, commitments and verdicts verify and whose bytes the signed manifest
 * names; it is delivered until the inbox answers, and only then remembered as done.
 *
 * whole object ─settle▶ file (synced), judged ─▶ arrivals ─hand-over▶ event, Deliver … ─▶ done, removed
 *                                    └─ refused ─put-away▶ event ─▶ refused/ or quarantine/ ─▶ done
 *   trust or clocks changed ─readmit▶ quarantine/ judged anew ─▶ good: as above
 */
import { readdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { readHeader } from "@lightferry/proto/bundle";
import { asGatewayError } from "@lightferry/proto/errors";
import { Troubles, Turns } from "@lightferry/proto/service";
import { HandOver, type HandOverParts } from "./hand-over.ts";
import { Judge, type JudgeParts, type Refusal } from "./judge.ts";
import { PutAway, type PutAwayParts, type RefusedObject } from "./put-away.ts";
import { Readmission } from "./readmit.ts";
import { Settlement, type WholeObject } from "./settle.ts";
import { Storing } from "./storing.ts";

/** Objects verified, synced and delivered at the same time; they share syncs of the directory. */
const AT_ONCE = 16;
const ARRIVAL_NAME = /^([0-9a-f]{32})\.lfb$/;
/** A file that was being written when the program ended. */
const UNFINISHED_NAME = /^\.[0-9a-f]{32}\.new$/;

/** What the steps share, made here. */
type Shared = "troubles" | "storing" | "inHand";

export interface FinisherParts
  extends JudgeParts,
    Omit<HandOverParts, Shared>,
    Omit<PutAwayParts, Shared> {
  /** Whether what a former run left there is this lane's, by the lane of its header; all is when absent. */
  readonly claims?: (lane: string | undefined) => boolean;
}

export class Finisher {
  readonly #parts: FinisherParts;
  readonly #turns = new Turns(AT_ONCE);
  /** From the judgement of each until the inbox has answered or its refusal is remembered, hex. */
  readonly #inHand = new Set<string>();
  readonly #judge: Judge;
  readonly #storing: Storing;
  readonly #settlement: Settlement;
  readonly #handOver: HandOver;
  readonly #putAway: PutAway;
  readonly #readmission: Readmission;

  constructor(parts: FinisherParts) {
    this.#parts = parts;
    const troubles = new Troubles(parts.events, (error) =>
      parts.log.error({ code: asGatewayError(error).code }, "trouble could not be journalled"),
    );
    this.#judge = new Judge(parts);
    this.#storing = new Storing({ ...parts, troubles });
    const shared = { ...parts, troubles, storing: this.#storing, inHand: this.#inHand };
    this.#settlement = new Settlement({ ...shared, judge: this.#judge });
    this.#handOver = new HandOver(shared);
    this.#putAway = new PutAway(shared);
    this.#readmission = new Readmission({
      ...{ ...shared, judge: this.#judge, turns: this.#turns },
      arrived: (arrival) => this.#handOver.arrived(arrival, 0, { after: "quarantine" }),
    });
  }

  /** Bundles, by what became of them; quarantined: here or by the inbox. */
  get counts() {
    const { quarantined, refused } = this.#putAway.counts;
    const { counts } = this.#handOver;
    return { ...counts, quarantined: counts.quarantined + quarantined, refused };
  }

  /** Arrived and not yet taken by the inbox. */
  get waiting(): number {
    return this.#handOver.waiting;
  }

  /**
   * Takes a whole object to its end.
   * @throws GatewayError `ferry.space-full` when it is in memory and the disk has no room for it, or
   * the reason of the abort; nothing else
   */
  async finish(object: WholeObject): Promise<void> {
    const { bundleId, objectId } = object;
    const settled = await this.#storing.persist(bundleId, () =>
      this.#turns.run(() => this.#settlement.settle(object)),
    );
    // On disk or not wanted: no reason to hold it in memory while the inbox is away.
    object.release();
    await object.file?.remove(false);
    if (settled === "known") return;
    if ("refusal" in settled) await this.#refused(settled, bundleId, object);
    else await this.#handOver.arrived(settled, objectId);
  }

  /** Trust has changed, or the program begins: what lies in quarantine is judged anew. */
  judgeAnew(): void {
    this.#judge.trustChanged();
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
    const judged = await this.#storing.persist(bundleId, () => this.#judge.judge(path, bundleId));
    if (!("refusal" in judged)) return await this.#handOver.arrived(judged, 0);
    // What no longer verifies (its key was revoked meanwhile) is not delivered.
    await this.#refused(judged, bundleId, undefined);
  }

  async #refused(
    refusal: Refusal,
    bundleId: string,
    object: RefusedObject | undefined,
  ): Promise<void> {
    const isKept = await this.#putAway.refused(refusal, bundleId, object);
    // Trust has changed between the judgement and the move.
    if (isKept && !this.#judge.stands(refusal)) this.#readmission.judgeAll();
  }
}
