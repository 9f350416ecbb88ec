/**
 * Guarantee: by type a sender cannot read and a receiver cannot write. The
 * kernel holds them to it as well, see tx-socket.ts and rx-socket.ts.
 */
import { GatewayError } from "@lightferry/proto/errors";

/** Where the gate is: the far address for tx, the local one for rx. */
export interface GateAddress {
  /** IPv4 literal; names are not resolved, so no resolver traffic leaves beside the gate. */
  readonly host: string;
  /** 0 lets the system choose (rx in tests). */
  readonly port: number;
}

export interface SenderStats {
  readonly frames: number;
  readonly bytes: number;
  /** Sends that the kernel refused for lack of buffers and that were tried again. */
  readonly retried: number;
  /** Sends that failed otherwise; the second pass repairs them. */
  readonly failed: number;
}

/** The sending half of a gate. It has no way to read. */
export interface GateSender {
  readonly driver: string;
  /** True when the kernel itself keeps this socket from receiving. */
  readonly locked: boolean;
  /**
   * Memory for the next burst, at least {@link BURST_BYTES} long and always of the same buffer, or undefined
   * while everything given so far is still waiting to be paced out.
   */
  room(): Uint8Array | undefined;
  /** Resolves when {@link room} is worth asking again, or when the gate is closed. */
  whenRoom(): Promise<void>;
  /**
   * Gives the first `bytes` bytes of the room to the gate: frames of `frameSize`
   * one after another, only the last of which may be shorter.
   */
  commit(bytes: number, frameSize: number): void;
  stats(): SenderStats;
  /** Sends what was committed, then closes. */
  close(): Promise<void>;
}

export interface ReceiverStats {
  readonly datagrams: number;
  readonly bytes: number;
  /** Bytes of socket buffer the kernel granted. */
  readonly receiveBuffer: number;
  /**
   * What came to this socket and was dropped for lack of buffer (or for a bad
   * UDP checksum) before it was received. Single datagrams are counted exactly;
   * the kernel counts up to 64 that it had put together (UDP_GRO) as one, so
   * frames lost are told by their sequence numbers, their cause by this.
   */
  readonly overruns: number;
}

/**
 * Takes datagrams that lie one after another, each of `size` bytes, only the last of which may be shorter: `length`
 * bytes of `bytes` from `at`. As with one, they are valid only during the call, which must not throw.
 */
export type OnTogether = (bytes: Uint8Array, at: number, length: number, size: number) => void;

/** The receiving half of a gate. It has no way to write. */
export interface GateReceiver {
  readonly driver: string;
  /** True when the kernel itself keeps this socket from sending. */
  readonly locked: boolean;
  readonly port: number;
  readonly receiveBuffer: number;
  /**
   * Hands over every datagram, once. The bytes are valid only during the call.
   * `onDatagram` must not throw. `onIdle` is called after each batch.
   */
  listen(onDatagram: (datagram: Uint8Array) => void, onIdle?: () => void): void;
  /** The same in place of it, where the driver finds several at once: all that came together by one call. */
  readonly listenTogether?: (onTogether: OnTogether) => void;
  /** Stops and starts the handing over; meanwhile datagrams wait in bounded buffers. */
  pause(): void;
  resume(): void;
  stats(): ReceiverStats;
  close(): Promise<void>;
}

/** IPv4 header without options, and UDP header. */
const IP_UDP_HEADERS = 28;
/** Its length field has 16 bits, whatever a device says (loopback: 65,536). */
const MAX_IPV4_PACKET = 65_535;

/**
 * A frame is never fragmented: one lost fragment would lose it whole.
 * @param mtu bytes, of the route to the far end
 * @throws GatewayError `config.invalid` naming the sizes
 */
export function requireMtu(address: GateAddress, frameSize: number, mtu: number): void {
  const need = frameSize + IP_UDP_HEADERS;
  const most = Math.min(mtu, MAX_IPV4_PACKET);
  if (most < need) {
    throw new GatewayError("config.invalid", {
      detail: `gate.frameSize ${frameSize} needs an MTU of ${need}; the route to ${address.host} has ${most}`,
    });
  }
}

/** One send with segmentation offload: the largest UDP payload is 65,507 bytes. */
export const BURST_BYTES = 64_000;
/**
 * Bytes a frame takes on Ethernet beyond its UDP payload: 28 of IPv4 and UDP,
 * 38 of Ethernet (preamble 8, header 14, check 4, gap 12). Pacing counts them.
 */
export const WIRE_OVERHEAD = 66;
