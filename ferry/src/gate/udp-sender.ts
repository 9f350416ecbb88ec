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
 * What may lie between scheduler and socket: 16 bursts, 8 ms of a 1 Gb/s line.
 * More would delay an urgent bundle, less would let the line run dry while the
 * main thread hashes.
 */
const RING_BYTES = 1 << 20;

export class UdpSender implements GateSender {
  readonly driver = "udp";
  readonly locked = true;
  readonly #fd: number;
  readonly #ring: RingWriter;
  readonly #worker: Worker;
  #wake: (() => void)[] = [];
  #at = -1;
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
    const memory = ringMemory(summedMemory(RING_BYTES));
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

  #ringDoorbell(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const resolve of wake) resolve();
  }
}
