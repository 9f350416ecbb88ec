/**
 * Guarantee: a {@link GateReceiver} over Node's own sockets, for systems without
 * the binding. What waits while paused is bounded; but here only the type keeps
 * it from sending, so production mode refuses it (open.ts).
 */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { isIPv4 } from "node:net";
import { GatewayError } from "@lightferry/proto/errors";
import type { GateAddress, GateReceiver, ReceiverStats } from "./gate.ts";
import { Total } from "./loops.ts";
import { procDrops } from "./proc-net.ts";

/** Bytes that may wait while the consumer is paused; what comes beyond is lost and counted as a gap. */
const WAITING_BYTES = 1 << 25;

export class DgramReceiver implements GateReceiver {
  readonly driver = "udp-dgram";
  readonly locked = false;
  readonly port: number;
  readonly receiveBuffer: number;
  readonly #socket: Socket;
  readonly #host: string;
  #onDatagram: ((datagram: Uint8Array) => void) | undefined;
  #onIdle: (() => void) | undefined;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #paused = false;
  #idleScheduled = false;
  #datagrams = 0;
  #bytes = 0;
  /** Datagrams for which there was no room here. */
  #unkept = 0;
  readonly #drops = new Total();
  #overruns = 0;
  #closed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#host = socket.address().address;
    this.port = socket.address().port;
    this.receiveBuffer = socket.getRecvBufferSize() / 2;
    socket.on("message", (datagram) => this.#take(datagram));
    socket.on("error", () => undefined);
  }

  /** @throws GatewayError `ferry.gate-unavailable`, `config.invalid` */
  static async open(address: GateAddress, receiveBuffer: number): Promise<DgramReceiver> {
    if (!isIPv4(address.host)) {
      throw new GatewayError("config.invalid", { detail: "gate.host must be an IPv4 address" });
    }
    const socket = createSocket("udp4");
    try {
      socket.bind(address.port, address.host);
      await once(socket, "listening");
      socket.setRecvBufferSize(receiveBuffer);
    } catch (cause) {
      socket.close();
      throw new GatewayError("ferry.gate-unavailable", {
        detail: `bind ${address.host}:${address.port}`,
        cause,
      });
    }
    return new DgramReceiver(socket);
  }

  listen(onDatagram: (datagram: Uint8Array) => void, onIdle?: () => void): void {
    this.#onDatagram = onDatagram;
    this.#onIdle = onIdle;
    this.resume();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    const deliver = this.#onDatagram;
    if (deliver === undefined) return;
    while (!this.#paused) {
      const datagram = this.#waiting.shift();
      if (datagram === undefined) break;
      this.#waitingBytes -= datagram.length;
      deliver(datagram);
    }
    this.#idle();
  }

  stats(): ReceiverStats {
    if (!this.#closed) this.#readDrops();
    return {
      datagrams: this.#datagrams,
      bytes: this.#bytes,
      receiveBuffer: this.receiveBuffer,
      overruns: this.#overruns + this.#unkept,
    };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#readDrops();
    this.#closed = true;
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }

  #take(datagram: Uint8Array): void {
    this.#datagrams += 1;
    this.#bytes += datagram.length;
    if (this.#onDatagram !== undefined && !this.#paused && this.#waiting.length === 0) {
      this.#onDatagram(datagram);
      this.#idle();
    } else if (this.#waitingBytes + datagram.length <= WAITING_BYTES) {
      this.#waiting.push(datagram);
      this.#waitingBytes += datagram.length;
    } else {
      this.#unkept += 1;
    }
  }

  #readDrops(): void {
    const drops = procDrops(this.#host, this.port);
    if (drops !== undefined) this.#overruns = this.#drops.see(drops);
  }

  #idle(): void {
    if (this.#idleScheduled) return;
    this.#idleScheduled = true;
    setImmediate(() => {
      this.#idleScheduled = false;
      this.#onIdle?.();
    });
  }
}
