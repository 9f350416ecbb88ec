/**
 * Guarantee: the only code that takes bytes from the gate, in a worker of its
 * own that lets the kernel copy into a ring and does nothing else, so that no
 * work elsewhere makes the socket overflow. It binds `recvmsg` and nothing that
 * writes. Where the kernel put several datagrams together (UDP_GRO), the record's
 * tag is their length as the kernel said it; it is never guessed from content.
 */
import { parentPort, workerData } from "node:worker_threads";
import { GatewayError } from "@lightferry/proto/errors";
import koffi from "koffi";
import { RECEIVED, type ReceiveLoopData } from "./loops.ts";
import { EAGAIN, EINTR, ENOBUFS, ENOMEM } from "./native.ts";
import { ReceiveHeader } from "./receive-header.ts";
import { RingWriter } from "./ring.ts";

/** More than the largest UDP payload (65,507), coalesced or not: nothing is ever cut. */
const ROOM = 65_536;
/** How long to wait for the reader before looking whether to stop. */
const FULL_MS = 50;
/** Pause when the kernel lacks memory for the call. */
const STARVED_MS = 10;

const data = workerData as ReceiveLoopData;
const recvmsg = koffi.load(null).func("long recvmsg(int, void *, int)");
const ring = new RingWriter(data.memory);
const header = new ReceiveHeader(ring.bytes, ROOM);

while (!ring.closed) {
  const at = ring.reserve(ROOM);
  if (at < 0) {
    // The socket's own buffer takes what comes meanwhile; its losses are counted as overruns.
    ring.waitForSpace(ROOM, FULL_MS);
    continue;
  }
  header.aim(at);
  const length = recvmsg(data.fd, header.address, 0) as number;
  if (length < 0) {
    const error = koffi.errno();
    if (error === EAGAIN || error === EINTR) continue;
    if (error !== ENOBUFS && error !== ENOMEM) {
      throw new GatewayError("ferry.gate-unavailable", { detail: `recvmsg: errno ${error}` });
    }
    ring.waitForClose(STARVED_MS);
    continue;
  }
  const size = header.segmentSize();
  ring.count(RECEIVED.receives, 1);
  ring.count(RECEIVED.datagrams, size === 0 ? 1 : Math.ceil(length / size));
  ring.count(RECEIVED.bytes, length);
  if (ring.commit(length, size)) {
    ring.count(RECEIVED.doorbells, 1);
    parentPort?.postMessage(0);
  }
}
