/**
 * Guarantee: hostile datagrams for tests: well-formed frames with arbitrary fields,
 * and arbitrary bytes; and a socket that sends them at once, while the caller waits.
 */
import fc from "fast-check";
import koffi from "koffi";
import { emptyHeader, encodeFrame, FRAME_HEADER, type FrameHeader } from "../src/frame.ts";
import { closeSocket, int32, socketAddress, tryOption } from "../src/gate/native.ts";
import { openTxSocket } from "../src/gate/tx-socket.ts";

const SOL_UDP = 17;
const UDP_SEGMENT = 103;

/** Sends without giving the event loop a turn; every datagram has left when {@link send} returns. */
export class BlockingSender {
  readonly #fd = openTxSocket(0).fd;
  readonly #to: Uint8Array;
  readonly #sendto = koffi
    .load(null)
    .func("long sendto(int, const void *, size_t, int, const void *, uint32)");

  constructor(host: string, port: number) {
    this.#to = socketAddress({ host, port });
  }

  /** @param segment length into which the kernel cuts the bytes; 0 sends one datagram */
  send(bytes: Uint8Array, segment = 0): void {
    if (!tryOption(this.#fd, SOL_UDP, UDP_SEGMENT, int32(segment))) {
      throw new Error("UDP_SEGMENT refused");
    }
    const sent = Number(this.#sendto(this.#fd, bytes, bytes.length, 0, this.#to, this.#to.length));
    if (sent !== bytes.length) throw new Error(`sendto: ${sent}, errno ${koffi.errno()}`);
  }

  async close(): Promise<void> {
    closeSocket(this.#fd);
  }
}

/** A frame with a right checksum, whatever its fields. */
export function frame(change: Partial<FrameHeader>, payload: Uint8Array): Uint8Array {
  const out = new Uint8Array(FRAME_HEADER + payload.length);
  out.set(payload, FRAME_HEADER);
  encodeFrame(out, 0, { ...emptyHeader(), k: 1, ...change }, payload.length);
  return out;
}

/** Well-formed frames of every type with arbitrary fields, and arbitrary bytes. */
export const datagram = fc.oneof(
  fc.uint8Array({ maxLength: 2_000 }),
  fc
    .record({
      type: fc.integer({ min: 0, max: 7 }),
      epoch: fc.oneof(fc.nat(3), fc.maxSafeNat()),
      seq: fc.oneof(fc.nat(100), fc.maxSafeNat()),
      objectId: fc.oneof(fc.nat(5), fc.maxSafeNat()),
      group: fc.oneof(fc.nat(70), fc.nat(0xffff_ffff)),
      shard: fc.nat(255),
      k: fc.nat(255),
      m: fc.oneof(fc.nat(16), fc.nat(255)),
      channel: fc.nat(3),
      objectSize: fc.oneof(fc.nat(10_000), fc.nat({ max: 2 ** 48 - 1 })),
      flags: fc.nat(7),
      payload: fc.uint8Array({ maxLength: 1_500 }),
    })
    .map(({ payload, ...fields }) => frame(fields, payload)),
);
