/**
 * Guarantee: a {@link GateSender} over Node's own sockets, for systems without
 * the binding. Paced like the other; but here only the type keeps it from
 * reading, so production mode refuses it (open.ts).
 */
import { createSocket, type Socket } from "node:dgram";
import { isIPv4 } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { GatewayError } from "@lightferry/proto/errors";
import {
  BURST_BYTES,
  type GateAddress,
  type GateSender,
  requireMtu,
  type SenderStats,
  WIRE_OVERHEAD,
} from "./gate.ts";
import { Pacer } from "./pacer.ts";
import { deviceMtu } from "./proc-net.ts";

/** Bursts that may wait to be paced out; as the ring of the other driver. */
const BURSTS = 4;

interface Burst {
  readonly bytes: Uint8Array;
  readonly frameSize: number;
}

export class DgramSender implements GateSender {
  readonly driver = "udp-dgram";
  readonly locked = false;
  readonly #socket: Socket;
  readonly #address: GateAddress;
  readonly #pacer: Pacer;
  readonly #queue: Burst[] = [];
  #room: Uint8Array | undefined;
  #wake: (() => void)[] = [];
  #running: Promise<void> | undefined;
  #closed = false;
  #frames = 0;
  #bytes = 0;
  #failed = 0;

  /**
   * @param frameSize bytes of a full frame of this link
   * @param rate wire bytes per second
   * @throws GatewayError `config.invalid`, `ferry.gate-unavailable` without a route
   */
  static async open(address: GateAddress, frameSize: number, rate: number): Promise<DgramSender> {
    if (!isIPv4(address.host)) {
      throw new GatewayError("config.invalid", { detail: "gate.host must be an IPv4 address" });
    }
    let mtu: number | undefined;
    try {
      mtu = await deviceMtu(address);
    } catch (cause) {
      throw new GatewayError("ferry.gate-unavailable", {
        detail: `route to ${address.host}`,
        cause,
      });
    }
    // Systems that do not tell their MTU fragment a frame that is too large.
    if (mtu !== undefined) requireMtu(address, frameSize, mtu);
    return new DgramSender(address, rate);
  }

  private constructor(address: GateAddress, rate: number) {
    this.#address = address;
    this.#pacer = new Pacer(rate);
    this.#socket = createSocket("udp4");
    // Nothing is told of what the network answers: no listener for messages exists.
    this.#socket.on("error", () => {
      this.#failed += 1;
    });
  }

  room(): Uint8Array | undefined {
    if (this.#closed || this.#queue.length >= BURSTS) return undefined;
    this.#room ??= new Uint8Array(BURST_BYTES);
    return this.#room;
  }

  whenRoom(): Promise<void> {
    if (this.#closed || this.#queue.length < BURSTS) return Promise.resolve();
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  commit(bytes: number, frameSize: number): void {
    const room = this.#room;
    if (room === undefined) return;
    this.#room = undefined;
    this.#queue.push({ bytes: room.subarray(0, bytes), frameSize });
    this.#running ??= this.#run();
  }

  stats(): SenderStats {
    return { frames: this.#frames, bytes: this.#bytes, retried: 0, failed: this.#failed };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#running;
    this.#ringDoorbell();
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }

  async #run(): Promise<void> {
    for (let burst = this.#queue[0]; burst !== undefined; burst = this.#queue[0]) {
      const wait = this.#pacer.delay(performance.now());
      if (wait > 0) await delay(wait);
      const frames = Math.ceil(burst.bytes.length / burst.frameSize);
      this.#pacer.spend(burst.bytes.length + frames * WIRE_OVERHEAD, performance.now());
      await this.#send(burst);
      this.#queue.shift();
      this.#ringDoorbell();
    }
    this.#running = undefined;
  }

  async #send({ bytes, frameSize }: Burst): Promise<void> {
    const sends: Promise<void>[] = [];
    for (let at = 0; at < bytes.length; at += frameSize) {
      const frame = bytes.subarray(at, Math.min(at + frameSize, bytes.length));
      sends.push(
        new Promise((resolve) => {
          this.#socket.send(frame, this.#address.port, this.#address.host, (error) => {
            if (error === null) {
              this.#frames += 1;
              this.#bytes += frame.length;
            } else {
              this.#failed += 1;
            }
            resolve();
          });
        }),
      );
    }
    await Promise.all(sends);
  }

  #ringDoorbell(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const resolve of wake) resolve();
  }
}
