/** Guarantee tested: what all passes lost is named by an inventory, asked for by a ticket carried as codes, sent once more and delivered once. */
import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { peekTicket } from "../src/repair/ticket.ts";
import { digestOf, eventually } from "./fixture.ts";
import { byCodes, isObject, LossyLink } from "./lossy-link.ts";

let link: LossyLink;
beforeEach(async () => {
  link = await LossyLink.open();
});
afterEach(() => link.close());

test("both passes of a bundle are lost: named, alarmed, asked for by codes, sent again, delivered once", async () => {
  await link.send();
  const [one, two, three] = [
    await link.at.seal(randomBytes(9_000)),
    await link.at.seal(randomBytes(9_000)),
    await link.at.seal(randomBytes(9_000)),
  ];
  link.at.outbox.put(one);
  await link.at.inbox.until(1);
  await eventually(link.finished).toBe(1);
  await link.losing(two);
  link.at.outbox.put(three);
  await link.at.inbox.until(2);
  const number = String(two.sequence);
  await eventually(link.rows).toEqual([`unrepaired ${number}`]);
  const named = (type: "gate.gap" | "gate.gap-unrepaired") =>
    link.at.rxEvents.of(type).filter(({ attributes }) => attributes?.missing === number);
  expect(named("gate.gap")).toHaveLength(1);
  expect(named("gate.gap-unrepaired")).toHaveLength(1);
  const bytes = byCodes(await link.ticket());
  link.handIn(bytes);
  await link.at.inbox.until(3);
  expect(digestOf(link.at.inbox.bytesOf(two))).toBe(digestOf(link.at.sealed(two)));
  const id = Buffer.from(peekTicket(bytes).ticketId).toString("hex");
  await eventually(link.finished).toBe(4);
  expect(link.at.txEvents.of("gate.ticket-accepted")).toMatchObject([
    { attributes: { ticket: id, recalled: "1", gone: "0" } },
  ]);
  expect(link.at.txEvents.of("bundle.repeated")).toMatchObject([
    {
      bundleId: Buffer.from(two.bundleId ?? []),
      attributes: { ticket: id, groups: "all", sequence: number },
    },
  ]);
  expect(link.at.txEvents.of("bundle.emitted")).toHaveLength(3);
  await eventually(link.rows).toEqual([]);
  // The same ticket again brings nothing.
  link.handIn(bytes);
  await eventually(() => link.at.txEvents.of("gate.ticket-refused")).toMatchObject([
    { code: "ferry.ticket-seen", attributes: { ticket: id } },
  ]);
  expect(link.at.outbox.recalls).toHaveLength(1);
  expect(link.at.inbox.answers).toEqual(["accepted", "accepted", "accepted"]);
  expect(link.rows()).toEqual([]);
});

test("asked for again while its end is still being written: sent once more when it is", async () => {
  const { outbox } = link.at;
  const bundle = await link.at.seal(randomBytes(9_000));
  const [lease, ack] = [outbox.lease, outbox.ack];
  const leased = Promise.withResolvers<void>();
  outbox.lease = async (...asked) => {
    const answer = await lease(...asked);
    if (answer.bundles?.some(({ repair }) => repair === true)) setImmediate(leased.resolve);
    return answer;
  };
  // The outbox knows of the end, gives the bundle out again, and only then answers.
  outbox.ack = async (request) => {
    const answer = await ack(request);
    if (request.finished === true && link.finished() === 1) {
      outbox.put({ ...bundle, passesDone: 2, repair: true });
      await leased.promise;
    }
    return answer;
  };
  await link.send();
  outbox.put(bundle);
  await eventually(link.finished).toBe(2);
  expect(link.at.txEvents.of("bundle.emitted")).toHaveLength(1);
  expect(link.at.txEvents.of("bundle.repeated")).toHaveLength(1);
  expect(link.at.inbox.answers).toEqual(["accepted"]);
});

test("what the outbox gave up is no gap", async () => {
  await link.send();
  const [one, two] = [await link.at.seal(randomBytes(500)), await link.at.seal(randomBytes(500))];
  link.at.outbox.put(two);
  await link.at.inbox.until(1);
  await eventually(link.rows).toEqual([`open ${one.sequence}`]);
  link.at.outbox.givenUp.push(one);
  await eventually(link.rows).toEqual([]);
});

test("a third pass, where it is set, brings what two have lost", async () => {
  await link.send({ passes: 3 });
  const { record } = link.at.txEvents;
  let emittedAt = 0;
  link.at.txEvents.record = async (events) => {
    if (events.some(({ type }) => type === "bundle.emitted")) emittedAt = performance.now();
    await record(events);
  };
  const bundle = await link.at.seal(randomBytes(9_000));
  link.lost = (header) =>
    isObject(header) && link.at.outbox.acks.every(({ passesDone }) => passesDone !== 2);
  link.at.outbox.put(bundle);
  await link.at.inbox.until(1);
  await eventually(() => link.at.outbox.acks.map(({ passesDone }) => passesDone)).toEqual([
    1, 2, 3,
  ]);
  expect(link.at.outbox.acks.map(({ finished: over }) => over === true)).toEqual([
    false,
    false,
    true,
  ]);
  // Two times the pause after the first pass, or later.
  expect((link.at.outbox.ackedAt[2] ?? 0) - emittedAt).toBeGreaterThan(190);
});
