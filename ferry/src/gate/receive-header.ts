/**
 * Guarantee: the `struct msghdr` of a receive into the ring and the reading of
 * what the kernel answered in it, for 64-bit little-endian Linux (glibc and musl
 * differ only in padding, which stays zero).
 */
import koffi from "koffi";
import { SOL_UDP } from "./native.ts";

const UDP_GRO = 104;
/** Offsets in bytes within one shared block, which no collector ever moves. */
const NAME_LENGTH = 8;
const IOV = 16;
const IOV_LENGTH = 24;
const CONTROL = 32;
const CONTROL_LENGTH = 40;
const FLAGS = 48;
const VECTOR = 64;
const ANCILLARY = 96;
const BLOCK_BYTES = 160;
/** Of one `struct cmsghdr` and the int in it. */
const CMSG = { level: 8, type: 12, data: 16, bytes: 20 } as const;

export class ReceiveHeader {
  readonly address: bigint;
  readonly #words = new Uint32Array(new SharedArrayBuffer(BLOCK_BYTES));
  readonly #base: number;

  /**
   * @param memory where to receive, shared
   * @param room bytes that may be written from any place aimed at
   */
  constructor(memory: Uint8Array, room: number) {
    this.address = koffi.address(this.#words);
    this.#base = Number(koffi.address(memory));
    const block = Number(this.address);
    this.#pointer(IOV, block + VECTOR);
    this.#words[IOV_LENGTH / 4] = 1;
    this.#pointer(CONTROL, block + ANCILLARY);
    this.#pointer(VECTOR, this.#base);
    this.#words[VECTOR / 4 + 2] = room;
  }

  /** Makes ready for a receive at `offset` of the memory. */
  aim(offset: number): void {
    const words = this.#words;
    this.#pointer(VECTOR, this.#base + offset);
    words[NAME_LENGTH / 4] = 0;
    words[FLAGS / 4] = 0;
    words[CONTROL_LENGTH / 4] = BLOCK_BYTES - ANCILLARY;
    words[(ANCILLARY + CMSG.type) / 4] = 0;
  }

  /** Length of each datagram received but the last, or 0 when it was a single one. */
  segmentSize(): number {
    const words = this.#words;
    const at = ANCILLARY / 4;
    const said =
      (words[CONTROL_LENGTH / 4] as number) >= CMSG.bytes &&
      words[at + CMSG.level / 4] === SOL_UDP &&
      words[at + CMSG.type / 4] === UDP_GRO;
    return said ? (words[at + CMSG.data / 4] as number) : 0;
  }

  /** User addresses lie below 2^47: exact as numbers. */
  #pointer(at: number, address: number): void {
    this.#words[at / 4] = address >>> 0;
    this.#words[at / 4 + 1] = Math.floor(address / 2 ** 32);
  }
}
