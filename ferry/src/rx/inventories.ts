/**
 * Guarantee: a page of an inventory counts only when the expected sender signed
 * it for this lane and epoch, once, and its ranges fit (SPEC.md §9); every other
 * one is counted by its reason. Signatures looked at in a second are bounded.
 */
import { lightferry } from "@lightferry/proto/gen";
import type { FrameHeader } from "../frame.ts";
import { readPage, SIGNED_PAGE_BYTES } from "../inventory.ts";
import { ManifestCollector, SET_ID_BYTES } from "../manifest-parts.ts";
import { INVENTORY_LABEL, type LinkVerifier, verifyMessage } from "../signed.ts";
import type { Gaps } from "./gaps.ts";

const { Inventory } = lightferry.ferry.v1;

/** The honest sender makes twenty pages a second, each said twice. */
const MAX_PAGES_A_SECOND = 60;
/** Second copies of these are not looked at. */
const SETS_REMEMBERED = 64;

export interface InventoryParts {
  readonly verifier: LinkVerifier;
  readonly lane: string;
  readonly gaps: Gaps;
  readonly count: (reason: string, by?: number) => void;
}

export class Inventories {
  readonly #parts: InventoryParts;
  readonly #collector = new ManifestCollector();
  /** Beginnings of the messages that counted. */
  readonly #had: Uint8Array[] = [];
  #verified = 0;
  #dropped = 0;

  constructor(parts: InventoryParts) {
    this.#parts = parts;
  }

  /** Once a second. */
  tick(): void {
    this.#verified = 0;
  }

  /** Takes one part. @param sendersEpoch by the heartbeats of the link it came over */
  take({ epoch, shard, k }: FrameHeader, payload: Uint8Array, sendersEpoch: number): void {
    const { count } = this.#parts;
    // All parts but the last are equally long: a page of honest length has few of them.
    if (shard < k - 1 && k * payload.length > SIGNED_PAGE_BYTES + 2 * payload.length) {
      count("inventory-length");
      return;
    }
    const setId = payload.subarray(0, SET_ID_BYTES);
    if (this.#had.some((had) => Buffer.compare(had, setId) === 0)) return;
    const whole = this.#collector.add(epoch, shard, k, payload);
    const { dropped } = this.#collector;
    if (dropped !== this.#dropped) count("inventory-dropped", dropped - this.#dropped);
    this.#dropped = dropped;
    if (whole === undefined) return;
    if (typeof whole === "string") {
      count(`inventory-${whole}`);
      return;
    }
    const fault = epoch === sendersEpoch ? this.#page(epoch, whole) : "epoch";
    if (fault !== undefined) count(`inventory-${fault}`);
    else this.#remember(setId);
  }

  /** @returns why it counts for nothing */
  #page(epoch: number, bytes: Uint8Array): string | undefined {
    const { verifier, lane, gaps } = this.#parts;
    if (bytes.length > SIGNED_PAGE_BYTES) return "length";
    if (this.#verified >= MAX_PAGES_A_SECOND) return "flood";
    const message = verifyMessage(
      ...([verifier, INVENTORY_LABEL, Inventory, bytes] as const),
      ({ timeMs }) => timeMs,
    );
    // Only what was verified has cost something.
    if (typeof message !== "string" || message === "signature") this.#verified += 1;
    if (typeof message === "string") return message;
    const page = readPage(message, { sender: verifier.sender, lane, epoch });
    return typeof page === "string" ? page : gaps.page(epoch, page);
  }

  #remember(setId: Uint8Array): void {
    this.#had.push(Uint8Array.from(setId));
    if (this.#had.length > SETS_REMEMBERED) this.#had.shift();
  }
}
