/**
 * Guarantee: what lies in quarantine is judged anew at the start, when trust changes and, where only a clock stood
 * against it, as soon as the clocks say otherwise; one bundle at a time. What verifies goes the way of an arrival, the
 * rest stays where it is.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { asGatewayError, GatewayError } from "@lightferry/proto/errors";
import type { Turns } from "@lightferry/proto/service";
import type { Log } from "../events.ts";
import type { Arrival } from "./arrival.ts";
import type { Judge, Judgement } from "./judge.ts";
import { moveFile } from "./move-file.ts";
import type { Quarantine } from "./quarantine.ts";

/** A disk that did not answer is asked again after this: it may be long in trouble, with a whole folder to be moved. */
const DISK_PAUSE_MS = 60_000;

export interface ReadmissionParts {
  readonly quarantine: Quarantine;
  readonly arrivalsDir: string;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Bundles on their way, hex: nobody else touches them. */
  readonly inHand: Set<string>;
  readonly judge: Judge;
  readonly turns: Turns;
  /** The file lies in the arrivals directory. */
  readonly arrived: (arrival: Arrival) => Promise<void>;
}

export class Readmission {
  readonly #parts: ReadmissionParts;
  /**
   * Those of which nothing was decided, hex, and the monotonic time before which each is not looked at; as many as
   * lie in the folder at most.
   */
  readonly #open = new Map<string, number>();
  #running: Promise<void> | undefined;
  #all = false;

  constructor(parts: ReadmissionParts) {
    this.#parts = parts;
  }

  /** Resolves when no judging is under way. */
  async idle(): Promise<void> {
    await this.#running;
  }

  /** Judges everything that lies there. */
  judgeAll(): void {
    this.#all = true;
    this.#running ??= this.#run([]);
  }

  /**
   * A second has passed. What is held is not judged anew at each heartbeat: there are two of them in a second, a
   * quarantine may hold thousands of bundles, and each costs reading a file and checking its signatures. Only those are
   * looked at that would be judged otherwise by the times of now, so each a few times in all.
   */
  tick(): void {
    if (this.#running !== undefined) return;
    const now = performance.now();
    const turned: string[] = [];
    for (const [bundleId, notBefore] of this.#open) {
      if (notBefore <= now && this.#parts.judge.doubt.hasTurned(bundleId)) turned.push(bundleId);
    }
    // A journal that failed may have ended the judging of all.
    if (this.#all || turned.length > 0) this.#running = this.#run(turned);
  }

  async #run(some: readonly string[]): Promise<void> {
    const { signal, log } = this.#parts;
    try {
      await this.#judge(some);
    } catch (error) {
      if (!signal.aborted)
        log.error({ code: asGatewayError(error).code }, "quarantine not judged anew");
    } finally {
      this.#running = undefined;
    }
  }

  async #judge(some: readonly string[]): Promise<void> {
    const { quarantine, signal } = this.#parts;
    for (const bundleId of some) await this.#one(bundleId);
    do {
      if (this.#all) await this.#everyone();
      await quarantine.look();
    } while (this.#all && !signal.aborted);
  }

  async #everyone(): Promise<void> {
    this.#all = false;
    const there = new Set(this.#parts.quarantine.bundleIds());
    for (const bundleId of this.#open.keys()) if (!there.has(bundleId)) this.#forget(bundleId);
    for (const bundleId of there) await this.#one(bundleId);
  }

  async #one(bundleId: string): Promise<void> {
    const { quarantine, arrivalsDir, log, signal, inHand, judge, turns, arrived } = this.#parts;
    if (signal.aborted || inHand.has(bundleId)) return;
    const path = quarantine.path(bundleId);
    inHand.add(bundleId);
    let judged: Judgement;
    try {
      judged = await turns.run(() => judge.judge(path, bundleId));
      if (!("refusal" in judged)) await moveFile(path, join(arrivalsDir, `${bundleId}.lfb`));
    } catch (error) {
      inHand.delete(bundleId);
      this.#undecided(bundleId, error);
      log.warn({ bundle: bundleId, code: asGatewayError(error).code }, "not judged anew");
      return;
    }
    this.#open.delete(bundleId);
    if ("refusal" in judged) {
      inHand.delete(bundleId);
      return;
    }
    log.info({ bundle: bundleId }, "verifies now");
    await arrived(judged);
  }

  /** Held for its clock, or a disk that does not answer: it lies where it lay, unless a person took it out meanwhile. */
  #undecided(bundleId: string, error: unknown): void {
    const { quarantine, judge } = this.#parts;
    const isHeld = error instanceof GatewayError;
    if (!isHeld) judge.doubt.over(bundleId);
    if (!isHeld && !existsSync(quarantine.path(bundleId))) this.#open.delete(bundleId);
    else this.#open.set(bundleId, isHeld ? 0 : performance.now() + DISK_PAUSE_MS);
  }

  /** A person took it out. */
  #forget(bundleId: string): void {
    this.#open.delete(bundleId);
    this.#parts.judge.doubt.over(bundleId);
  }
}
