/**
 * Guarantee: the calls into libc that tx and rx sockets share, each answered by
 * an error that names it. Nothing here sends or receives.
 */
import { isIPv4 } from "node:net";
import { GatewayError } from "@lightferry/proto/errors";
import koffi from "koffi";
import type { GateAddress } from "./gate.ts";

export const AF_INET = 2;
export const SOL_SOCKET = 1;
export const SO_RCVBUF = 8;
export const SOL_UDP = 17;
export const EINTR = 4;
export const EAGAIN = 11;
export const ENOMEM = 12;
export const ENOBUFS = 105;

const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
const SOCKADDR_BYTES = 16;

const libc = koffi.load(null);
const socket = libc.func("int socket(int, int, int)");
const close = libc.func("int close(int)");
const getsockname = libc.func("int getsockname(int, void *, void *)");
const setsockopt = libc.func("int setsockopt(int, int, int, const void *, uint32)");
const getsockopt = libc.func("int getsockopt(int, int, int, void *, void *)");

/** @throws GatewayError `ferry.gate-unavailable` naming what was asked of the kernel and its answer */
export function fail(what: string): never {
  throw new GatewayError("ferry.gate-unavailable", { detail: `${what}: errno ${koffi.errno()}` });
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

/** False where the kernel refuses. */
export function tryOption(fd: number, level: number, name: number, value: Uint8Array): boolean {
  return setsockopt(fd, level, name, value, value.length) === 0;
}

export function setOption(fd: number, level: number, name: number, value: number, what: string) {
  if (!tryOption(fd, level, name, int32(value))) fail(what);
}

/** The first `length` bytes of an option's value. */
export function readOption(fd: number, level: number, name: number, length: number, what: string) {
  const value = Buffer.alloc(length);
  if (getsockopt(fd, level, name, value, int32(length)) !== 0) fail(what);
  return value;
}

/** An IPv4 UDP socket; closed again when `prepare` throws. */
export function openSocket<T>(prepare: (fd: number) => T): T {
  const fd: number = socket(AF_INET, SOCK_DGRAM_CLOEXEC, 0);
  if (fd < 0) fail("socket");
  try {
    return prepare(fd);
  } catch (error) {
    close(fd);
    throw error;
  }
}

export function closeSocket(fd: number): void {
  close(fd);
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
  if (getsockname(fd, name, int32(SOCKADDR_BYTES)) !== 0) fail("getsockname");
  return name.readUInt16BE(2);
}
