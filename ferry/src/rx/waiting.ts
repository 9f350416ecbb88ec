/**
 * Guarantee: shards that come before their manifest wait in bounded memory; the
 * oldest give way, and the second pass brings them again.
 */
import type { FrameHeader } from "../frame.ts";
import { copyOf, type Payload, type ShardHeader, viewOf } from "./shard.ts";

/** Five times what comes between two copies of a manifest. */
const MAX_BYTES = 8 << 20;
/** Objects waited for at once; any sender of frames can name new ones. */
const MAX_OBJECTS = 256;
/** A frame of one byte costs this much too. */
const FRAME_COST = 256;

interface WaitingFrame {
  readonly header: ShardHeader;
  readonly payload: Uint8Array;
}

interface WaitingObject {
  readonly frames: WaitingFrame[];
  cost: number;
}

export class Waiting {
  readonly #objects = new Map<number, WaitingObject>();
  #cost = 0;

  get bytes(): number {
    return this.#cost;
  }

  /** Copies the frame. @returns frames that had to give way */
  add(header: FrameHeader, payload: Payload): number {
    let object = this.#objects.get(header.objectId);
    if (object === undefined) {
      object = { frames: [], cost: 0 };
      this.#objects.set(header.objectId, object);
    }
    object.frames.push({ header: copyOf(header), payload: Uint8Array.from(viewOf(payload)) });
    object.cost += payload.length + FRAME_COST;
    this.#cost += payload.length + FRAME_COST;
    let dropped = 0;
    for (const [objectId, oldest] of this.#objects) {
      if (this.#cost <= MAX_BYTES && this.#objects.size <= MAX_OBJECTS) break;
      this.#objects.delete(objectId);
      this.#cost -= oldest.cost;
      dropped += oldest.frames.length;
    }
    return dropped;
  }

  /** Takes out everything that waits for an object. */
  take(objectId: number): readonly WaitingFrame[] {
    const object = this.#objects.get(objectId);
    if (object === undefined) return [];
    this.#objects.delete(objectId);
    this.#cost -= object.cost;
    return object.frames;
  }
}
