/** Guarantee tested: of what lies in the tickets folder only a true, new ticket of the lane's receiving node brings anything back; it does so once, over restarts and absences of the outbox; everything else is refused with its code and event. */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GatewayError } from "@lightferry/proto/errors";
import { lightferry } from "@lightferry/proto/gen";
import { testPki } from "@lightferry/proto/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeStreams } from "../src/inventory.ts";
import type { Range } from "../src/ranges.ts";
import { answerOf, ticketsDir, wishPath } from "../src/repair/folder.ts";
import {
  MAX_TICKET_BYTES,
  MAX_TICKET_NUMBERS,
  signTicket,
  TICKET_VALID_MS,
} from "../src/repair/ticket.ts";
import { HEARTBEAT_LABEL, signMessage, type TICKET_LABEL } from "../src/signed.ts";
import type { Carried } from "../src/tx/journal.ts";
import { TicketDesk } from "../src/tx/tickets.ts";
import {
  directory,
  eventually,
  FROM,
  far,
  keys,
  LANE,
  linkOf,
  namedKey,
  type Place,
  pki,
  place,
  provider,
  quiet,
  showing,
  TO,
} from "./fixture.ts";

const { RepairTicket } = lightferry.ferry.v1;
type Message = lightferry.ferry.v1.RepairTicket.$Properties;
type Request = lightferry.ferry.v1.RecallRequest.$Properties;

const STREAM = `${LANE}/${FROM}/normal`;
const HOUR = 3_600_000;

function message(change: Message = {}): Message {
  const now = Date.now();
  return {
    ...{ ticketId: randomBytes(16), lane: LANE, sender: FROM, receiver: TO },
    ...{ createdMs: now - HOUR, expiresMs: now + HOUR, objects: [] },
    streams: writeStreams(
      new Map([
        [
          STREAM,
          [
            [3, 5],
            [9, 9],
          ],
        ],
      ]),
    ),
    ...change,
  };
}

let at: Place;
let desk: TicketDesk;
let stop: AbortController;
let requests: Request[];
let recall: (request: Request) => Promise<lightferry.ferry.v1.RecallResponse.$Properties>;
let demands: number;
let now: () => number;
beforeEach(async () => {
  at = place();
  requests = [];
  demands = 0;
  now = Date.now;
  recall = async () => ({ recalled: 3, underWay: 1, gone: [] });
  desk = await open();
});
afterEach(async () => {
  stop.abort();
  await desk.close();
  at.remove();
});

async function open(): Promise<TicketDesk> {
  stop = new AbortController();
  return await TicketDesk.open({
    ...{ stateDir: at.txState, node: FROM, lanes: [LANE], provider, keys: () => directory },
    receiverOf: (lane) => (lane === LANE || lane === "other" ? TO : undefined),
    recall: (request) => {
      requests.push(request);
      return recall(request);
    },
    demand: () => {
      demands += 1;
    },
    ...{ events: at.txEvents, log: quiet, clock: () => now(), signal: stop.signal },
  });
}

async function restart(): Promise<void> {
  stop.abort();
  await desk.close();
  desk = await open();
}

let files = 0;
/** Hands a ticket in. @returns what the desk answered */
async function handIn(bytes: Uint8Array): Promise<Record<string, unknown> | undefined> {
  files += 1;
  const name = `${files.toString(16)}.lft`;
  const dir = ticketsDir(at.txState);
  writeFileSync(join(dir, name), bytes);
  await desk.look();
  const path = join(dir, answerOf(name));
  return existsSync(path)
    ? (JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>)
    : undefined;
}

const carried = (sequence: number, bundleId = "b") =>
  ({ bundleId, stream: STREAM, sequence }) as Carried;

test("a true ticket asks the outbox for its numbers, is told with what came of it, and lies there no more", async () => {
  const ticketId = randomBytes(16);
  const id = ticketId.toString("hex");
  recall = async () => ({
    ...{ recalled: 2, underWay: 1 },
    gone: [{ stream: STREAM, ranges: [{ first: 9, last: 9 }] }],
  });
  const answer = await handIn(signTicket(far, message({ ticketId })));
  const goneRanges = `${STREAM}: 9`;
  expect(answer).toEqual({ ticket: id, recalled: 2, underWay: 1, gone: 1, goneRanges });
  expect(requests).toEqual([
    {
      ...{ lane: LANE, ticket: id },
      streams: [
        {
          stream: STREAM,
          ranges: [
            { first: 3, last: 5 },
            { first: 9, last: 9 },
          ],
        },
      ],
    },
  ]);
  expect(at.txEvents.of("gate.ticket-accepted")).toEqual([
    {
      ...{ type: "gate.ticket-accepted", outcome: "ok", lane: LANE },
      attributes: {
        ...{ ticket: id, receiver: TO, recalled: "2", "under-way": "1", gone: "1" },
        "gone-ranges": goneRanges,
      },
    },
  ]);
  expect(readdirSync(ticketsDir(at.txState)).filter((name) => name.endsWith(".lft"))).toEqual([]);
});

test("forged, foreign, expired, oversize and senseless tickets are refused by their code, and nothing is asked", async () => {
  const stranger = namedKey();
  const cut = signTicket(far, message());
  const flipped = Uint8Array.from(cut);
  const place = Buffer.from(flipped).indexOf(STREAM);
  flipped[place] = (flipped[place] as number) ^ 1;
  const ended = await testPki({ zones: { extranet: FROM, business: TO } });
  const group = (first: number, last: number) => ({
    ...{ bundleId: randomBytes(16), objectId: 1, shardSize: 1408, groupShards: 128 },
    groups: [{ first, last }],
  });
  const streams = (...ranges: Range[]) => ({ streams: writeStreams(new Map([[STREAM, ranges]])) });
  const at24 = Date.now() + 2 * TICKET_VALID_MS + HOUR;
  const cases: [string, Uint8Array][] = [
    ["ferry.ticket-invalid", new Uint8Array()],
    ["ferry.ticket-invalid", randomBytes(500)],
    ["ferry.ticket-invalid", cut.subarray(0, cut.length - 1)],
    ["ferry.ticket-invalid", new Uint8Array(MAX_TICKET_BYTES + 1)],
    ["ferry.ticket-signature", flipped],
    // Not that node's key; that node's name under another's; the same node under another root.
    ["ferry.ticket-signature", signTicket(linkOf(stranger), message())],
    [
      "ferry.ticket-signature",
      signTicket(linkOf({ ...stranger, keyId: far.active().keyId }), message()),
    ],
    // The sender's own.
    ["certificate.wrong-use", signTicket(linkOf(keys.ferry), message())],
    [
      "ferry.ticket-signature",
      signTicket(
        { ...linkOf(namedKey(ended.key(TO, "ferry"))), chain: (id) => ended.store.chain(id) },
        message(),
      ),
    ],
    // The right key, but for another purpose; another key of that node.
    [
      "ferry.ticket-signature",
      signMessage(
        far,
        HEARTBEAT_LABEL as typeof TICKET_LABEL,
        RepairTicket,
        { version: 1, ...message() },
        true,
      ),
    ],
    ["certificate.wrong-use", signTicket(showing(namedKey(pki.key(TO, "sign"))), message())],
    // A lane that is not sent from here; one of another desk; another sender, another receiver.
    ["ferry.ticket-wrong-party", signTicket(far, message({ lane: "outbound" }))],
    ["ferry.ticket-wrong-party", signTicket(far, message({ lane: "other", streams: [] }))],
    ["ferry.ticket-wrong-party", signTicket(far, message({ sender: "node-other" }))],
    ["ferry.ticket-wrong-party", signTicket(far, message({ receiver: "node-other" }))],
    ["ferry.ticket-expired", signTicket(far, message({ expiresMs: Date.now() - 1 }))],
    [
      "ferry.ticket-invalid",
      signTicket(far, message({ createdMs: Date.now() - 2 * TICKET_VALID_MS })),
    ],
    ["ferry.ticket-invalid", signTicket(far, message({ createdMs: at24 - HOUR, expiresMs: at24 }))],
    ["ferry.ticket-invalid", signTicket(far, message({ version: 2 }))],
    ["ferry.ticket-invalid", signTicket(far, message({ ticketId: randomBytes(15) }))],
    ["ferry.ticket-invalid", signTicket(far, message(streams([1, MAX_TICKET_NUMBERS + 1])))],
    ["ferry.ticket-invalid", signTicket(far, message(streams([4, 5], [5, 6])))],
    [
      "ferry.ticket-invalid",
      signTicket(
        far,
        message({ streams: writeStreams(new Map([["outbound/x/normal", [[1, 1]]]])) }),
      ),
    ],
    ["ferry.ticket-invalid", signTicket(far, message({ objects: [group(3, 2)] }))],
    [
      "ferry.ticket-invalid",
      signTicket(far, message({ objects: [{ ...group(0, 1), bundleId: randomBytes(3) }] })),
    ],
  ];
  for (const [code, bytes] of cases) {
    expect(await handIn(bytes), code).toMatchObject({ code });
  }
  await ended.cleanup();
  expect(
    at.txEvents.all.map(({ type, outcome, code, lane }) => [type, outcome, code, lane]),
  ).toEqual(cases.map(([code]) => ["gate.ticket-refused", "refused", code, LANE]));
  expect(
    at.txEvents.all.every(({ attributes }) => attributes?.["file-digest"]?.length === 64),
  ).toBe(true);
  expect(requests).toEqual([]);
  expect(desk.counts).toEqual({ accepted: 0, refused: cases.length });
  // What is called otherwise is not looked at.
  mkdirSync(join(ticketsDir(at.txState), "a.lft.d"));
  writeFileSync(join(ticketsDir(at.txState), "..lft"), "x");
  await desk.look();
  expect(at.txEvents.all).toHaveLength(cases.length);
});

test("a ticket counts once: shown again it is refused, also after a restart and by a clock set back", async () => {
  const bytes = signTicket(far, message());
  await handIn(bytes);
  expect(await handIn(bytes)).toMatchObject({ code: "ferry.ticket-seen" });
  await restart();
  expect(await handIn(bytes)).toMatchObject({ code: "ferry.ticket-seen" });
  now = () => Date.now() + 3 * HOUR;
  await restart();
  now = () => Date.now() - HOUR;
  expect(await handIn(bytes)).toMatchObject({ code: "ferry.ticket-seen" });
  expect(requests).toHaveLength(1);
  expect(at.txEvents.of("gate.ticket-accepted")).toHaveLength(1);
});

test("while the outbox is away a ticket waits, durable, and is asked for until there is an answer", async () => {
  recall = () => Promise.reject(new GatewayError("rpc.unavailable"));
  expect(await handIn(signTicket(far, message()))).toBeUndefined();
  await desk.look();
  expect(requests).toHaveLength(2);
  expect(at.txEvents.all).toEqual([]);
  await restart();
  recall = async () => ({ recalled: 4, underWay: 0, gone: [] });
  await desk.look();
  expect(at.txEvents.of("gate.ticket-accepted")).toMatchObject([{ attributes: { recalled: "4" } }]);
  await restart();
  await desk.look();
  expect(requests).toHaveLength(3);
  // What the outbox itself refuses is refused.
  recall = () => Promise.reject(new GatewayError("outbox.recall-invalid"));
  expect(await handIn(signTicket(far, message()))).toMatchObject({ code: "outbox.recall-invalid" });
  await desk.look();
  expect(requests).toHaveLength(4);
});

test("more numbers than the outbox takes at once are asked for in portions", async () => {
  const other = `${LANE}/${FROM}/bulk`;
  recall = async () => ({ recalled: 10, underWay: 1, gone: [] });
  const streams = new Map<string, Range[]>([
    [
      STREAM,
      [
        [1, 60_000],
        [70_001, 270_000],
      ],
    ],
    [other, [[5, 30_000]]],
  ]);
  const answer = await handIn(signTicket(far, message({ streams: writeStreams(streams) })));
  const portions = requests.map(({ streams: of }) =>
    (of ?? []).flatMap(({ stream, ranges }) =>
      (ranges ?? []).map(({ first, last }) => [stream === other ? "bulk" : "normal", first, last]),
    ),
  );
  expect(portions).toEqual([
    [
      ["normal", 1, 60_000],
      ["normal", 70_001, 110_000],
    ],
    [["normal", 110_001, 210_000]],
    [
      ["normal", 210_001, 270_000],
      ["bulk", 5, 30_000],
    ],
  ]);
  expect(answer).toMatchObject({ recalled: 30, underWay: 3 });
});

test("the newest ticket that names a bundle says what of it suffices, also after a restart", async () => {
  const bundleId = randomBytes(16);
  const object = {
    ...{ bundleId, objectId: 77, shardSize: 1408, groupShards: 128, parityShards: 16 },
    groups: [
      { first: 0, last: 2 },
      { first: 5, last: 5 },
    ],
  };
  const [one, two] = [randomBytes(16), randomBytes(16)];
  await handIn(signTicket(far, message({ ticketId: one, objects: [object] })));
  await restart();
  const hex = bundleId.toString("hex");
  expect(desk.asked(carried(4, hex))).toEqual({
    ticket: one.toString("hex"),
    object: {
      ...{ objectId: 77, shardSize: 1408, code: { groupShards: 128, parityShards: 16 } },
      groups: [
        [0, 2],
        [5, 5],
      ],
    },
  });
  expect(desk.asked(carried(4, "ff"))).toEqual({ ticket: one.toString("hex") });
  expect(desk.asked(carried(6, hex))).toBeUndefined();
  // The far side has lost what it had begun: nothing less than all of it will do.
  await handIn(signTicket(far, message({ ticketId: two })));
  expect(desk.asked(carried(4, hex))).toEqual({ ticket: two.toString("hex") });
});

test("only so many tickets are in force at once, and those that are over make room", async () => {
  for (let count = 0; count < 64; count += 1) await handIn(signTicket(far, message()));
  expect(await handIn(signTicket(far, message()))).toMatchObject({ code: "ferry.tickets-full" });
  now = () => Date.now() + TICKET_VALID_MS + 2 * HOUR;
  const later = message({ createdMs: now(), expiresMs: now() + HOUR });
  expect(await handIn(signTicket(far, later))).toMatchObject({ recalled: 3 });
});

test("a wish for an inventory is heard once", async () => {
  writeFileSync(wishPath(at.txState), "");
  await desk.look();
  await desk.look();
  expect(demands).toBe(1);
  desk.start();
  writeFileSync(wishPath(at.txState), "");
  await eventually(() => demands).toBe(2);
});
