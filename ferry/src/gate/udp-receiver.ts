/** Guarantee: a {@link GateReceiver} over one write-shut UDP socket and one worker of its own. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { GatewayError } from "@lightferry/proto/errors";
import type { GateAddress, GateReceiver, ReceiverStats } from "./gate.ts";
import { RECEIVED, type ReceiveLoopData, Total } from "./loops.ts";
import { RingReader, ringMemory } from "./ring.ts";
import { closeSocket, openRxSocket } from "./sockets.ts";

/** A quarter of a second of a 1 Gb/s line: longer than any pause of the main thread. */
const RING_BYTES = 1 << 25;
/** How long a blocking receive may delay the close. */
const RECEIVE_TIMEOUT_MS = 100;
/** Longest stretch of datagrams before timers and network of the process get their turn. */
const BATCH_MS = 4;
/** Looking at the clock costs as much as a small datagram. */
const CLOCK_EVERY = 32;

export class UdpReceiver implements GateReceiver {
  readonly driver = "udp";
  readonly locked = true;
  readonly port: number;
  readonly receiveBuffer: number;
  readonly #fd: number;
  readonly #ring: RingReader;
  readonly #worker: Worker;
  readonly #datagrams = new Total();
  readonly #bytes = new Total();
  #onDatagram: ((datagram: Uint8Array) => void) | undefined;
  #onIdle: (() => void) | undefined;
  #paused = false;
  #scheduled = false;
  #closed = false;

  /** @throws GatewayError `ferry.gate-unavailable`, `config.invalid` */
  constructor(address: GateAddress, receiveBuffer: number) {
    const socket = openRxSocket(address, receiveBuffer, RECEIVE_TIMEOUT_MS);
    this.#fd = socket.fd;
    this.port = socket.port;
    this.receiveBuffer = socket.receiveBuffer;
    const memory = ringMemory(RING_BYTES);
    this.#ring = new RingReader(memory);
    const workerData: ReceiveLoopData = { fd: socket.fd, memory };
    this.#worker = new Worker(new URL("./receive-loop.ts", import.meta.url), { workerData });
    this.#worker.on("message", () => this.#drain());
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

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#later();
  }

  stats(): ReceiverStats {
    return {
      datagrams: this.#datagrams.see(this.#ring.counter(RECEIVED.datagrams)),
      bytes: this.#bytes.see(this.#ring.counter(RECEIVED.bytes)),
      receiveBuffer: this.receiveBuffer,
    };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const exit = once(this.#worker, "exit");
    this.#ring.close();
    await exit;
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

  #drain(): void {
    const deliver = this.#onDatagram;
    if (deliver === undefined || this.#closed) return;
    const until = performance.now() + BATCH_MS;
    for (let count = 1; !this.#paused; count += 1) {
      if (!this.#ring.next()) {
        this.#onIdle?.();
        // The worker rings again, unless something came in this very moment.
        if (this.#ring.askForRecord()) this.#later();
        return;
      }
      const { offset, length } = this.#ring;
      deliver(this.#ring.bytes.subarray(offset, offset + length));
      this.#ring.release();
      if (count % CLOCK_EVERY === 0 && performance.now() >= until) {
        this.#onIdle?.();
        this.#later();
        return;
      }
    }
  }
}
