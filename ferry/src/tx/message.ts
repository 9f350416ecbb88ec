/**
 * Guarantee: the parts of one signed message leave in their order, each copy
 * after the other; nothing of it is held once the last has left.
 */
import { emptyHeader, FLAG_REPEAT, type FrameHeader } from "../frame.ts";
import type { BurstWriter } from "./burst.ts";
import type { Ready } from "./order.ts";

/** What stands in the header of every part. */
export interface MessageHead {
  readonly type: number;
  readonly epoch: number;
  readonly channel: number;
  readonly lane: number;
}

export class Message implements Ready {
  /** Class of the order. */
  readonly kind: { readonly serviceClass: number };
  readonly lane: number;
  readonly #parts: readonly Uint8Array[];
  readonly #header: FrameHeader = emptyHeader();
  readonly #frames: number;
  #written = 0;
  #ended: (() => void) | undefined;
  #stopped: { readonly reason: unknown } | undefined;

  /** @param copies how often the whole is said: a part that is lost spoils a copy */
  constructor(head: MessageHead, parts: readonly Uint8Array[], copies: number) {
    this.kind = { serviceClass: head.channel };
    this.lane = head.lane;
    this.#parts = parts;
    this.#frames = parts.length * copies;
    Object.assign(this.#header, head, { k: parts.length });
  }

  get ready(): boolean {
    return this.#written < this.#frames && this.#stopped === undefined;
  }

  /** Writes the next part; only when ready. */
  write(burst: BurstWriter): void {
    const part = this.#written % this.#parts.length;
    this.#header.shard = part;
    this.#header.flags = this.#written < this.#parts.length ? 0 : FLAG_REPEAT;
    burst.add(this.#header, this.#parts[part] as Uint8Array);
    this.#written += 1;
    if (this.#written === this.#frames) this.#ended?.();
  }

  /** Resolves when the last part was written. @throws the reason when it was stopped */
  async run(): Promise<void> {
    if (this.ready) {
      await new Promise<void>((resolve) => {
        this.#ended = resolve;
      });
    }
    if (this.#stopped !== undefined) throw this.#stopped.reason;
  }

  stop(reason: unknown): void {
    this.#stopped = { reason };
    this.#ended?.();
  }
}
