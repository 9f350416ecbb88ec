/**
 * Guarantee: an rx socket cannot send, and the kernel is what holds it to that:
 * it is shut down for writing, after which Linux answers every send with EPIPE.
 * Its buffer is what the kernel says it granted, not what was asked.
 */
import koffi from "koffi";
import type { GateAddress } from "./gate.ts";
import {
  fail,
  int32,
  localPort,
  openSocket,
  readOption,
  SO_RCVBUF,
  SOL_SOCKET,
  SOL_UDP,
  setOption,
  socketAddress,
  tryOption,
} from "./native.ts";

const SO_RCVTIMEO = 20;
const SO_RCVBUFFORCE = 33;
const SO_MEMINFO = 55;
/** Index in SO_MEMINFO's array of 32-bit words, and how much of it must be read. */
const SK_MEMINFO_DROPS = 8;
const MEMINFO_BYTES = 36;
const UDP_GRO = 104;
const SHUT_WR = 1;

const libc = koffi.load(null);
const bind = libc.func("int bind(int, const void *, uint32)");
const shutdown = libc.func("int shutdown(int, int)");

export interface RxSocket {
  readonly fd: number;
  readonly port: number;
  /** Bytes of payload bookkeeping granted, of the kernel's own doubling the half. */
  readonly receiveBuffer: number;
  /** True when one receive may return many datagrams (UDP_GRO). */
  readonly coalesces: boolean;
}

/**
 * @param receiveBuffer bytes wanted; the answer says what the kernel granted
 * @param timeoutMs how long a receive blocks before it looks whether to stop
 * @throws GatewayError `ferry.gate-unavailable`, `config.invalid`
 */
export function openRxSocket(
  address: GateAddress,
  receiveBuffer: number,
  timeoutMs: number,
): RxSocket {
  const sockaddr = socketAddress(address);
  return openSocket((fd) => {
    // Above rmem_max only with CAP_NET_ADMIN; otherwise the kernel caps it silently.
    if (!tryOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, int32(receiveBuffer))) {
      setOption(fd, SOL_SOCKET, SO_RCVBUF, receiveBuffer, "SO_RCVBUF");
    }
    const time = Buffer.alloc(16);
    time.writeBigInt64LE(BigInt(Math.floor(timeoutMs / 1000)), 0);
    time.writeBigInt64LE(BigInt((timeoutMs % 1000) * 1000), 8);
    if (!tryOption(fd, SOL_SOCKET, SO_RCVTIMEO, time)) fail("SO_RCVTIMEO");
    // Before the first datagram can come; without it each comes by itself, nothing else changes.
    const coalesces = tryOption(fd, SOL_UDP, UDP_GRO, int32(1));
    if (bind(fd, sockaddr, sockaddr.length) !== 0) fail(`bind ${address.host}:${address.port}`);
    // Answers ENOTCONN on an unconnected socket, yet forbids sending from here on.
    shutdown(fd, SHUT_WR);
    return { fd, port: localPort(fd), receiveBuffer: grantedBuffer(fd), coalesces };
  });
}

/** The kernel reports twice what was asked, the half being its own bookkeeping. */
function grantedBuffer(fd: number): number {
  return readOption(fd, SOL_SOCKET, SO_RCVBUF, 4, "getsockopt SO_RCVBUF").readInt32LE(0) / 2;
}

/** How often, modulo 2^32, the kernel dropped what came to this socket, chiefly for lack of buffer. */
export function socketDrops(fd: number): number {
  const words = readOption(fd, SOL_SOCKET, SO_MEMINFO, MEMINFO_BYTES, "SO_MEMINFO");
  return words.readUInt32LE(SK_MEMINFO_DROPS * 4);
}
