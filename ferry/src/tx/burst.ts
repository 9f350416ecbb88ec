/**
 * Guarantee: frames are written straight into the gate's memory, full frames
 * one after another and a shorter one only as the last, each with the number of
 * the link and the next sequence number there in the epoch.
 */
import { encodeFrame, FRAME_HEADER, FRAME_TYPE, type FrameHeader } from "../frame.ts";
import type { GateSender } from "../gate/gate.ts";

export class BurstWriter {
  readonly #sender: GateSender;
  readonly #frameSize: number;
  readonly #link: number;
  /** The number of the next frame; the first of an epoch is 0. */
  nextFrame = 0;
  /** Bytes of all frames so far … */
  bytes = 0;
  /** … and of those with parity. */
  parityBytes = 0;
  #room: Uint8Array | undefined;
  #at = 0;
  #full = false;

  constructor(sender: GateSender, frameSize: number, link = 0) {
    this.#sender = sender;
    this.#frameSize = frameSize;
    this.#link = link;
  }

  /** True when a burst can be begun. */
  begin(): boolean {
    this.#room = this.#sender.room();
    this.#at = 0;
    this.#full = this.#room === undefined;
    return !this.#full;
  }

  /** True while another frame fits. */
  get open(): boolean {
    return !this.#full;
  }

  /** Adds a frame; `payload` is at most a shard. Numbers it. */
  add(header: FrameHeader, payload: Uint8Array): void {
    const room = this.#room as Uint8Array;
    room.set(payload, this.#at + FRAME_HEADER);
    header.link = this.#link;
    header.seq = this.nextFrame;
    this.nextFrame += 1;
    const length = encodeFrame(room, this.#at, header, payload.length);
    this.#at += length;
    this.bytes += length;
    if (header.type === FRAME_TYPE.PARITY) this.parityBytes += length;
    this.#full = length < this.#frameSize || this.#at + this.#frameSize > room.length;
  }

  /** Gives the burst to the gate. @returns its bytes */
  end(): number {
    const bytes = this.#at;
    if (bytes > 0) this.#sender.commit(bytes, this.#frameSize);
    this.#room = undefined;
    this.#full = true;
    return bytes;
  }
}
