/** Guarantee tested: of a long object a ticket brings only what is missing, over restarts of both halves in the middle; all of it where less is of no use; and what is gone is said to be. */
import { randomBytes } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { RangeSet } from "../src/ranges.ts";
import { wishPath } from "../src/repair/folder.ts";
import { missingPath } from "../src/repair/missing.ts";
import { peekTicket } from "../src/repair/ticket.ts";
import { digestOf, eventually, LANE } from "./fixture.ts";
import { isShard, LossyLink } from "./lossy-link.ts";

let link: LossyLink;
beforeEach(async () => {
  link = await LossyLink.open();
});
afterEach(() => link.close());

test("of a long object only what is missing is sent again, over restarts of both halves in the middle", async () => {
  const holes = new RangeSet([
    [5, 7],
    [20, 20],
    [27, 27],
  ]);
  link.lost = (header) => isShard(header) && holes.has(header.group);
  const bundle = await link.at.seal(randomBytes(5_000_000), "bulk");
  link.at.outbox.put(bundle);
  await link.send();
  await eventually(link.finished).toBe(1);
  await link.restartStation();
  const bytes = await link.ticket((objects) => objects === 1);
  const asked = peekTicket(bytes).objects[0]?.groups ?? [];
  const groups = new RangeSet(asked.map(({ first, last }) => [first ?? 0, last ?? 0]));
  for (const range of holes.ranges) expect(groups.without(range)).toEqual([]);
  // Before its repair the receiver stops once more; in the middle of it the sender does.
  await link.restartStation();
  const sent = new Set<number>();
  let data = 0;
  link.seen = (header) => {
    if (!isShard(header)) return;
    sent.add(header.group);
    data += 1;
  };
  link.lost = (header) => isShard(header) && data > 100;
  link.handIn(bytes);
  await eventually(() => data).toBeGreaterThan(200);
  await link.sender.close();
  link.lost = () => false;
  await link.send();
  await link.at.inbox.until(1);
  expect(digestOf(link.at.inbox.bytesOf(bundle))).toBe(digestOf(link.at.sealed(bundle)));
  await eventually(link.finished).toBe(2);
  const wanted = groups.ranges.flatMap(([a, b]) =>
    Array.from({ length: b - a + 1 }, (_, i) => a + i),
  );
  expect([...sent].sort((a, b) => a - b)).toEqual(wanted);
  expect(wanted.length).toBeLessThan(20);
  expect(link.at.outbox.recalls).toHaveLength(1);
  expect(link.at.inbox.answers).toEqual(["accepted"]);
  expect(link.at.txEvents.of("bundle.repeated")).toHaveLength(1);
});

test("a sender that lost what it knew of the ticket, or is told to code otherwise, sends all of it", async () => {
  link.lost = (header) => isShard(header) && header.group === 3;
  const bundle = await link.at.seal(randomBytes(2_000_000), "bulk");
  link.at.outbox.put(bundle);
  await link.send();
  await eventually(link.finished).toBe(1);
  const bytes = await link.ticket((objects) => objects === 1);
  await link.sender.close();
  link.lost = () => false;
  await link.send({ code: { groupShards: 64, parityShards: 8 } });
  link.handIn(bytes);
  await link.at.inbox.until(1);
  expect(digestOf(link.at.inbox.bytesOf(bundle))).toBe(digestOf(link.at.sealed(bundle)));
  await eventually(link.finished).toBe(2);
  expect(link.at.txEvents.of("bundle.repeated")).toMatchObject([{ attributes: { groups: "all" } }]);
  // Recalled by a ticket that this sender never saw.
  rmSync(join(link.at.txState, "tickets.log"));
  link.at.outbox.put({ ...bundle, passesDone: 2, repair: true });
  await eventually(link.finished).toBe(3);
  expect(link.at.txEvents.of("bundle.repeated")).toHaveLength(2);
  expect(link.at.inbox.answers).toEqual(["accepted"]);
});

test("what cannot be had any more is refused when it is asked for, and unrepairable by the next full inventory", async () => {
  await link.send();
  const [gone, other] = [
    await link.at.seal(randomBytes(5_000)),
    await link.at.seal(randomBytes(5_000)),
  ];
  await link.losing(gone);
  link.at.outbox.put(other);
  await link.at.inbox.until(1);
  const bytes = await link.ticket();
  rmSync(join(link.at.outboxDir, gone.file ?? ""));
  link.handIn(bytes);
  await eventually(() => link.at.outbox.acks.map(({ refuseCode }) => refuseCode)).toContain(
    "ferry.file-invalid",
  );
  expect(link.at.txEvents.of("bundle.repeated")).toEqual([]);
  writeFileSync(wishPath(link.at.txState), "");
  await eventually(link.rows).toEqual([`unrepairable ${gone.sequence}`]);
  expect(link.at.rxEvents.of("gate.gap-unrepairable")).toMatchObject([
    { attributes: { bundles: "1", missing: String(gone.sequence) } },
  ]);
  await link.station.close();
  const kept = readFileSync(missingPath(link.at.rxState, LANE), "utf8");
  await link.receive();
  expect(kept).toContain(`"unrepairable":[[${gone.sequence},${gone.sequence}]]`);
  expect(link.rows()).toEqual([`unrepairable ${gone.sequence}`]);
});
