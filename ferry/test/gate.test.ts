/** Guarantee tested: what is committed arrives in order; tx cannot receive and rx cannot send. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import koffi from "koffi";
import { afterEach, expect, it, test } from "vitest";
import { DgramReceiver } from "../src/gate/dgram-receiver.ts";
import { DgramSender } from "../src/gate/dgram-sender.ts";
import type { GateReceiver, GateSender } from "../src/gate/gate.ts";
import { closeSocket, localPort } from "../src/gate/native.ts";
import { openReceiver, openSender } from "../src/gate/open.ts";
import { openRxSocket } from "../src/gate/rx-socket.ts";
import { openTxSocket } from "../src/gate/tx-socket.ts";

const HOST = "127.0.0.1";
const FRAME = 1456;
const RATE = 200e6;
const EPIPE = 32;
const EAGAIN = 11;
const EPERM = 1;
const MSG_DONTWAIT = 0x40;

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const end of open.splice(0)) await end.close();
});

const drivers = {
  udp: async (): Promise<[GateSender, GateReceiver]> => {
    const options = { mode: "demo" as const, warn: () => undefined, failed: () => undefined };
    const receiver = await openReceiver({ host: HOST, port: 0 }, 1 << 21, options);
    return [await openSender({ host: HOST, port: receiver.port }, FRAME, RATE, options), receiver];
  },
  "udp-dgram": async (): Promise<[GateSender, GateReceiver]> => {
    const receiver = await DgramReceiver.open({ host: HOST, port: 0 }, 1 << 21);
    return [await DgramSender.open({ host: HOST, port: receiver.port }, FRAME, 50e6), receiver];
  },
};

for (const [name, make] of Object.entries(drivers)) {
  test(`${name}: frames arrive whole and in order, the last one shorter`, async () => {
    const [sender, receiver] = await make();
    open.push(sender, receiver);
    expect(sender.driver).toBe(name);
    const bursts = 40;
    const perBurst = 20;
    const lengths: number[] = [];
    const values: number[] = [];
    const done = new Promise<void>((resolve) => {
      receiver.listen((datagram) => {
        lengths.push(datagram.length);
        values.push((datagram[0] as number) | ((datagram[1] as number) << 8));
        if (values.length === bursts * perBurst) resolve();
      });
    });
    let value = 0;
    for (let burst = 0; burst < bursts; burst += 1) {
      let room = sender.room();
      while (room === undefined) {
        await sender.whenRoom();
        room = sender.room();
      }
      for (let frame = 0; frame < perBurst; frame += 1) {
        room[frame * FRAME] = value & 0xff;
        room[frame * FRAME + 1] = value >> 8;
        value += 1;
      }
      sender.commit(FRAME * (perBurst - 1) + 100, FRAME);
    }
    await done;
    expect(values).toEqual(Array.from({ length: bursts * perBurst }, (_, index) => index));
    expect(lengths[perBurst - 1]).toBe(100);
    expect(lengths[0]).toBe(FRAME);
    expect(receiver.stats().datagrams).toBe(bursts * perBurst);
    await sender.close();
    expect(sender.stats().frames).toBe(bursts * perBurst);
  });

  test(`${name}: by shape a sender has no read and a receiver no write`, async () => {
    const [sender, receiver] = await make();
    open.push(sender, receiver);
    for (const key of ["recv", "read", "listen", "onMessage", "on"])
      expect(key in sender).toBe(false);
    for (const key of ["send", "write", "commit", "room"]) expect(key in receiver).toBe(false);
  });
}

test("a paused receiver hands nothing over and loses nothing", async () => {
  const [sender, receiver] = await drivers.udp();
  open.push(sender, receiver);
  let seen = 0;
  receiver.pause();
  const arrived = new Promise<void>((resolve) => {
    receiver.listen(() => {
      seen += 1;
      if (seen === 10) resolve();
    });
  });
  const room = sender.room();
  room?.fill(1, 0, FRAME * 10);
  sender.commit(FRAME * 10, FRAME);
  await expect.poll(() => receiver.stats().datagrams, { timeout: 20_000 }).toBe(10);
  expect(seen).toBe(0);
  receiver.resume();
  await arrived;
});

const linux = process.platform === "linux" ? it : it.skip;

linux("the kernel drops whatever is sent to a tx socket, and the lock holds", async () => {
  const libc = koffi.load(null);
  const bind = libc.func("int bind(int, const void *, uint32)");
  const recv = libc.func("long recv(int, void *, size_t, int)");
  const setsockopt = libc.func("int setsockopt(int, int, int, const void *, uint32)");
  const { fd } = openTxSocket(FRAME);
  const address = Buffer.alloc(16);
  address.writeUInt16LE(2, 0);
  address.set([127, 0, 0, 1], 4);
  expect(bind(fd, address, 16)).toBe(0);
  const control = openRxSocket({ host: HOST, port: 0 }, 65_536, 100);
  const attacker = createSocket("udp4");
  try {
    for (const port of [localPort(fd), control.port]) {
      attacker.send(Buffer.from("reverse"), port, HOST);
    }
    const buffer = Buffer.alloc(100);
    // The same datagram reaches an ordinary socket: so it was sent and had time to arrive.
    await expect.poll(() => Number(recv(control.fd, buffer, 100, MSG_DONTWAIT))).toBe(7);
    expect(Number(recv(fd, buffer, 100, MSG_DONTWAIT))).toBe(-1);
    expect(koffi.errno()).toBe(EAGAIN);
    // SO_DETACH_FILTER on a locked socket.
    expect(setsockopt(fd, 1, 27, Buffer.alloc(4), 4)).toBe(-1);
    expect(koffi.errno()).toBe(EPERM);
  } finally {
    attacker.close();
    closeSocket(fd);
    closeSocket(control.fd);
  }
});

linux("the kernel refuses every send through an rx socket", async () => {
  const sendto = koffi
    .load(null)
    .func("long sendto(int, const void *, size_t, int, const void *, uint32)");
  const { fd } = openRxSocket({ host: HOST, port: 0 }, 65_536, 100);
  const listener = createSocket("udp4").bind(0, HOST);
  await once(listener, "listening");
  try {
    const target = Buffer.alloc(16);
    target.writeUInt16LE(2, 0);
    target.writeUInt16BE(listener.address().port, 2);
    target.set([127, 0, 0, 1], 4);
    expect(Number(sendto(fd, Buffer.from("back"), 4, 0, target, 16))).toBe(-1);
    expect(koffi.errno()).toBe(EPIPE);
  } finally {
    listener.close();
    closeSocket(fd);
  }
});

test("production mode refuses the driver that the kernel does not lock", async () => {
  const options = {
    mode: "production" as const,
    socket: "dgram" as const,
    warn: () => undefined,
    failed: () => undefined,
  };
  await expect(openSender({ host: HOST, port: 9 }, FRAME, RATE, options)).rejects.toMatchObject({
    code: "ferry.gate-unlocked",
  });
  await expect(openReceiver({ host: HOST, port: 0 }, 1024, options)).rejects.toMatchObject({
    code: "ferry.gate-unlocked",
  });
});

test("a receive buffer that the system does not grant stops production", async () => {
  const wanted = 2 ** 31 - 1;
  const options = { warn: () => undefined, failed: () => undefined };
  await expect(
    openReceiver({ host: HOST, port: 0 }, wanted, { ...options, mode: "production" }),
  ).rejects.toMatchObject({ code: "ferry.receive-buffer-short" });
});
