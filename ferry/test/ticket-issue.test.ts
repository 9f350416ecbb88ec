/** Guarantee tested: a ticket names what is missing and can be had, by the sender's clock, as much of it as can be carried; the rest is counted. */
import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import type { Range } from "../src/ranges.ts";
import { issueTicket } from "../src/repair/issue.ts";
import { type Begun, missingOf } from "../src/repair/missing.ts";
import {
  MAX_TICKET_BYTES,
  MAX_TICKET_NUMBERS,
  peekTicket,
  readTicket,
  TICKET_VALID_MS,
} from "../src/repair/ticket.ts";
import { directory, FROM, far, LANE, provider, TO } from "./fixture.ts";

const STREAM = `${LANE}/${FROM}/normal`;
const HOUR = 3_600_000;

function missing(open: Range[], objects: Begun[] = [], unrepairable: Range[] = []) {
  return missingOf({
    ...{ lane: LANE, sender: FROM, inventories: [], passDelayMs: 0, objects },
    streams: { [STREAM]: { open, listed: [], unrepaired: [], unrepairable } },
    ...{ senderOffsetMs: -9 * HOUR, timeMs: Date.now() },
  });
}

const reader = (nowMs = Date.now()) => ({
  ...{ provider, keys: directory, node: FROM, receiverOf: () => TO, nowMs },
});

test("a ticket is written by the sender's clock, without what is unrepairable", () => {
  const nowMs = Date.now();
  const issued = issueTicket(missing([[1, 9]], [], [[2, 3]]), TO, far, nowMs);
  expect(issued).toMatchObject({ bundles: 7, objects: 0, left: 0 });
  const senders = nowMs - 9 * HOUR;
  const ticket = readTicket(issued?.bytes ?? new Uint8Array(), reader(senders));
  expect(ticket).toMatchObject({
    ...{ id: issued?.id, lane: LANE, receiver: TO, objects: [] },
    expiresMs: senders + TICKET_VALID_MS,
  });
  expect([...ticket.streams]).toEqual([
    [
      STREAM,
      [
        [1, 1],
        [4, 9],
      ],
    ],
  ]);
  expect(issueTicket(missing([[2, 3]], [], [[1, 9]]), TO, far, nowMs)).toBeUndefined();
});

test("what finds no room in a ticket is counted, and what is cut is still a ticket", () => {
  const open = Array.from({ length: 20_000 }, (_, index): Range => [3 * index + 1, 3 * index + 1]);
  const objects = Array.from(
    { length: 1_500 },
    (_, index): Begun => ({
      ...{ bundle: randomBytes(16).toString("hex"), object: 2 ** 40 + index },
      ...{ shardSize: 1408, groupShards: 128, parityShards: 16 },
      groups: [
        [0, index % 7],
        [100, 100_000 + index],
      ],
    }),
  );
  for (const maxBytes of [MAX_TICKET_BYTES, 18_560]) {
    const issued = issueTicket(missing(open, objects), TO, far, Date.now(), maxBytes);
    const bytes = issued?.bytes ?? new Uint8Array();
    expect(bytes.length).toBeLessThanOrEqual(maxBytes);
    expect(bytes.length).toBeGreaterThan(maxBytes * 0.6);
    const { streams, objects: begun } = readTicket(bytes, reader(Date.now() - 9 * HOUR));
    expect([...streams.values()].flat()).toHaveLength(issued?.bundles ?? 0);
    expect((issued?.bundles ?? 0) + (issued?.left ?? 0)).toBe(20_000);
    expect(begun.length).toBe(issued?.objects);
    expect(begun.length).toBeGreaterThan(10);
  }
  const many = issueTicket(missing([[1, 3_000_000]]), TO, far, Date.now());
  expect(many).toMatchObject({ bundles: MAX_TICKET_NUMBERS, left: 2_000_000 });
  expect(peekTicket(many?.bytes ?? new Uint8Array()).sender).toBe(FROM);
});
