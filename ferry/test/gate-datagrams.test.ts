/**
 * Guarantee tested, for every driver alike: datagrams of any length come out one
 * by one as they were sent, whatever the kernel put together; what it dropped is
 * counted; a frame too large for the route is refused at start.
 */
import fc from "fast-check";
import { afterEach, describe, expect, it, test } from "vitest";
import { DgramReceiver } from "../src/gate/dgram-receiver.ts";
import { DgramSender } from "../src/gate/dgram-sender.ts";
import type { GateReceiver } from "../src/gate/gate.ts";
import { dropsOf } from "../src/gate/proc-net.ts";
import { UdpReceiver } from "../src/gate/udp-receiver.ts";
import { UdpSender } from "../src/gate/udp-sender.ts";
import { BlockingSender } from "./datagrams.ts";

const HOST = "127.0.0.1";
const FRAME = 1456;
const BUFFER = 1 << 21;
/** Smallest of the fast driver: so that a flood reaches the socket's buffer. */
const SMALL_RING = 1 << 18;
const LARGEST_UDP = 65_507;
/** Loopback lets through what IPv4 can say: 65,535 bytes, headers included. */
const TOO_LARGE_FOR_LOOPBACK = 65_508;

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const end of open.splice(0)) await end.close();
});

const drivers = {
  udp: {
    receiver: async (buffer: number, ring?: number): Promise<GateReceiver> =>
      new UdpReceiver({ host: HOST, port: 0 }, buffer, ring),
    sender: async (frameSize: number) => new UdpSender({ host: HOST, port: 9 }, frameSize, 1e6),
  },
  "udp-dgram": {
    receiver: (buffer: number): Promise<GateReceiver> =>
      DgramReceiver.open({ host: HOST, port: 0 }, buffer),
    sender: (frameSize: number) => DgramSender.open({ host: HOST, port: 9 }, frameSize, 1e6),
  },
};

function senderTo(receiver: GateReceiver): BlockingSender {
  const sender = new BlockingSender(HOST, receiver.port);
  open.push(sender, receiver);
  return sender;
}

/** Keeps copies of what comes; resolves when as much came as was told. */
function collect(receiver: GateReceiver) {
  const seen: Buffer[] = [];
  let wanted = Number.POSITIVE_INFINITY;
  let done: () => void = () => undefined;
  receiver.listen((datagram) => {
    seen.push(Buffer.from(datagram));
    if (seen.length === wanted) done();
  });
  const take = (count: number) =>
    new Promise<Buffer[]>((resolve) => {
      wanted = count;
      done = () => resolve(seen.splice(0));
      if (seen.length >= count) done();
    });
  return { seen, take };
}

/** Bytes of which any run tells where it was cut from. */
function pattern(length: number, salt: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at += 1) bytes[at] = (at * 31 + (at >> 8) * 7 + salt) & 0xff;
  return bytes;
}

function cut(bytes: Buffer, segment: number): Buffer[] {
  if (segment === 0 || bytes.length <= segment) return [bytes];
  return Array.from({ length: Math.ceil(bytes.length / segment) }, (_, index) =>
    bytes.subarray(index * segment, (index + 1) * segment),
  );
}

const burst = fc
  .record({ segment: fc.oneof(fc.constant(0), fc.nat(2_000)), count: fc.nat(60), rest: fc.nat(99) })
  .map(({ segment, count, rest }) => {
    const length = segment === 0 ? count * 7 : segment * count + Math.min(rest, segment - 1);
    return { segment, length: Math.min(length, LARGEST_UDP) };
  });

describe.each(Object.entries(drivers))("%s", (name, { receiver: make, sender: makeSender }) => {
  test("datagrams of 0, 1 and 65,507 bytes between bursts with shorter ends", async () => {
    const receiver = await make(BUFFER);
    const sender = senderTo(receiver);
    const { take } = collect(receiver);
    const sends = [
      [FRAME * 20 + 100, FRAME],
      [0, 0],
      [1, 0],
      [FRAME * 44, FRAME],
      [LARGEST_UDP, 0],
      [60, 1],
      [FRAME, 0],
      [8_944 * 7, 8_944],
      [8_945, 8_944],
      [0, 0],
    ] as const;
    const expected = sends.flatMap(([length, segment], index) => {
      const bytes = pattern(length, index);
      sender.send(bytes, segment);
      return cut(bytes, segment);
    });
    const got = await take(expected.length);
    expect(got.map(({ length }) => length)).toEqual(expected.map(({ length }) => length));
    expect(Buffer.compare(Buffer.concat(got), Buffer.concat(expected))).toBe(0);
    const bytes = expected.reduce((sum, { length }) => sum + length, 0);
    expect(receiver.stats()).toMatchObject({ datagrams: expected.length, bytes, overruns: 0 });
  });

  test("any bursts of any cut", async () => {
    const receiver = await make(BUFFER);
    const sender = senderTo(receiver);
    const { take } = collect(receiver);
    await fc.assert(
      fc.asyncProperty(fc.array(burst, { minLength: 1, maxLength: 8 }), async (bursts) => {
        const expected = bursts.flatMap(({ segment, length }, index) => {
          const bytes = pattern(length, index);
          sender.send(bytes, segment);
          return cut(bytes, segment);
        });
        expect(await take(expected.length)).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  test("a pause inside a burst holds the rest of it", async () => {
    const receiver = await make(BUFFER);
    const sender = senderTo(receiver);
    const bytes = pattern(FRAME * 20, 1);
    const seen: Buffer[] = [];
    let finish: () => void = () => undefined;
    const whole = new Promise<void>((resolve) => {
      finish = resolve;
    });
    let held = 0;
    receiver.listen((datagram) => {
      seen.push(Buffer.from(datagram));
      if (seen.length === 20) return finish();
      // Twice, so that a pause begins inside what a pause had held.
      if (seen.length !== 3 && seen.length !== 7) return;
      receiver.pause();
      setImmediate(() => {
        held += seen.length;
        receiver.resume();
      });
    });
    sender.send(bytes, FRAME);
    await whole;
    expect(held).toBe(3 + 7);
    expect(Buffer.compare(Buffer.concat(seen), bytes)).toBe(0);
  });

  test("every datagram that the kernel drops for a full buffer is counted", async () => {
    const receiver = await make(4_096, SMALL_RING);
    const sender = senderTo(receiver);
    let handed = 0;
    receiver.listen(() => {
      handed += 1;
    });
    receiver.pause();
    const datagram = pattern(FRAME, 3);
    const sent = 2_000;
    for (let count = 0; count < sent; count += 1) sender.send(datagram);
    receiver.resume();
    await expect.poll(() => handed + receiver.stats().overruns).toBe(sent);
    const { overruns, datagrams } = receiver.stats();
    expect(overruns).toBeGreaterThan(sent / 10);
    expect(sent - datagrams).toBe(overruns);
    await receiver.close();
    expect(receiver.stats()).toMatchObject({ overruns, datagrams });
  });

  test("a frame that does not fit the route is refused, with the sizes named", async () => {
    await expect(makeSender(TOO_LARGE_FOR_LOOPBACK)).rejects.toMatchObject({
      code: "config.invalid",
      detail: `gate.frameSize 65508 needs an MTU of 65536; the route to ${HOST} has 65535`,
    });
    const sender = await makeSender(TOO_LARGE_FOR_LOOPBACK - 1);
    open.push(sender);
    expect(sender.driver).toBe(name);
  });
});

const linux = process.platform === "linux" ? it : it.skip;

linux("a burst is one receive, and one drop when there is no room for it", async () => {
  const receiver = new UdpReceiver({ host: HOST, port: 0 }, 4_096, SMALL_RING);
  const sender = senderTo(receiver);
  let handed = 0;
  receiver.listen(() => {
    handed += 1;
  });
  receiver.pause();
  const frames = 40;
  const bursts = 60;
  for (let count = 0; count < bursts; count += 1) sender.send(pattern(FRAME * frames, 4), FRAME);
  receiver.resume();
  await expect.poll(() => handed + receiver.stats().overruns * frames).toBe(bursts * frames);
  const { datagrams, overruns } = receiver.stats();
  expect(overruns).toBeGreaterThan(0);
  expect(receiver.work().receives).toBe(datagrams / frames);
});

linux("while datagrams flow, they are polled and not announced one by one", async () => {
  const receiver = new UdpReceiver({ host: HOST, port: 0 }, BUFFER);
  const address = { host: HOST, port: receiver.port };
  // About 13 frames each millisecond, each a send of its own.
  const sender = new UdpSender(address, FRAME, 20e6);
  open.push(sender, receiver);
  const frames = 1_500;
  const arrived = collect(receiver).take(frames);
  for (let sent = 0; sent < frames; ) {
    if (sender.room() === undefined) {
      await sender.whenRoom();
      continue;
    }
    sender.commit(FRAME, FRAME);
    sent += 1;
  }
  await arrived;
  expect(receiver.work().receives).toBe(frames);
  expect(receiver.work().doorbells).toBeLessThan(frames / 10);
});

test("the drops of one socket are found among those of others", () => {
  const head =
    "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops";
  const row = (address: string, drops: number) =>
    `  12: ${address} 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 5077 2 00000000d8a2f4c1 ${drops}`;
  const table = [head, row("0100007F:1F40", 7), row("0100007F:1F41", 8), row("0A000001:1F41", 9)];
  expect(dropsOf(table.join("\n"), "127.0.0.1", 0x1f41)).toBe(8);
  expect(dropsOf(table.join("\n"), "1.0.0.10", 0x1f41)).toBe(9);
  expect(dropsOf(table.join("\n"), "127.0.0.1", 9)).toBeUndefined();
});
