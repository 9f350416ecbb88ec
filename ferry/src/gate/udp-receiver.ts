/** Guarantee: a {@link GateReceiver} over one write-shut UDP socket and one worker of its own. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { GatewayError } from "@lightferry/proto/errors";
import { incomingMemory } from "../frames-in/index.ts";
import type { GateAddress, GateReceiver, OnTogether, ReceiverStats } from "./gate.ts";
import { RECEIVED, type ReceiveLoopData, Total } from "./loops.ts";
import { closeSocket } from "./native.ts";
import { RingReader, ringMemory } from "./ring.ts";
import { openRxSocket, socketDrops } from "./rx-socket.ts";

/**
 * What comes within some milliseconds of any line; longer pauses are the socket buffer's. A larger ring would not
 * be found in the processor's caches any more when its turn comes again.
 */
const RING_BYTES = 1 << 22;
/** How long a blocking receive may delay the close. */
const RECEIVE_TIMEOUT_MS = 100;
/**
 * Longest stretch of datagrams before timers, files and network of the process get their turn: from its last frame to
 * the inbox a bundle takes some twenty of them.
 */
const BATCH_MS = 1;
/** Looking at the clock costs as much as a small datagram. */
const CLOCK_EVERY = 32;
/**
 * While datagrams flow they are looked for at this interval, and the worker
 * rings for the first one after a silence: a message between threads for every
 * datagram costs more than the datagram, a timer about 70 µs.
 */
const POLL_MS = 2;

export class UdpReceiver implements GateReceiver {
  readonly driver = "udp";
  readonly locked = true;
  readonly port: number;
  readonly receiveBuffer: number;
  /** Settled once the worker receives, or has ended; until then the socket's buffer alone takes what comes. */
  readonly started: Promise<void>;
  readonly #fd: number;
  readonly #ring: RingReader;
  readonly #worker: Worker;
  readonly #datagrams = new Total();
  readonly #bytes = new Total();
  readonly #overruns = new Total();
  #onDatagram: ((datagram: Uint8Array) => void) | undefined;
  #onTogether: OnTogether | undefined;
  #onIdle: (() => void) | undefined;
  #drops = 0;
  /** Bytes of the record at hand that were handed over: it may hold many datagrams. */
  #delivered = 0;
  #paused = false;
  #scheduled = false;
  #closed = false;

  /**
   * @param receiveBuffer bytes wanted of the socket
   * @param ringBytes of memory between the worker and this thread, a power of two, at least 2^18
   * @throws GatewayError `ferry.gate-unavailable`, `config.invalid`
   */
  constructor(address: GateAddress, receiveBuffer: number, ringBytes = RING_BYTES) {
    const socket = openRxSocket(address, receiveBuffer, RECEIVE_TIMEOUT_MS);
    this.#fd = socket.fd;
    this.port = socket.port;
    this.receiveBuffer = socket.receiveBuffer;
    const memory = ringMemory(incomingMemory(ringBytes), ringBytes);
    this.#ring = new RingReader(memory);
    const workerData: ReceiveLoopData = { fd: socket.fd, memory };
    this.#worker = new Worker(new URL("./receive-loop.ts", import.meta.url), { workerData });
    this.#worker.on("message", () => this.#drain());
    this.started = new Promise((resolve) => {
      this.#worker.once("message", () => resolve());
      this.#worker.once("exit", () => resolve());
    });
  }

  /** Tests try to send through it. */
  get fd(): number {
    return this.#fd;
  }

  /** Called once if the worker dies on its own. */
  onFailure(report: (error: unknown) => void): void {
    this.#worker.once("error", report);
    this.#worker.once("exit", () => {
      if (!this.#closed) {
        report(new GatewayError("ferry.gate-unavailable", { detail: "receive loop ended" }));
      }
    });
  }

  listen(onDatagram: (datagram: Uint8Array) => void, onIdle?: () => void): void {
    this.#onDatagram = onDatagram;
    this.#onIdle = onIdle;
    this.#drain();
  }

  readonly listenTogether = (onTogether: OnTogether): void => {
    this.#onTogether = onTogether;
    this.#drain();
  };

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#later();
  }

  stats(): ReceiverStats {
    if (!this.#closed) this.#drops = socketDrops(this.#fd);
    return {
      datagrams: this.#datagrams.see(this.#ring.counter(RECEIVED.datagrams)),
      bytes: this.#bytes.see(this.#ring.counter(RECEIVED.bytes)),
      receiveBuffer: this.receiveBuffer,
      overruns: this.#overruns.see(this.#drops),
    };
  }

  /** What the worker did for the datagrams so far: receives, and messages to this thread. */
  work(): { readonly receives: number; readonly doorbells: number } {
    return {
      receives: this.#ring.counter(RECEIVED.receives),
      doorbells: this.#ring.counter(RECEIVED.doorbells),
    };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const exit = once(this.#worker, "exit");
    this.#ring.close();
    await exit;
    this.#drops = socketDrops(this.#fd);
    closeSocket(this.#fd);
  }

  #later(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#drain();
    });
  }

  #poll(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    setTimeout(() => {
      this.#scheduled = false;
      this.#drain();
    }, POLL_MS);
  }

  #drain(): void {
    const deliver = this.#onDatagram;
    const together = this.#onTogether;
    if ((deliver === undefined && together === undefined) || this.#closed) return;
    this.#bytes.see(this.#ring.counter(RECEIVED.bytes));
    const until = performance.now() + BATCH_MS;
    let count = 0;
    let clockAt = CLOCK_EVERY;
    while (!this.#paused && !this.#closed) {
      if (!this.#ring.next()) {
        if (count > 0) {
          this.#onIdle?.();
          this.#poll();
        } else if (this.#ring.askForRecord()) {
          // The worker rings again, unless something came in this very moment.
          this.#later();
        }
        return;
      }
      count += together === undefined ? this.#deliverOne(deliver) : this.#deliverRecord(together);
      if (count < clockAt) continue;
      clockAt = count + CLOCK_EVERY;
      if (performance.now() < until) continue;
      this.#onIdle?.();
      this.#later();
      return;
    }
  }

  /** The next datagram of the record at hand, whose memory is given back after the last. */
  #deliverOne(deliver: ((datagram: Uint8Array) => void) | undefined): number {
    const { offset, length, tag } = this.#ring;
    const from = this.#delivered;
    const to = tag === 0 ? length : Math.min(from + tag, length);
    this.#delivered = to;
    deliver?.(this.#ring.bytes.subarray(offset + from, offset + to));
    if (to < length) return 1;
    this.#delivered = 0;
    this.#ring.release();
    return 1;
  }

  /** All of the record at hand. @returns how many datagrams these were */
  #deliverRecord(together: OnTogether): number {
    const { bytes, offset, length, tag } = this.#ring;
    together(bytes, offset, length, tag === 0 ? length : tag);
    this.#ring.release();
    return tag === 0 ? 1 : Math.ceil(length / tag);
  }
}
