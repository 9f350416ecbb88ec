/**
 * Guarantee: whole Ethernet frames taken from one device and put on another, up
 * to {@link BATCH} with each call, in memory that never moves. For 64-bit
 * little-endian Linux; needs CAP_NET_RAW.
 */
import koffi from "koffi";
import {
  EAGAIN,
  EINTR,
  ENOBUFS,
  int32,
  readOption,
  SOL_SOCKET,
  tryOption,
} from "../../src/gate/native.ts";

export const BATCH = 64;
/** A jumbo frame with its Ethernet header and room to spare. */
const FRAME_ROOM = 9_216;
const AF_PACKET = 17;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const ETH_P_IP = 0x0800;
const SO_RCVTIMEO = 20;
const SO_RCVBUFFORCE = 33;
const SOL_PACKET = 263;
const PACKET_STATISTICS = 6;
const MSG_WAITFORONE = 0x10000;
/** What may wait while this process has no processor: 4 s of 1 Gb/s. */
const RECEIVE_BUFFER = 2 ** 29;
const WAIT_MS = 20;
/** struct mmsghdr, its parts, and struct iovec, in 32-bit words. */
const MESSAGE = { words: 16, vector: 4, vectors: 6, length: 14 } as const;
const VECTOR = { words: 4, length: 2 } as const;

const libc = koffi.load(null);
const socket = libc.func("int socket(int, int, int)");
const bind = libc.func("int bind(int, const void *, uint32)");
const recvmmsg = libc.func("int recvmmsg(int, void *, uint32, int, void *)");
const sendmmsg = libc.func("int sendmmsg(int, void *, uint32, int)");
const indexOf = libc.func("uint32 if_nametoindex(const char *)");

function fail(what: string): never {
  throw new RangeError(`${what}: errno ${koffi.errno()}`);
}

function shared(words: number): Uint32Array {
  return new Uint32Array(new SharedArrayBuffer(words * 4));
}

/** User addresses lie below 2^47: exact as numbers. */
function point(words: Uint32Array, at: number, address: number): void {
  words[at] = address >>> 0;
  words[at + 1] = Math.floor(address / 2 ** 32);
}

/** One message header and one vector for each frame of a batch. */
class Batch {
  readonly messages = shared(BATCH * MESSAGE.words);
  readonly vectors = shared(BATCH * VECTOR.words);
  readonly address = koffi.address(this.messages);

  constructor() {
    const vectors = Number(koffi.address(this.vectors));
    for (let index = 0; index < BATCH; index += 1) {
      const at = index * MESSAGE.words;
      point(this.messages, at + MESSAGE.vector, vectors + index * VECTOR.words * 4);
      this.messages[at + MESSAGE.vectors] = 1;
    }
  }

  aim(index: number, address: number, length: number): void {
    point(this.vectors, index * VECTOR.words, address);
    this.vectors[index * VECTOR.words + VECTOR.length] = length;
  }

  lengthOf(index: number): number {
    return this.messages[index * MESSAGE.words + MESSAGE.length] as number;
  }
}

/** @param protocol of the frames that are received; 0 for none */
function openOn(device: string, protocol: number): number {
  const fd = socket(AF_PACKET, SOCK_RAW_CLOEXEC, 0) as number;
  if (fd < 0) fail("socket");
  const link = Buffer.alloc(20);
  link.writeUInt16LE(AF_PACKET, 0);
  link.writeUInt16BE(protocol, 2);
  link.writeUInt32LE(indexOf(device) as number, 4);
  if (protocol !== 0) {
    const buffer = int32(RECEIVE_BUFFER);
    if (!tryOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, buffer)) fail("SO_RCVBUFFORCE");
    const time = Buffer.alloc(16);
    time.writeBigInt64LE(BigInt(WAIT_MS * 1000), 8);
    if (!tryOption(fd, SOL_SOCKET, SO_RCVTIMEO, time)) fail("SO_RCVTIMEO");
  }
  // Without a protocol of its own until here it has received nothing from elsewhere.
  if (bind(fd, link, link.length) !== 0) fail(`bind ${device}`);
  return fd;
}

/** Takes IPv4 frames from one device and puts those that are kept on another. */
export class PacketPath {
  readonly frames = new Uint8Array(new SharedArrayBuffer(BATCH * FRAME_ROOM));
  readonly #base = Number(koffi.address(this.frames));
  readonly #from: number;
  readonly #to: number;
  readonly #received = new Batch();
  readonly #kept = new Batch();
  #drops = 0;

  constructor(from: string, to: string) {
    this.#to = openOn(to, 0);
    this.#from = openOn(from, ETH_P_IP);
    for (let index = 0; index < BATCH; index += 1) {
      this.#received.aim(index, this.#base + index * FRAME_ROOM, FRAME_ROOM);
    }
  }

  /** Where frame `index` of the batch begins in {@link frames}. */
  at(index: number): number {
    return index * FRAME_ROOM;
  }

  /** Bytes of frame `index` of the batch. */
  lengthOf(index: number): number {
    return this.#received.lengthOf(index);
  }

  /** Waits up to 20 ms. @returns frames received, perhaps none */
  receive(): number {
    const count = recvmmsg(this.#from, this.#received.address, BATCH, MSG_WAITFORONE, null);
    if (count >= 0) return count as number;
    const error = koffi.errno();
    if (error !== EAGAIN && error !== EINTR) fail("recvmmsg");
    return 0;
  }

  /** Marks frame `index` of the batch as the `place`-th to be sent. */
  keep(index: number, place: number): void {
    this.#kept.aim(place, this.#base + index * FRAME_ROOM, this.#received.lengthOf(index));
  }

  /** Sends the first `count` frames that were kept, in their order, all of them. */
  send(count: number): void {
    for (let done = 0; done < count; ) {
      const from = this.#kept.address + BigInt(done * MESSAGE.words * 4);
      const sent = sendmmsg(this.#to, from, count - done, 0) as number;
      if (sent > 0) done += sent;
      else if (![EAGAIN, EINTR, ENOBUFS].includes(koffi.errno())) fail("sendmmsg");
    }
  }

  /** Frames that came and found no room: those this process lost, in all. */
  drops(): number {
    const about = [SOL_PACKET, PACKET_STATISTICS, 8, "PACKET_STATISTICS"] as const;
    // The kernel begins to count anew with every question.
    this.#drops += readOption(this.#from, ...about).readUInt32LE(4);
    return this.#drops;
  }
}
