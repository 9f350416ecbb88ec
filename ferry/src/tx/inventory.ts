/**
 * Guarantee: the far side is told what of a lane can be sent again: what left
 * lately every minute, everything every hour, at the start of an epoch and on
 * demand, in signed pages of bounded size and rate (SPEC.md §9). An outbox that
 * is away or a key that is missing costs one inventory, never the program.
 *
 * outbox.ListEmitted ─▶ pages ≤ 32 KiB ─▶ sign ─▶ parts, each page said twice ─▶ gate
 */
import { setTimeout as delay } from "node:timers/promises";
import { asGatewayError } from "@lightferry/proto/errors";
import { lightferry } from "@lightferry/proto/gen";
import type { CallOptions } from "@lightferry/proto/rpc";
import type { Log } from "../events.ts";
import { INVENTORY_VERSION } from "../inventory.ts";
import { splitManifest } from "../manifest-parts.ts";
import { INVENTORY_LABEL, type LinkSigner, signMessage } from "../signed.ts";
import { cursorAfter, type InventoryPage, Pages } from "./inventory-pages.ts";

const { Inventory } = lightferry.ferry.v1;
type ListRequest = lightferry.ferry.v1.ListEmittedRequest.$Properties;
type ListResponse = lightferry.ferry.v1.ListEmittedResponse.$Properties;

/** When inventories are made. */
export interface InventoryTimes {
  /** Between two of what left lately … */
  readonly recentMs: number;
  /** … which is what left within so long: each number is told ten times. */
  readonly windowMs: number;
  /** Between two of everything. */
  readonly fullMs: number;
}

export const DEFAULT_INVENTORY: InventoryTimes = {
  recentMs: 60_000,
  windowMs: 600_000,
  fullMs: 3_600_000,
};

/** By then the far side knows the epoch from one of five heartbeats. */
const FIRST_MS = 2_500;
/** Twenty pages a second: 1.3 MB/s, and no more signatures than the far side looks at. */
const PAGE_PAUSE_MS = 50;
const LIST_DEADLINE_MS = 60_000;
/** An outbox that says "more" without an end is at fault: some 500,000 ranges. */
const MAX_PAGES = 1_024;

export interface InventoryParts {
  readonly lane: string;
  readonly node: string;
  readonly epoch: number;
  readonly frameSize: number;
  readonly passDelayMs: number;
  readonly times: InventoryTimes;
  readonly signer: LinkSigner;
  readonly list: (request: ListRequest, options: CallOptions) => Promise<ListResponse>;
  /** Resolves when all parts were handed to the gate. */
  readonly say: (parts: readonly Uint8Array[]) => Promise<void>;
  readonly clock: () => number;
  readonly log: Log;
  readonly signal: AbortSignal;
}

export class InventorySource {
  readonly #parts: InventoryParts;
  #number = 0;
  #fullDueAt: number;
  #wake: (() => void) | undefined;
  #lastFullMs: number | undefined;

  constructor(parts: InventoryParts) {
    this.#parts = parts;
    this.#fullDueAt = performance.now() + Math.min(FIRST_MS, parts.times.recentMs);
  }

  status(): object {
    return { number: this.#number, lastFullMs: this.#lastFullMs ?? null };
  }

  /** A full inventory goes next. */
  demand(): void {
    this.#fullDueAt = 0;
    this.#wake?.();
  }

  /** Runs until the signal; never throws. */
  async run(): Promise<void> {
    const { signal, times, log } = this.#parts;
    let recentDueAt = performance.now() + times.recentMs;
    while (!signal.aborted) {
      const now = performance.now();
      const full = now >= this.#fullDueAt;
      if (!full && now < recentDueAt) {
        await this.#sleep(Math.min(this.#fullDueAt, recentDueAt) - now);
        continue;
      }
      if (full) this.#fullDueAt = now + times.fullMs;
      recentDueAt = now + times.recentMs;
      try {
        await this.#inventory(full);
      } catch (error) {
        if (signal.aborted) return;
        const { code, detail } = asGatewayError(error);
        log.warn({ code, detail, full }, "inventory not sent");
        // What is told hourly is tried again with the next of what is recent.
        if (full) this.#fullDueAt = recentDueAt;
      }
    }
  }

  async #inventory(full: boolean): Promise<void> {
    const { lane, times, list, clock, signal } = this.#parts;
    const timeMs = clock();
    const sinceMs = full ? 0 : Math.max(1, timeMs - times.windowMs);
    this.#number += 1;
    const facts = { number: this.#number, full, timeMs, sinceMs };
    const pages = new Pages();
    let sent = 0;
    let after = "";
    for (let more = true; more && sent < MAX_PAGES; ) {
      const options = { deadlineMs: LIST_DEADLINE_MS, signal };
      const answer = await list({ lane, sinceMs, afterStream: after }, options);
      for (const page of pages.add(answer)) {
        await this.#page({ ...facts, page: sent, last: false }, page);
        sent += 1;
      }
      const next = cursorAfter(answer);
      more = answer.more === true && next !== undefined;
      after = next ?? after;
    }
    const rest = pages.rest();
    // Of everything, nothing is worth telling; of what is recent it is not.
    if (full || sent > 0 || rest.held.length + rest.givenUp.length > 0) {
      await this.#page({ ...facts, page: sent, last: true }, rest);
    }
    if (full) this.#lastFullMs = timeMs;
  }

  async #page(
    facts: Pick<
      lightferry.ferry.v1.Inventory.$Properties,
      "number" | "page" | "last" | "full" | "timeMs" | "sinceMs"
    >,
    page: InventoryPage,
  ): Promise<void> {
    const { lane, node, epoch, frameSize, passDelayMs, signer, say, signal } = this.#parts;
    const signed = signMessage(signer, INVENTORY_LABEL, Inventory, {
      ...{ version: INVENTORY_VERSION, sender: node, lane, epoch, passDelayMs },
      ...facts,
      ...page,
    });
    await say(splitManifest(signer.provider, signed, frameSize));
    await delay(PAGE_PAUSE_MS, undefined, { signal });
  }

  #sleep(ms: number): Promise<void> {
    const { signal } = this.#parts;
    return new Promise((resolve) => {
      const over = (): void => {
        this.#wake = undefined;
        clearTimeout(timer);
        signal.removeEventListener("abort", over);
        resolve();
      };
      const timer = setTimeout(over, ms);
      signal.addEventListener("abort", over);
      this.#wake = over;
    });
  }
}
