/**
 * Guarantee: hostile datagrams of every kind of SPEC.md §6–§8, each from the seed alone and from the frames that
 * were overheard; what is well formed has a right checksum, so that it gets past the first checks.
 */
import {
  decodeFrame,
  emptyHeader,
  encodeFrame,
  FLAG_REPEAT,
  FRAME_HEADER,
  FRAME_TYPE,
  type FrameHeader,
} from "../../src/frame.ts";

/** Kinds, and how many of a hundred datagrams each has. */
export const KINDS = {
  random: 8,
  "bits flipped": 10,
  "fields changed": 12,
  "cut or lengthened": 6,
  "said again": 12,
  "flood of groups": 10,
  "flood of objects": 10,
  "conflicting metadata": 6,
  "reused ids": 5,
  "forged heartbeats": 5,
  "forged manifests": 4,
  "forged tags": 4,
  "decode bombs": 5,
  "epochs past and future": 3,
} as const satisfies Readonly<Record<string, number>>;
export type Kind = keyof typeof KINDS;

/** Frames that are remembered, newest last: of objects under way and of such as are over. */
const OVERHEARD = 512;
export const LONGEST = 1_456;
/** Beyond the objects that a sender gets to in a run: what is over is not looked at. */
const FAR = 2 ** 24;
/**
 * Of so many forged manifests one is a real one with a byte changed, under the key id of the sender: each costs
 * the receiver a verification, and more than 200 a second keep honest ones from being read (SPEC.md §8).
 */
const SIGNED = 16;

interface Overheard {
  readonly header: FrameHeader;
  readonly bytes: Uint8Array;
}

export class Hostile {
  readonly counts: Record<string, number> = {};
  readonly #chance: () => number;
  readonly #out = new Uint8Array(LONGEST);
  readonly #overheard: Overheard[] = [];
  readonly #kinds: Kind[];
  #poisoned = 0;

  /** @param chance uniform in [0, 1) */
  constructor(chance: () => number) {
    this.#chance = chance;
    this.#kinds = Object.entries(KINDS).flatMap(([kind, share]) =>
      new Array<Kind>(share).fill(kind as Kind),
    );
  }

  /** Remembers a frame that went by. @returns false when it is none */
  overhear(datagram: Uint8Array): boolean {
    const header = emptyHeader();
    if (datagram.length > LONGEST || decodeFrame(datagram, header) !== undefined) return false;
    if (this.#overheard.length === OVERHEARD) this.#overheard.splice(this.#int(OVERHEARD / 2), 1);
    this.#overheard.push({ header, bytes: Uint8Array.from(datagram) });
    return true;
  }

  /** The next datagram; valid until the next call. */
  next(): Uint8Array {
    const kind = this.#kinds[this.#int(this.#kinds.length)] as Kind;
    this.counts[kind] = (this.counts[kind] ?? 0) + 1;
    return this.#make(kind);
  }

  /** A false shard that fits an object under way in all but its content, and costs it a pass (SPEC.md §8). */
  poisoned(): Uint8Array | undefined {
    const real = this.#overheard.findLast(
      ({ header }) => header.type === FRAME_TYPE.DATA && header.k > 1,
    );
    if (real === undefined) return undefined;
    this.#poisoned += 1;
    this.counts.poisoned = this.#poisoned;
    return this.#well(real.header, real.bytes.length - FRAME_HEADER);
  }

  #make(kind: Kind): Uint8Array {
    switch (kind) {
      case "random":
        return this.#noise(this.#int(LONGEST + 1));
      case "bits flipped":
        return this.#flipped();
      case "fields changed":
        return this.#changed();
      case "cut or lengthened":
        return this.#resized();
      case "said again":
        return this.#real()?.bytes ?? this.#noise(100);
      case "flood of groups":
        return this.#groups();
      case "flood of objects":
        return this.#objects();
      case "conflicting metadata":
        return this.#conflict();
      case "reused ids":
        return this.#reused();
      case "forged heartbeats":
        return this.#heartbeat();
      case "forged manifests":
        return this.#manifest();
      case "forged tags":
        return this.#tags();
      case "decode bombs":
        return this.#bomb();
      case "epochs past and future":
        return this.#epoch();
    }
  }

  #flipped(): Uint8Array {
    const copy = this.#copyOfReal();
    const flips = 1 + this.#int(8);
    for (let flip = 0; flip < flips; flip += 1) {
      const bit = this.#int(copy.length * 8);
      copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7));
    }
    return copy;
  }

  /** Any field of a real frame, and what it carries is noise: never what a group under way would take. */
  #changed(): Uint8Array {
    const header = this.#headerOfReal();
    const change = this.#int(6);
    if (change === 0) header.type = 1 + this.#int(6);
    else if (change === 1) header.group = this.#any32();
    else if (change === 2) header.k = 1 + this.#int(255);
    else if (change === 3) header.objectId = this.#anySafe();
    else if (change === 4) header.objectSize = this.#int(2 ** 40);
    else [header.link, header.lane] = [this.#int(16), 1 + this.#int(15)];
    if (header.type <= FRAME_TYPE.PARITY) header.objectSize += 1;
    return this.#well(header, this.#int(LONGEST - FRAME_HEADER));
  }

  #resized(): Uint8Array {
    const copy = this.#copyOfReal();
    const length = this.#int(LONGEST + 1);
    return this.#out.subarray(0, length === copy.length ? length - 1 : length);
  }

  /** Of an object under way: groups it has not, and groups it has in a shape they have not. */
  #groups(): Uint8Array {
    const header = this.#headerOfReal();
    header.type = this.#int(2) === 0 ? FRAME_TYPE.DATA : FRAME_TYPE.PARITY;
    header.group = this.#int(2) === 0 ? this.#any32() : this.#int(1_000);
    header.k = 129 + this.#int(60);
    header.m = 17;
    header.shard = header.type === FRAME_TYPE.DATA ? this.#int(header.k) : header.k;
    return this.#well(header, LONGEST - FRAME_HEADER);
  }

  /** Of objects that nobody announced. */
  #objects(): Uint8Array {
    const header = this.#headerOfReal();
    header.type = this.#int(2) === 0 ? FRAME_TYPE.DATA : FRAME_TYPE.MANIFEST;
    header.objectId = header.epoch * 2 ** 32 + 2 ** 31 + this.#any32() / 2;
    [header.k, header.m, header.shard] = [255, 0, this.#int(255)];
    return this.#well(header, 1 + this.#int(LONGEST - FRAME_HEADER));
  }

  #conflict(): Uint8Array {
    const header = this.#headerOfReal();
    header.type = FRAME_TYPE.DATA;
    header.objectSize += 1 + this.#int(2 ** 30);
    header.k = Math.max(header.k, header.shard + 1);
    header.m = 0;
    return this.#well(header, LONGEST - FRAME_HEADER);
  }

  /** Of objects that were delivered long ago, with other content, of either pass. */
  #reused(): Uint8Array {
    const { header } = this.#overheard[0] ?? { header: emptyHeader() };
    const copy = { ...header, flags: this.#int(2) * FLAG_REPEAT };
    copy.objectSize += 1;
    if (copy.type > FRAME_TYPE.PARITY) copy.type = FRAME_TYPE.DATA;
    copy.k = Math.max(1, copy.k);
    copy.m = 0;
    copy.shard = 0;
    return this.#well(copy, LONGEST - FRAME_HEADER);
  }

  #heartbeat(): Uint8Array {
    const real = this.#real(({ type }) => type === FRAME_TYPE.HEARTBEAT);
    const header = { ...(real?.header ?? this.#headerOfReal()), type: FRAME_TYPE.HEARTBEAT };
    header.epoch += this.#int(3) - 1;
    if (header.epoch < 0) header.epoch = 0;
    if (this.#int(2) === 0) [header.k, header.m, header.shard] = [255, 0, this.#int(255)];
    else [header.k, header.m, header.shard] = [1, 0, 0];
    return real === undefined ? this.#well(header, 200) : this.#misspelt(header, real.bytes);
  }

  /** The words of a real frame, a byte of them changed. */
  #misspelt(header: FrameHeader, bytes: Uint8Array): Uint8Array {
    const payload = bytes.subarray(FRAME_HEADER);
    this.#out.set(payload, FRAME_HEADER);
    const at = FRAME_HEADER + this.#int(payload.length);
    this.#out[at] = (this.#out[at] as number) ^ (1 + this.#int(255));
    return this.#sealed(header, payload.length);
  }

  #manifest(): Uint8Array {
    const real = this.#real(({ type }) => type === FRAME_TYPE.MANIFEST);
    if (real?.header.type === FRAME_TYPE.MANIFEST && this.#int(SIGNED) === 0) {
      const objectId = real.header.objectId + FAR + this.#int(1_000);
      return this.#misspelt({ ...real.header, objectId }, real.bytes);
    }
    const header = this.#headerOfReal();
    header.type = this.#int(4) === 0 ? FRAME_TYPE.INVENTORY : FRAME_TYPE.MANIFEST;
    header.k = this.#int(2) === 0 ? 1 : 2 + this.#int(254);
    [header.m, header.shard] = [0, this.#int(header.k)];
    header.objectId += 1 + this.#int(1_000);
    return this.#well(header, 9 + this.#int(400));
  }

  /** Of chunks of an object under way, well formed or nearly so: each can cost the receiver a digest. */
  #tags(): Uint8Array {
    const header = this.#headerOfReal();
    header.type = FRAME_TYPE.TAGS;
    [header.k, header.m, header.shard] = [1, 0, 0];
    header.group = this.#int(8);
    const length = 8 + 16 * this.#int(6) + (this.#int(4) === 0 ? this.#int(16) : 0);
    this.#noise(FRAME_HEADER + length);
    this.#out.fill(0, FRAME_HEADER, FRAME_HEADER + 4);
    return this.#sealed(header, length);
  }

  /** Messages that promise more than they hold, nest without end, or are one field a million times. */
  #bomb(): Uint8Array {
    const header = this.#headerOfReal();
    header.type = [FRAME_TYPE.MANIFEST, FRAME_TYPE.HEARTBEAT, FRAME_TYPE.INVENTORY][
      this.#int(3)
    ] as number;
    [header.k, header.m, header.shard] = [1, 0, 0];
    if (header.type === FRAME_TYPE.MANIFEST) header.objectId += 1 + this.#int(1_000);
    const length = 1_000;
    const payload = this.#out.subarray(FRAME_HEADER, FRAME_HEADER + length);
    const bomb = this.#int(4);
    // Groups in groups; a field of 2 GiB; empty certificates by the hundred; a varint without end.
    if (bomb === 0) payload.fill(0x0b);
    else if (bomb === 1) payload.set([0x0a, 0xff, 0xff, 0xff, 0xff, 0x07]);
    else if (bomb === 2) for (let at = 0; at < length; at += 2) payload.set([0x22, 0x00], at);
    else payload.fill(0xff);
    return this.#sealed(header, length);
  }

  #epoch(): Uint8Array {
    const header = this.#headerOfReal();
    const epochs = [0, 1, header.epoch + 1, header.epoch + 2 ** 20, Number.MAX_SAFE_INTEGER];
    header.epoch = epochs[this.#int(epochs.length)] as number;
    header.seq = this.#int(2) === 0 ? this.#anySafe() : Number.MAX_SAFE_INTEGER;
    header.objectSize += 1;
    return this.#well(header, 100);
  }

  #real(wanted: (header: FrameHeader) => boolean = () => true): Overheard | undefined {
    const from = this.#int(Math.max(1, this.#overheard.length));
    const found = this.#overheard.findIndex(({ header }, at) => at >= from && wanted(header));
    return this.#overheard[found < 0 ? this.#overheard.length - 1 : found];
  }

  #headerOfReal(): FrameHeader {
    return { ...(this.#real()?.header ?? { ...emptyHeader(), type: FRAME_TYPE.DATA, k: 1 }) };
  }

  #copyOfReal(): Uint8Array {
    const bytes = this.#real()?.bytes ?? new Uint8Array(FRAME_HEADER);
    this.#out.set(bytes);
    return this.#out.subarray(0, bytes.length);
  }

  /** A frame of noise with this header. */
  #well(header: FrameHeader, length: number): Uint8Array {
    this.#noise(Math.min(64, length), FRAME_HEADER);
    return this.#sealed(header, length);
  }

  #sealed(header: FrameHeader, length: number): Uint8Array {
    return this.#out.subarray(0, encodeFrame(this.#out, 0, header, length));
  }

  #noise(length: number, at = 0): Uint8Array {
    const noise = this.#out.subarray(at, at + length);
    for (let index = 0; index < noise.length; index += 4) {
      const word = this.#any32();
      for (let byte = 0; byte < 4; byte += 1) noise[index + byte] = word >>> (8 * byte);
    }
    return noise;
  }

  #int(below: number): number {
    return Math.floor(this.#chance() * below);
  }

  #any32(): number {
    return this.#int(2 ** 32);
  }

  #anySafe(): number {
    return this.#int(2 ** 21) * 2 ** 32 + this.#any32();
  }
}
