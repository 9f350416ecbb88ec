/**
 * Guarantee: certificates and revocation lists that came inside a bundle reach
 * our policy service, which alone judges them; each is sent once, delivery never
 * waits for it, and what is held back while policy is away is bounded.
 *
 *   opened bundle ─▶ waiting (by digest) ─▶ ImportTrust ─▶ remembered (by digest)
 */
import { createHash } from "node:crypto";
import { Troubles } from "@lightferry/proto/service";
import type { FrontProxyContext } from "../context.ts";
import { describeFault } from "./failures.ts";
import type { IngressTuning } from "./tuning.ts";

/** As policy.proto says. */
const ITEMS_IN_CALL = 64;
/** Eight manifests full of items; whatever is dropped comes again within a minute. */
const WAITING_ITEMS = 256;
/** With the largest items, sixty-four of them. */
const WAITING_BYTES = 4 * 1_048_576;
/** 32 bytes each: certificates of decades of rotation, and every list of a year. */
const REMEMBERED = 4_096;
/** Judging a full call means at most 64 signature checks and one durable write. */
const CALL_DEADLINE_MS = 15_000;
const RETRY_LONGEST_MS = 30_000;
/**
 * Policy judges on the thread that decides, and a large list takes it a tenth of a second before it is refused.
 * A call in which anything was refused is followed by a rest this many times as long as it took, so that a
 * sender of junk gets a tenth of policy's time; what is honest is refused rarely and in milliseconds.
 */
const REST_AFTER_REFUSAL = 9;

interface Waiting {
  readonly item: Uint8Array;
  readonly bundleId: Uint8Array;
}

export class TrustImports {
  readonly #context: Pick<FrontProxyContext, "trust" | "trustService" | "shell">;
  readonly #retryFirstMs: number;
  readonly #troubles: Troubles;
  readonly #waiting = new Map<string, Waiting>();
  /** Judged once and for all. */
  readonly #judged = new Set<string>();
  /** Refused as things stood: what vouches for them may still come. */
  readonly #refused = new Set<string>();
  #waitingBytes = 0;
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #pauseMs: number;
  #stopped = false;

  constructor(
    context: Pick<FrontProxyContext, "trust" | "trustService" | "shell">,
    tuning: Pick<IngressTuning, "faultPauseMs">,
  ) {
    this.#context = context;
    this.#retryFirstMs = tuning.faultPauseMs;
    this.#pauseMs = tuning.faultPauseMs;
    const { journal, log } = context.shell;
    this.#troubles = new Troubles(journal, (error) =>
      log.error(describeFault(error), "trouble could not be journalled"),
    );
    context.trust.changed(() => this.#refused.clear());
  }

  /** Takes the items of one bundle; returns at once and never throws. */
  offer(bundleId: Uint8Array, items: readonly Uint8Array[]): void {
    if (this.#stopped) return;
    for (const bytes of items) {
      const name = nameOf(bytes);
      if (this.#judged.has(name) || this.#refused.has(name) || this.#waiting.has(name)) continue;
      // A copy: the manifest it lies in may be megabytes.
      this.#waiting.set(name, { item: Uint8Array.from(bytes), bundleId });
      this.#waitingBytes += bytes.length;
    }
    for (const [name, { item }] of this.#waiting) {
      if (this.#waiting.size <= WAITING_ITEMS && this.#waitingBytes <= WAITING_BYTES) break;
      this.#drop(name, item);
    }
    // While a pause runs, its timer takes them along.
    if (this.#timer === undefined) this.#start();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  #start(): void {
    this.#timer = undefined;
    if (this.#stopped || this.#waiting.size === 0) return;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      if (this.#timer === undefined) this.#start();
    });
  }

  async #run(): Promise<void> {
    try {
      while (this.#waiting.size > 0 && !this.#stopped && this.#timer === undefined) {
        const restMs = Math.min(await this.#send(), RETRY_LONGEST_MS);
        if (restMs >= 1) this.#timer = setTimeout(() => this.#start(), restMs);
      }
      this.#pauseMs = this.#retryFirstMs;
      await this.#troubles.over("importing trust");
    } catch (error) {
      const { log } = this.#context.shell;
      log.warn(describeFault(error), "certificates and lists not handed to policy yet");
      await this.#troubles.met("importing trust", error);
      this.#timer = setTimeout(() => this.#start(), this.#pauseMs);
      this.#pauseMs = Math.min(this.#pauseMs * 2, RETRY_LONGEST_MS);
    }
  }

  /**
   * Items of one bundle in one call, so that policy's log can name it.
   * @returns milliseconds to rest before the next
   */
  async #send(): Promise<number> {
    const [first] = this.#waiting.values();
    if (first === undefined) return 0;
    const begun = performance.now();
    const sent = [...this.#waiting]
      .filter(([, { bundleId }]) => Buffer.compare(bundleId, first.bundleId) === 0)
      .slice(0, ITEMS_IN_CALL);
    // At the end of the line first: what policy cannot take must not keep back what it can.
    for (const [name, waiting] of sent) {
      this.#waiting.delete(name);
      this.#waiting.set(name, waiting);
    }
    const { results } = await this.#context.trustService.importTrust(
      { items: sent.map(([, { item }]) => item), source: "bundle", bundleId: first.bundleId },
      { deadlineMs: CALL_DEADLINE_MS, signal: this.#context.shell.closing },
    );
    for (const [index, [name, { item }]] of sent.entries()) {
      const refused = results[index]?.status === "refused";
      remember(refused ? this.#refused : this.#judged, name);
      this.#drop(name, item);
    }
    const refusals = results.some(({ status }) => status === "refused");
    return refusals ? (performance.now() - begun) * REST_AFTER_REFUSAL : 0;
  }

  #drop(name: string, item: Uint8Array): void {
    if (this.#waiting.delete(name)) this.#waitingBytes -= item.length;
  }
}

/** Names what was sent, nothing more: any digest without collisions will do. */
function nameOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("base64");
}

function remember(names: Set<string>, name: string): void {
  names.add(name);
  if (names.size <= REMEMBERED) return;
  // A Set iterates in the order of insertion.
  for (const oldest of names) {
    names.delete(oldest);
    return;
  }
}
