/**
 * Guarantee: a link that loses, doubles or delays what a test says, frame by frame, and nothing else as long as
 * the sender is paced to what one thread can do beside both halves: 6 MB/s on a machine where others work too.
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { decodeFrame, emptyHeader, type FrameHeader } from "../src/frame.ts";
import { HOST } from "./fixture.ts";

export interface Forwarder {
  readonly port: number;
  close(): Promise<void>;
}

/** @param pass how often a frame is forwarded: false = 0, true = 1 */
export async function startForwarder(
  to: number | (() => number),
  pass: (header: FrameHeader, frame: Uint8Array) => boolean | number,
): Promise<Forwarder> {
  const incoming = createSocket("udp4");
  const outgoing = createSocket("udp4");
  incoming.on("message", (frame) => {
    const header = emptyHeader();
    decodeFrame(frame, header);
    for (let copies = Number(pass(header, frame)); copies > 0; copies -= 1) {
      outgoing.send(frame, typeof to === "number" ? to : to(), HOST);
    }
  });
  incoming.bind(0, HOST);
  await once(incoming, "listening");
  incoming.setRecvBufferSize(1 << 23);
  return {
    port: incoming.address().port,
    close: async () => {
      incoming.close();
      outgoing.close();
    },
  };
}
