/** Guarantee: a {@link GateSender} over one locked UDP socket and one worker of its own. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { GatewayError } from "@lightferry/proto/errors";
import { summedMemory } from "../frame-sum/index.ts";
import {
  BURST_BYTES,
  type GateAddress,
  type GateSender,
  requireMtu,
  type SenderStats,
} from "./gate.ts";
import { SENT, type SendLoopData, Total } from "./loops.ts";
import { closeSocket, socketAddress } from "./native.ts";
import { Pacer } from "./pacer.ts";
import { RingWriter, ringMemory } from "./ring.ts";
import { openTxSocket, routeMtu } from "./tx-socket.ts";

/**
 * What may lie between scheduler and socket, in time of the line: an urgent bundle waits for it, and with
 * less the line would run dry while the main thread does something else.
 */
const RING_MS = 4;
/** Four bursts, and sixteen. */
const RING_BYTES = { least: 1 << 18, most: 1 << 20 };

/** A power of two. @param rate wire bytes per second */
function ringBytes(rate: number): number {
  const wanted = 2 ** Math.ceil(Math.log2((rate * RING_MS) / 1000));
  return Math.min(RING_BYTES.most, Math.max(RING_BYTES.least, wanted));
}

export class UdpSender implements GateSender {
  readonly driver = "udp";
  readonly locked = true;
  readonly #fd: number;
  readonly #ring: RingWriter;
  readonly #worker: Worker;
  #wake: (() => void)[] = [];
  #at = -1;
  #waking = false;
  #closed = false;
  readonly #totals = {
    frames: new Total(),
    bytes: new Total(),
    retried: new Total(),
    failed: new Total(),
  };

  /**
   * @param frameSize bytes of a full frame of this link
   * @param rate wire bytes per second
   * @throws GatewayError `ferry.gate-unavailable`, `config.invalid`
   */
  constructor(address: GateAddress, frameSize: number, rate: number) {
    const target = socketAddress(address);
    new Pacer(rate); // refuses a bad rate here, where it can be answered
    requireMtu(address, frameSize, routeMtu(address));
    const socket = openTxSocket(frameSize);
    this.#fd = socket.fd;
    const memory = ringMemory(summedMemory(ringBytes(rate)));
    this.#ring = new RingWriter(memory);
    const workerData: SendLoopData = {
      fd: socket.fd,
      address: target,
      segments: socket.segments,
      frameSize,
      rate,
      memory,
    };
    this.#worker = new Worker(new URL("./send-loop.ts", import.meta.url), { workerData });
    this.#worker.on("message", () => this.#ringDoorbell());
    this.#worker.once("exit", () => this.#ringDoorbell());
  }

  /** Where the socket would receive, were it able to; tests try. */
  get fd(): number {
    return this.#fd;
  }

  /** Called once if the worker dies on its own. */
  onFailure(report: (error: unknown) => void): void {
    this.#worker.once("error", report);
    this.#worker.once("exit", () => {
      if (!this.#closed)
        report(new GatewayError("ferry.gate-unavailable", { detail: "send loop ended" }));
    });
  }

  room(): Uint8Array | undefined {
    this.#at = this.#closed ? -1 : this.#ring.reserve(BURST_BYTES);
    return this.#at < 0 ? undefined : this.#ring.bytes.subarray(this.#at, this.#at + BURST_BYTES);
  }

  whenRoom(): Promise<void> {
    if (this.#ring.askForRoom(BURST_BYTES)) return Promise.resolve();
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  commit(bytes: number, frameSize: number): void {
    this.#ring.commit(bytes, frameSize);
    this.#at = -1;
    this.#wakeSoon();
    // A 32-bit counter of bytes may come round within seconds: it is read as it grows.
    this.#totals.bytes.see(this.#ring.counter(SENT.bytes));
  }

  stats(): SenderStats {
    const see = (name: keyof typeof SENT): number =>
      this.#totals[name].see(this.#ring.counter(SENT[name]));
    return {
      frames: see("frames"),
      bytes: see("bytes"),
      retried: see("retried"),
      failed: see("failed"),
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

  /** Once for the bursts of one turn: to wake a thread costs as much as making a burst. */
  #wakeSoon(): void {
    if (this.#waking) return;
    this.#waking = true;
    queueMicrotask(() => {
      this.#waking = false;
      this.#ring.wakeReader();
    });
  }

  #ringDoorbell(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const resolve of wake) resolve();
  }
}
