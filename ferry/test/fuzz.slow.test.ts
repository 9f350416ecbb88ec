/** Guarantee tested: a million hostile datagrams over the socket leave the receiver working and small. */
import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import fc from "fast-check";
import { expect, test } from "vitest";
import { datagram } from "./datagrams.ts";
import { digestOf, eventually, HOST, place, startSender, startStation } from "./fixture.ts";

const ROUNDS = 500;
const EACH = 2_000;

test("a million hostile datagrams", { timeout: 600_000 }, async () => {
  const at = place();
  const { station, port } = await startStation(at);
  const attacker = createSocket("udp4");
  const picture = () =>
    station.status() as { received: { datagrams: number }; heldBytes: number; frames: number };
  const datagrams = fc.sample(datagram, EACH);
  let sent = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [index, bytes] of datagrams.entries()) {
      if (bytes.length > 40) bytes[(index * 7 + round) % 40] = round;
      await new Promise((resolve) => attacker.send(bytes, port, HOST, resolve));
      sent += 1;
    }
    const expected = sent;
    await eventually(() => picture().received.datagrams).toBe(expected);
    expect(picture().heldBytes).toBeLessThan(12 << 20);
  }
  const bundle = await at.seal(randomBytes(2_000_000));
  at.outbox.put(bundle);
  const sender = await startSender(at, port);
  await at.inbox.until(1);
  expect(digestOf(at.inbox.bytesOf(bundle))).toBe(digestOf(at.sealed(bundle)));
  attacker.close();
  await sender.close();
  await station.close();
  at.remove();
});
