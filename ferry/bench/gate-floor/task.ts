/** Guarantee: what the two processes of a step are told and what they answer, how frames are paced and counted. */
import { WIRE_OVERHEAD } from "../../src/gate/gate.ts";
import { Pacer } from "../../src/gate/pacer.ts";

export interface Task {
  readonly role: "send" | "receive";
  /** `bare`: libc in one loop; `dgram`: Node's sockets; `gate`: the ferry's own driver. */
  readonly by: "bare" | "dgram" | "gate";
  readonly host: string;
  readonly port: number;
  /** UDP payload of a frame in bytes. */
  readonly frameSize: number;
  /** Wire bytes per second. */
  readonly rate: number;
  readonly milliseconds: number;
  /** Receive buffer asked for, in bytes. */
  readonly receiveBuffer: number;
}

export interface Report {
  readonly frames: number;
  readonly bytes: number;
  /** Of the frames alone, without start and end of the process. */
  readonly seconds: number;
  /** Processor time of the whole process meanwhile, kernel included, in seconds. */
  readonly cpu: number;
}

/** A datagram of this length says that the sender is done; no frame is as short. */
export const END_BYTES = 12;
/** The last one may meet a full buffer. */
export const END_REPEATS = 3;
/** Time for the receiver to empty its buffer, and between repeats. */
export const END_PAUSE_MS = 100;

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Time and processor time from its making on. */
export class Stopwatch {
  readonly #start = performance.now();
  readonly #cpu = cpuSeconds();

  report(frames: number, bytes: number): Report {
    const seconds = (performance.now() - this.#start) / 1000;
    return { frames, bytes, seconds, cpu: cpuSeconds() - this.#cpu };
  }
}

/** Counts frames, each of which begins with its number. */
export class Tally {
  frames = 0;
  bytes = 0;
  ended = false;
  readonly #frameSize: number;
  #next = 0;
  #watch: Stopwatch | undefined;
  #last: Report | undefined;

  constructor(frameSize: number) {
    this.#frameSize = frameSize;
  }

  /** One datagram at `at` of `bytes`. */
  take(bytes: Buffer, at: number, length: number): void {
    if (length === END_BYTES) {
      this.#last ??= this.#watch?.report(this.frames, this.bytes);
      this.ended = true;
      return;
    }
    this.#watch ??= new Stopwatch();
    const number = bytes.readUInt32LE(at);
    if (length !== this.#frameSize || number < this.#next) {
      throw new Error(`frame ${number} of ${length} bytes, ${this.#next} expected`);
    }
    this.#next = number + 1;
    this.frames += 1;
    this.bytes += length;
  }

  /** Up to the end that the sender told. */
  report(): Report {
    return this.#last ?? new Stopwatch().report(this.frames, this.bytes);
  }
}

/** A burst of frames to be numbered and sent again and again. */
export class BurstMaker {
  readonly bytes: Buffer;
  readonly frames: number;
  readonly #frameSize: number;
  #number = 0;

  /** @param room bytes that a burst may have at most */
  constructor(frameSize: number, room: number) {
    this.#frameSize = frameSize;
    this.frames = Math.floor(room / frameSize);
    this.bytes = Buffer.alloc(this.frames * frameSize, 0x5a);
  }

  number(into: Buffer = this.bytes): void {
    for (let at = 0; at < this.bytes.length; at += this.#frameSize) {
      into.writeUInt32LE(this.#number, at);
      this.#number += 1;
    }
  }
}

/** Bursts of one step, each when its pace says so, until its time is over. */
export class PacedBursts {
  readonly #burst: BurstMaker;
  readonly #pacer: Pacer;
  readonly #wireBytes: number;
  readonly #frameSize: number;
  readonly #until: number;
  readonly #watch = new Stopwatch();
  #frames = 0;

  /** @param room bytes that a burst may have at most */
  constructor({ frameSize, rate, milliseconds }: Task, room: number) {
    this.#burst = new BurstMaker(frameSize, room);
    this.#pacer = new Pacer(rate);
    this.#wireBytes = this.#burst.bytes.length + this.#burst.frames * WIRE_OVERHEAD;
    this.#frameSize = frameSize;
    this.#until = performance.now() + milliseconds;
  }

  get over(): boolean {
    return performance.now() >= this.#until;
  }

  /** Milliseconds before the next may leave. */
  get wait(): number {
    return this.#pacer.delay(performance.now());
  }

  /** The next, numbered; the same memory each time. */
  next(): Buffer {
    this.#pacer.spend(this.#wireBytes, performance.now());
    this.#burst.number();
    this.#frames += this.#burst.frames;
    return this.#burst.bytes;
  }

  report(): Report {
    return this.#watch.report(this.#frames, this.#frames * this.#frameSize);
  }
}
