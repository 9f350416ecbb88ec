/**
 * Guarantee: what heads and inventories say of the streams counts only when the appliance cannot hold anything any
 * more that was sent before them: what it delivers in another order is no gap. Memory is bounded.
 */
import { lightferry } from "@lightferry/proto/gen";
import { type Page, readPage } from "../../inventory.ts";
import type { Gaps } from "../../rx/gaps.ts";
import { INVENTORY_LABEL, type LinkVerifier, verifyMessage } from "../../signed.ts";

const { Inventory } = lightferry.ferry.v1;
type StreamPositions = readonly lightferry.ferry.v1.StreamPosition.$Properties[];

/** Waiting for their delay; the next ones say the same again. */
const MAX_WAITING = 4_096;

interface Waiting {
  /** Monotonic milliseconds. */
  readonly at: number;
  readonly say: (gaps: Gaps) => void;
}

export class Positions {
  readonly #gaps: Gaps;
  readonly #delayMs: number;
  readonly #waiting: Waiting[] = [];
  /** Of the newest inventory that counted. */
  #epoch = 0;

  constructor(gaps: Gaps, delayMs: number) {
    this.#gaps = gaps;
    this.#delayMs = delayMs;
  }

  /** Of a head that is believed. */
  heard(streams: StreamPositions): void {
    this.#add((gaps) => gaps.positions(streams));
  }

  /** @returns why the page counts for nothing */
  inventory(
    verifier: LinkVerifier,
    lane: string,
    epoch: number,
    bytes: Uint8Array,
  ): string | undefined {
    const usedMs = ({ timeMs }: { readonly timeMs: number }): number => timeMs;
    const message = verifyMessage(verifier, INVENTORY_LABEL, Inventory, bytes, usedMs);
    if (typeof message === "string") return `inventory-${message}`;
    const page: Page | string = readPage(message, { sender: verifier.sender, lane, epoch });
    if (typeof page === "string") return `inventory-${page}`;
    this.#add((gaps) => {
      // One of a former start that was overtaken says nothing any more; one that comes again is told by its number.
      if (epoch < this.#epoch) return;
      this.#epoch = epoch;
      gaps.page(epoch, page);
    });
    return undefined;
  }

  /** Once a second. */
  tick(now: number): void {
    while (this.#waiting[0] !== undefined && this.#waiting[0].at + this.#delayMs <= now) {
      this.#waiting.shift()?.say(this.#gaps);
    }
  }

  #add(say: Waiting["say"]): void {
    if (this.#waiting.length < MAX_WAITING) this.#waiting.push({ at: performance.now(), say });
  }
}
