/**
 * Guarantee: frames are written straight into the gate's memory, full frames
 * one after another and a shorter one only as the last, each with the number of
 * the link and the next sequence number there in the epoch.
 */
import type { ErasureGroup } from "../erasure/index.ts";
import {
  encodeChecksum,
  encodeFrame,
  encodeHeader,
  FRAME_HEADER,
  FRAME_TYPE,
  type FrameHeader,
} from "../frame.ts";
import { frameCopier, LEAST_COPIED } from "../frame-sum/index.ts";
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
  /** Of the room. */
  #view: DataView = new DataView(new ArrayBuffer(0));
  #at = 0;
  /** Memory of the shards last added, and what copies from there into that of the room. */
  #from: ErasureGroup["memory"];
  #copy: ReturnType<typeof frameCopier>;
  #full = false;

  constructor(sender: GateSender, frameSize: number, link = 0) {
    this.#sender = sender;
    this.#frameSize = frameSize;
    this.#link = link;
  }

  /** True when a burst can be begun. */
  begin(): boolean {
    const room = this.#sender.room();
    this.#room = room;
    this.#at = 0;
    this.#full = room === undefined;
    if (room !== undefined) {
      this.#view = new DataView(room.buffer, room.byteOffset, room.length);
    }
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
    this.#number(header);
    this.#added(header, encodeFrame(room, this.#at, header, payload.length), room);
  }

  /** Adds a frame with the first `length` bytes of a shard. Numbers it. */
  addShard(header: FrameHeader, group: ErasureGroup, shard: number, length: number): void {
    const room = this.#room as Uint8Array;
    if (group.memory !== this.#from) {
      this.#from = group.memory;
      this.#copy = this.#from === undefined ? undefined : frameCopier(room.buffer, this.#from);
    }
    const fits = this.#at + FRAME_HEADER + length <= room.length;
    if (this.#copy === undefined || length < LEAST_COPIED || !fits) {
      this.add(header, group.shard(shard).subarray(0, length));
      return;
    }
    this.#number(header);
    encodeHeader(this.#view, this.#at, header);
    const sum = this.#copy(room.byteOffset + this.#at, group.address(shard), length);
    encodeChecksum(this.#view, this.#at, sum);
    this.#added(header, FRAME_HEADER + length, room);
  }

  #number(header: FrameHeader): void {
    header.link = this.#link;
    header.seq = this.nextFrame;
    this.nextFrame += 1;
  }

  #added(header: FrameHeader, length: number, room: Uint8Array): void {
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
