/**
 * Guarantee: a signed manifest longer than a frame is cut into parts that name
 * the set they belong to; parts of different sets are never joined, and what is
 * kept of unfinished sets is bounded.
 */
import type { SmProvider } from "@lightferry/proto/sm";
import { FRAME_HEADER } from "./frame.ts";

/** First bytes of the SM3 of the whole signed message: tells the sets of one object apart. */
export const SET_ID_BYTES = 8;

/** A part is a frame payload: set id, then a piece of the signed message. */
export function splitManifest(
  provider: SmProvider,
  signed: Uint8Array,
  frameSize: number,
): Uint8Array[] {
  const room = frameSize - FRAME_HEADER - SET_ID_BYTES;
  const setId = provider.sm3(signed).subarray(0, SET_ID_BYTES);
  const parts: Uint8Array[] = [];
  for (let at = 0; at < signed.length; at += room) {
    parts.push(Buffer.concat([setId, signed.subarray(at, at + room)]));
  }
  return parts;
}

/** A heartbeat that fits a frame is one payload as it is; a longer one is cut as a manifest is. */
export function splitHeartbeat(
  provider: SmProvider,
  signed: Uint8Array,
  maxPayload: number,
): Uint8Array[] {
  if (signed.length <= maxPayload) return [signed];
  return splitManifest(provider, signed, maxPayload + FRAME_HEADER);
}

interface PartSet {
  readonly parts: (Uint8Array | undefined)[];
  missing: number;
  bytes: number;
}

/**
 * Unfinished sets at once. Anyone on the link can send parts, so they are few;
 * honest ones follow one another and are complete at once.
 */
const MAX_SETS = 256;
/** Bytes they may hold together. */
const MAX_BYTES = 2 << 20;

/** Collects parts; the oldest set gives way when there are too many. */
export class ManifestCollector {
  readonly #sets = new Map<string, PartSet>();
  #bytes = 0;
  /** Sets given up so far. */
  dropped = 0;

  /**
   * Takes one part.
   * @returns the whole signed message when this was the last part, "short" for a
   * payload without a set id, "mismatch" when it contradicts its set, else undefined
   */
  add(
    objectId: number,
    part: number,
    parts: number,
    payload: Uint8Array,
  ): Uint8Array | "short" | "mismatch" | undefined {
    if (payload.length <= SET_ID_BYTES) return "short";
    const piece = payload.subarray(SET_ID_BYTES);
    if (parts === 1) return piece;
    const setId = Buffer.from(payload.subarray(0, SET_ID_BYTES)).toString("hex");
    const name = `${objectId}/${setId}`;
    let set = this.#sets.get(name);
    if (set === undefined) {
      set = { parts: new Array<Uint8Array | undefined>(parts), missing: parts, bytes: 0 };
      this.#sets.set(name, set);
    }
    if (set.parts.length !== parts) return "mismatch";
    if (set.parts[part] !== undefined) return undefined;
    set.parts[part] = Uint8Array.from(piece);
    set.missing -= 1;
    set.bytes += piece.length;
    this.#bytes += piece.length;
    if (set.missing === 0) {
      this.#forget(name, set);
      return Buffer.concat(set.parts as Uint8Array[]);
    }
    this.#shrink();
    return undefined;
  }

  #forget(name: string, set: PartSet): void {
    this.#sets.delete(name);
    this.#bytes -= set.bytes;
  }

  #shrink(): void {
    for (const [name, set] of this.#sets) {
      if (this.#sets.size <= MAX_SETS && this.#bytes <= MAX_BYTES) return;
      this.#forget(name, set);
      this.dropped += 1;
    }
  }
}
