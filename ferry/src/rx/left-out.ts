/** Guarantee: frames of objects that found no room are told from those that wait for their manifest, in bounded memory, until another pass asks again. */
import { SET_ID_BYTES } from "../manifest-parts.ts";

/** As many as may be under way; what is forgotten waits for its manifest like any other. */
const MAX_OBJECTS = 4_096;

export class LeftOutObjects {
  /** The set ids of their manifests. */
  readonly #sets = new Map<number, Uint8Array>();

  add(objectId: number, setId: Uint8Array): void {
    this.#sets.delete(objectId);
    this.#sets.set(objectId, setId);
    const [oldest] = this.#sets.keys();
    if (this.#sets.size > MAX_OBJECTS && oldest !== undefined) this.#sets.delete(oldest);
  }

  has(objectId: number): boolean {
    return this.#sets.has(objectId);
  }

  /** Each pass signs its manifest anew: one that was refused is not looked at again. */
  knows(objectId: number, payload: Uint8Array): boolean {
    return beginsWith(payload, this.#sets.get(objectId));
  }

  delete(objectId: number): void {
    this.#sets.delete(objectId);
  }
}

/** Whether a part of a manifest is of this set. */
export function beginsWith(payload: Uint8Array, setId: Uint8Array | undefined): boolean {
  if (setId === undefined || payload.length < SET_ID_BYTES) return false;
  for (let at = 0; at < SET_ID_BYTES; at += 1) if (payload[at] !== setId[at]) return false;
  return true;
}
