/**
 * Guarantee: the only code that takes bytes from the gate, in a worker of its
 * own that copies into a ring and does nothing else, so that no work elsewhere
 * makes the socket overflow. It binds `recv` and nothing that writes.
 */
import { parentPort, workerData } from "node:worker_threads";
import koffi from "koffi";
import { MAX_FRAME_SIZE } from "../frame.ts";
import { RECEIVED, type ReceiveLoopData } from "./loops.ts";
import { RingWriter } from "./ring.ts";

/** `recv` answers the true length of a datagram that was cut to fit. */
const MSG_TRUNC = 0x20;
/** One byte more than any frame, so that an overlong datagram is seen as such. */
const ROOM = MAX_FRAME_SIZE + 1;
/** How long to wait for the reader before looking whether to stop. */
const FULL_MS = 50;

const data = workerData as ReceiveLoopData;
const recv = koffi.load(null).func("long recv(int, void *, size_t, int)");
const ring = new RingWriter(data.memory);

while (!ring.closed) {
  const at = ring.reserve(ROOM);
  if (at < 0) {
    // The socket's own buffer takes what comes meanwhile; its losses show as gaps.
    ring.waitForSpace(ROOM, FULL_MS);
    continue;
  }
  const length = recv(data.fd, ring.bytes.subarray(at, at + ROOM), ROOM, MSG_TRUNC) as number;
  if (length < 0) continue;
  ring.count(RECEIVED.datagrams, 1);
  ring.count(RECEIVED.bytes, length);
  if (ring.commit(Math.min(length, ROOM), 0)) parentPort?.postMessage(0);
}
