/**
 * Guarantee: a tx socket cannot receive and an rx socket cannot send, and the
 * kernel is what holds them to it. tx: a drop-all filter (SO_ATTACH_FILTER),
 * locked (SO_LOCK_FILTER) so that even this process cannot take it off, before
 * the first datagram leaves; never connected, so not even ICMP errors come back.
 * rx: shut down for writing, after which Linux answers every send with EPIPE.
 */
import { isIPv4 } from "node:net";
import { GatewayError } from "@lightferry/proto/errors";
import koffi from "koffi";
import type { GateAddress } from "./gate.ts";

const AF_INET = 2;
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const SO_RCVTIMEO = 20;
const SO_ATTACH_FILTER = 26;
const SO_RCVBUFFORCE = 33;
const SO_LOCK_FILTER = 44;
const SOL_UDP = 17;
const UDP_SEGMENT = 103;
const SHUT_WR = 1;
/** BPF_RET | BPF_K with k = 0: keep no byte of any datagram. */
const BPF_DROP_ALL = { code: 6, jt: 0, jf: 0, k: 0 };
const SOCKADDR_BYTES = 16;
/** Below what the kernel grants anyway: the filter drops everything first. */
const NO_RECEIVE_BUFFER = 1;
/** Several bursts, so that the send loop does not wait for the device after each. */
const SEND_BUFFER = 1 << 20;

export const EINTR = 4;
export const EAGAIN = 11;
export const ENOBUFS = 105;

const libc = koffi.load(null);
const filterType = koffi.struct({ code: "uint16", jt: "uint8", jf: "uint8", k: "uint32" });
const programType = koffi.struct({ len: "uint16", filter: koffi.pointer(filterType) });
const socket = libc.func("int socket(int, int, int)");
const bind = libc.func("int bind(int, const void *, uint32)");
const close = libc.func("int close(int)");
const shutdown = libc.func("int shutdown(int, int)");
const getsockname = libc.func("int getsockname(int, void *, void *)");
const setsockopt = libc.func("int setsockopt(int, int, int, const void *, uint32)");
const getsockopt = libc.func("int getsockopt(int, int, int, void *, void *)");
const attachFilter = libc.func("setsockopt", "int", [
  "int",
  "int",
  "int",
  koffi.pointer(programType),
  "uint32",
]);

function fail(what: string): never {
  throw new GatewayError("ferry.gate-unavailable", { detail: `${what}: errno ${koffi.errno()}` });
}

function int32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

function option(fd: number, level: number, name: number, value: number, what: string): void {
  if (setsockopt(fd, level, name, int32(value), 4) !== 0) fail(what);
}

/** struct sockaddr_in. @throws GatewayError `config.invalid` when the host is no IPv4 literal. */
export function socketAddress(address: GateAddress): Uint8Array {
  if (!isIPv4(address.host)) {
    throw new GatewayError("config.invalid", { detail: "gate.host must be an IPv4 address" });
  }
  const bytes = Buffer.alloc(SOCKADDR_BYTES);
  bytes.writeUInt16LE(AF_INET, 0);
  bytes.writeUInt16BE(address.port, 2);
  bytes.set(
    address.host.split(".").map((part) => Number(part)),
    4,
  );
  return bytes;
}

/** Port the socket is bound to; 0 when it is not. */
export function localPort(fd: number): number {
  const name = Buffer.alloc(SOCKADDR_BYTES);
  const length = Buffer.from(int32(SOCKADDR_BYTES));
  if (getsockname(fd, name, length) !== 0) fail("getsockname");
  return name.readUInt16BE(2);
}

export interface TxSocket {
  readonly fd: number;
  /** True when one send may carry many frames (UDP_SEGMENT). */
  readonly segments: boolean;
}

/** @param frameSize bytes of a full frame; the kernel cuts longer sends into pieces of it */
export function openTxSocket(frameSize: number): TxSocket {
  const fd: number = socket(AF_INET, SOCK_DGRAM_CLOEXEC, 0);
  if (fd < 0) fail("socket");
  try {
    const program = { len: 1, filter: [BPF_DROP_ALL] };
    if (attachFilter(fd, SOL_SOCKET, SO_ATTACH_FILTER, program, koffi.sizeof(programType)) !== 0) {
      fail("SO_ATTACH_FILTER");
    }
    option(fd, SOL_SOCKET, SO_LOCK_FILTER, 1, "SO_LOCK_FILTER");
    option(fd, SOL_SOCKET, SO_RCVBUF, NO_RECEIVE_BUFFER, "SO_RCVBUF");
    option(fd, SOL_SOCKET, SO_SNDBUF, SEND_BUFFER, "SO_SNDBUF");
    const segments = setsockopt(fd, SOL_UDP, UDP_SEGMENT, int32(frameSize), 4) === 0;
    return { fd, segments };
  } catch (error) {
    close(fd);
    throw error;
  }
}

export interface RxSocket {
  readonly fd: number;
  readonly port: number;
  readonly receiveBuffer: number;
}

/**
 * @param receiveBuffer bytes wanted; the answer says what the kernel granted
 * @param timeoutMs how long a receive blocks before it looks whether to stop
 */
export function openRxSocket(
  address: GateAddress,
  receiveBuffer: number,
  timeoutMs: number,
): RxSocket {
  const fd: number = socket(AF_INET, SOCK_DGRAM_CLOEXEC, 0);
  if (fd < 0) fail("socket");
  try {
    // Above rmem_max only with CAP_NET_ADMIN; otherwise the kernel caps it silently.
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, int32(receiveBuffer), 4) !== 0) {
      option(fd, SOL_SOCKET, SO_RCVBUF, receiveBuffer, "SO_RCVBUF");
    }
    const time = Buffer.alloc(16);
    time.writeBigInt64LE(BigInt(Math.floor(timeoutMs / 1000)), 0);
    time.writeBigInt64LE(BigInt((timeoutMs % 1000) * 1000), 8);
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, time, 16) !== 0) fail("SO_RCVTIMEO");
    const sockaddr = socketAddress(address);
    if (bind(fd, sockaddr, sockaddr.length) !== 0) fail(`bind ${address.host}:${address.port}`);
    // Answers ENOTCONN on an unconnected socket, yet forbids sending from here on.
    shutdown(fd, SHUT_WR);
    return { fd, port: localPort(fd), receiveBuffer: grantedBuffer(fd) };
  } catch (error) {
    close(fd);
    throw error;
  }
}

/** The kernel reports twice what was asked, the half being its own bookkeeping. */
function grantedBuffer(fd: number): number {
  const value = Buffer.alloc(4);
  const length = int32(4);
  if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, value, length) !== 0) fail("getsockopt SO_RCVBUF");
  return value.readInt32LE(0) / 2;
}

export function closeSocket(fd: number): void {
  close(fd);
}
