/**
 * Guarantee: a tx socket cannot receive, and the kernel is what holds it to
 * that: a drop-all filter (SO_ATTACH_FILTER), locked (SO_LOCK_FILTER) so that
 * even this process cannot take it off, before the first datagram leaves; never
 * connected, so not even ICMP errors come back. No frame is ever fragmented.
 */
import koffi from "koffi";
import type { GateAddress } from "./gate.ts";
import {
  closeSocket,
  fail,
  int32,
  openSocket,
  readOption,
  SO_RCVBUF,
  SOL_SOCKET,
  SOL_UDP,
  setOption,
  socketAddress,
  tryOption,
} from "./native.ts";

const SO_SNDBUF = 7;
const SO_ATTACH_FILTER = 26;
const SO_LOCK_FILTER = 44;
const UDP_SEGMENT = 103;
const IPPROTO_IP = 0;
const IP_MTU_DISCOVER = 10;
const IP_MTU = 14;
/**
 * Do not fragment, and go by the device alone: with IP_PMTUDISC_DO a forged ICMP
 * "fragmentation needed" on the near segment could stop every full frame.
 */
const IP_PMTUDISC_PROBE = 3;
/** BPF_RET | BPF_K with k = 0: keep no byte of any datagram. */
const BPF_DROP_ALL = { code: 6, jt: 0, jf: 0, k: 0 };
/** Below what the kernel grants anyway: the filter drops everything first. */
const NO_RECEIVE_BUFFER = 1;
/** Several bursts, so that the send loop does not wait for the device after each. */
const SEND_BUFFER = 1 << 20;

const libc = koffi.load(null);
const filterType = koffi.struct({ code: "uint16", jt: "uint8", jf: "uint8", k: "uint32" });
const programType = koffi.struct({ len: "uint16", filter: koffi.pointer(filterType) });
const connect = libc.func("int connect(int, const void *, uint32)");
const attachFilter = libc.func("setsockopt", "int", [
  "int",
  "int",
  "int",
  koffi.pointer(programType),
  "uint32",
]);

export interface TxSocket {
  readonly fd: number;
  /** True when one send may carry many frames (UDP_SEGMENT). */
  readonly segments: boolean;
}

function dropAll(fd: number): void {
  const program = { len: 1, filter: [BPF_DROP_ALL] };
  if (attachFilter(fd, SOL_SOCKET, SO_ATTACH_FILTER, program, koffi.sizeof(programType)) !== 0) {
    fail("SO_ATTACH_FILTER");
  }
  setOption(fd, SOL_SOCKET, SO_LOCK_FILTER, 1, "SO_LOCK_FILTER");
}

/**
 * @param frameSize bytes of a full frame; the kernel cuts longer sends into pieces of it
 * @throws GatewayError `ferry.gate-unavailable`
 */
export function openTxSocket(frameSize: number): TxSocket {
  return openSocket((fd) => {
    dropAll(fd);
    setOption(fd, SOL_SOCKET, SO_RCVBUF, NO_RECEIVE_BUFFER, "SO_RCVBUF");
    setOption(fd, SOL_SOCKET, SO_SNDBUF, SEND_BUFFER, "SO_SNDBUF");
    setOption(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE, "IP_MTU_DISCOVER");
    return { fd, segments: tryOption(fd, SOL_UDP, UDP_SEGMENT, int32(frameSize)) };
  });
}

/**
 * MTU in bytes of the route to the far end, as the kernel would choose it.
 * Asked of a socket of its own that sends nothing and is closed again: only a
 * connected one has a route, and the gate's own is never connected.
 * @throws GatewayError `ferry.gate-unavailable` without a route, `config.invalid`
 */
export function routeMtu(address: GateAddress): number {
  const target = socketAddress(address);
  return openSocket((fd) => {
    dropAll(fd);
    if (connect(fd, target, target.length) !== 0) fail(`route to ${address.host}`);
    const mtu = readOption(fd, IPPROTO_IP, IP_MTU, 4, "IP_MTU").readInt32LE(0);
    closeSocket(fd);
    return mtu;
  });
}
