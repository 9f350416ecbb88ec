/** The sending side's receipts: matched with what was really sealed and emitted, refused whole, never moving anything. */
import { formatId, newId, parseId } from "@lightferry/proto/ids";
import { loadProvider, type Sm2PrivateKey } from "@lightferry/proto/sm";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { importReceipts } from "../src/receipts/import.ts";
import { roomFor } from "./support/lease-room.ts";
import { type ListDraft, receiptFile } from "./support/receipt-lists.ts";
import { accepted, sendingZone, submit, token, world } from "./support/sending.ts";

const SENT = 8;
const DAY_MS = 86_400_000;

sendingZone();

/** Really sealed, and gone through the gate once. */
let sent: string[];
let farKey: Sm2PrivateKey;
beforeAll(async () => {
  await world.sealer();
  farKey = world.keys.trust.pki.key("node-business", "sign");
  sent = await Promise.all(Array.from({ length: SENT }, (_, n) => accepted({ n })));
  await Promise.all(sent.map((id) => world.until(id, "queued")));
  for (;;) {
    const { bundles } = await world.running.outbox.lease({
      ...{ lane: "inbound", worker: "ferry@a/1", waitMs: 0, ...roomFor(8) },
    });
    if (bundles.length === 0) break;
    for (const { bundleId, leaseId } of bundles) {
      await world.running.outbox.ack({
        ...{ bundleId: bundleId ?? null, leaseId: leaseId ?? null, passesDone: 1, finished: true },
      });
    }
  }
  await Promise.all(sent.map((id) => world.until(id, "emitted")));
});

let eventsBefore = 0;
beforeEach(async () => {
  eventsBefore = world.peers.events.length;
  await world.pool.query("DELETE FROM receipt_taken");
  await world.pool.query("DELETE FROM receipt_tally");
  await world.pool.query(
    `UPDATE exchange SET receipt_state = NULL, receipt_code = NULL, receipt_at_ms = NULL, receipt_number = NULL`,
  );
});

const at = (n: number): string => sent[n] ?? "";
const wish = { skipUnknown: false, checkOnly: false, actor: "operator", source: "file" } as const;
const take = (file: Uint8Array, change: Partial<typeof wish> | object = {}) =>
  importReceipts(world.running.context, file, { ...wish, ...change });
const file = (...lists: ListDraft[]) => receiptFile(farKey, ...lists);
const show = async (id: string) =>
  (await world.api.call("GET", `/v1/exchanges/${id}`, { token })).json;
const logged = (type: string, from = eventsBefore) =>
  world.peers.events
    .slice(from)
    .filter((event) => event.type === type)
    .map(({ outcome, code, actor, lane, attributes = [] }) => ({
      ...{ outcome, code, actor, lane },
      attributes: Object.fromEntries(attributes.map(({ name, value }) => [name ?? "", value])),
    }));
const rows = async () =>
  (await world.pool.query("SELECT * FROM exchange ORDER BY id")).rows as unknown[];

describe("receipts at the sending side", () => {
  it("say with the exchange what became of it, and leave its own state alone", async () => {
    expect(await show(at(0))).toMatchObject({ state: "emitted", unconfirmed: true });
    const report = await take(
      file({
        number: 1,
        said: {
          [at(0)]: "delivered",
          [at(1)]: ["quarantined", "policy.content-not-desensitised"],
          [at(2)]: ["in-doubt", "target.in-doubt"],
        },
      }),
    );
    expect(report).toMatchObject({ taken: true, lists: 1, repeated: 0, exchanges: 3, older: 0 });
    const delivered = await show(at(0));
    expect(delivered).toMatchObject({
      state: "emitted",
      receipt: { state: "delivered", number: 1 },
    });
    expect(delivered.unconfirmed).toBeUndefined();
    expect(delivered.stateNote).toBeUndefined();
    expect(delivered.timeline.at(-1)).toMatchObject({
      ...{ state: "delivered", detail: "receipt node-business/1" },
    });
    expect((await show(at(1))).receipt).toMatchObject({
      state: "quarantined",
      refusal: { code: "policy.content-not-desensitised" },
    });
    expect(await show(at(3))).toMatchObject({ state: "emitted", unconfirmed: true });
    await expect.poll(() => logged("exchange.receipted").length).toBe(3);
    expect(
      logged("exchange.receipted")
        .map(({ outcome, code }) => [outcome, code])
        .sort(),
    ).toEqual([
      ["error", "target.in-doubt"],
      ["ok", ""],
      ["refused", "policy.content-not-desensitised"],
    ]);
    expect(logged("receipts.imported")).toMatchObject([
      { outcome: "ok", actor: "operator", lane: "inbound", attributes: { number: "1" } },
    ]);
    const { sent: counted } = await world.running.egress.receipts.status();
    expect(counted).toMatchObject([
      {
        ...{ lane: "inbound", unreceipted: SENT - 3, moreUnreceipted: false, missingLists: 0 },
        states: { delivered: 1, quarantined: 1, "in-doubt": 1, failed: 0, returned: 0 },
      },
    ]);
    expect(counted[0]?.oldestUnreceiptedMs).toBeLessThanOrEqual(Date.now());
  });

  it("are taken once, over a restart too, whoever brings them again", async () => {
    const first = file({ number: 1, said: { [at(0)]: "delivered" } });
    await take(first);
    await world.restart();
    const before = await rows();
    expect(await take(first)).toMatchObject({ lists: 0, repeated: 1, exchanges: 0 });
    // Together with one that is news.
    const both = file(
      { number: 1, said: { [at(0)]: "delivered" }, createdMs: Date.now() - 60_000 },
      { number: 2, said: { [at(1)]: "delivered" } },
    );
    // Same number, signed anew with another time: another list.
    await expect(take(both)).rejects.toMatchObject({ code: "receipt.number-conflict" });
    expect(await rows()).toEqual(before);
  });

  it("of a later list count, of an earlier one no more, in whatever order they come", async () => {
    await take(file({ number: 3, said: { [at(0)]: ["failed", "target.unavailable"] } }));
    expect(
      await take(file({ number: 2, said: { [at(0)]: ["in-doubt", "target.in-doubt"] } })),
    ).toMatchObject({ exchanges: 0, older: 1 });
    expect((await show(at(0))).receipt).toMatchObject({ state: "failed", number: 3 });
    await take(file({ number: 4, said: { [at(0)]: "delivered" } }));
    expect((await show(at(0))).receipt).toEqual({
      ...{ state: "delivered", number: 4, atMs: expect.any(Number) },
    });
    const { sent: counted } = await world.running.egress.receipts.status();
    expect(counted[0]).toMatchObject({ missingLists: 0, states: { delivered: 1, failed: 0 } });
    // Two of one file: the later counts.
    await take(
      file(
        { number: 7, said: { [at(1)]: ["failed", "target.rejected"] } },
        { number: 9, said: { [at(1)]: "returned" } },
      ),
    );
    expect((await show(at(1))).receipt).toMatchObject({ state: "returned", number: 9 });
    expect((await world.running.egress.receipts.status()).sent[0]).toMatchObject({
      missingLists: 3,
    });
  });

  it("cause no resend: the exchange, its bundle and the queue stay as they are", async () => {
    const queue = async () => (await world.pool.query("SELECT * FROM outbox_bundle")).rows;
    const before = await queue();
    await take(file({ number: 1, said: { [at(0)]: ["failed", "target.unavailable"] } }));
    expect(await queue()).toEqual(before);
    expect(await show(at(0))).toMatchObject({ state: "emitted", receipt: { state: "failed" } });
    await expect(world.running.egress.desk.retry(parseId(at(0)), "operator")).rejects.toMatchObject(
      { code: "exchange.wrong-state" },
    );
  });

  it("are only looked at when asked so", async () => {
    const before = await rows();
    const one = file({ number: 1, said: { [at(0)]: "delivered" } });
    expect(await take(one, { checkOnly: true })).toMatchObject({ taken: false, exchanges: 1 });
    expect(await rows()).toEqual(before);
    expect(await take(one)).toMatchObject({ taken: true, exchanges: 1 });
  });

  it("of unknown exchanges are named; the others are taken only by wish", async () => {
    const stranger = formatId(newId());
    const one = file({ number: 1, said: { [at(0)]: "delivered", [stranger]: "delivered" } });
    const before = await rows();
    await expect(take(one)).rejects.toMatchObject({
      ...{ code: "receipt.unknown-exchange", detail: stranger },
    });
    expect(await rows()).toEqual(before);
    expect(await take(one, { skipUnknown: true })).toMatchObject({
      ...{ exchanges: 1, unknown: [stranger], unknownCount: 1 },
    });
    expect((await show(at(0))).receipt.state).toBe("delivered");
    await expect.poll(() => logged("receipts.refused").length).toBe(2);
    for (const event of logged("receipts.refused")) {
      expect(event).toMatchObject({ code: "receipt.unknown-exchange", outcome: "refused" });
      expect(event.attributes.detail).toBe(stranger);
    }
  });

  it("that journal or database cannot take are not taken at all, and are taken afterwards", async () => {
    const one = file({ number: 1, said: { [at(0)]: "delivered" } });
    const before = await rows();
    const { context } = world.running;
    const full = new Proxy(context.shell.journal, {
      get: (target, name) =>
        name === "record"
          ? () => Promise.reject(Object.assign(new Error("full"), { code: "ENOSPC" }))
          : Reflect.get(target, name),
    });
    const broken = { ...context, shell: { ...context.shell, journal: full } };
    await expect(importReceipts(broken, one, wish)).rejects.toBeDefined();
    expect(await rows()).toEqual(before);
    expect(await take(one)).toMatchObject({ exchanges: 1, repeated: 0 });
  });
});

describe("receipts that are refused", () => {
  let from = 0;
  beforeAll(async () => {
    // What the tests before left to be forwarded is not ours.
    await world.running.context.shell.journal.drained(AbortSignal.timeout(5_000));
    from = world.peers.events.length;
  });
  const held = (): ListDraft => ({ number: 1, said: { [at(0)]: "delivered" } });
  const cases: readonly (readonly [string, string, () => Uint8Array | Promise<Uint8Array>])[] = [
    ["noise", "receipt.malformed", () => Buffer.from("receipts")],
    ["a file over the limit", "receipt.too-large", () => Buffer.alloc(4 * 1024 * 1024 + 1)],
    ["a lane that leads here", "receipt.foreign-lane", () => file({ ...held(), lane: "outbound" })],
    ["a lane that nobody knows", "receipt.foreign-lane", () => file({ ...held(), lane: "x" })],
    ["another addressee", "receipt.wrong-addressee", () => file({ ...held(), sender: "node-x" })],
    ["another receiver", "receipt.wrong-receiver", () => file({ ...held(), receiver: "node-x" })],
    [
      "a key of nobody",
      "receipt.unknown-key",
      () => receiptFile(loadProvider().generateSm2(), held()),
    ],
    [
      "our own signature",
      "certificate.wrong-use",
      () => receiptFile(world.keys.trust.pki.key("node-extranet", "sign"), held()),
    ],
    [
      "a key of another use",
      "certificate.wrong-use",
      () => receiptFile(world.keys.trust.pki.key("node-business", "policy"), held()),
    ],
    [
      "altered content",
      "receipt.signature-invalid",
      () => {
        const bytes = Buffer.from(file(held()));
        const last = bytes.indexOf(Buffer.from(parseId(at(0)))) + 15;
        bytes[last] = (bytes[last] ?? 0) ^ 1;
        return bytes;
      },
    ],
    [
      "a date ahead",
      "receipt.from-future",
      () => file({ ...held(), createdMs: Date.now() + DAY_MS }),
    ],
    [
      "a date long ago",
      "receipt.stale",
      () => file({ ...held(), createdMs: Date.now() - 367 * DAY_MS }),
    ],
    [
      "something that was never sealed",
      "receipt.contradicts",
      async () => {
        await submit({ service: "nowhere" });
        const { rows: refused } = await world.pool.query<{ id: string }>(
          "SELECT id FROM exchange WHERE state = 'refused'",
        );
        return file({ number: 1, said: { [refused[0]?.id ?? ""]: "delivered" } });
      },
    ],
    [
      "a way back from the end",
      "receipt.contradicts",
      async () => {
        await take(file({ number: 1, said: { [at(0)]: "delivered" } }));
        return file({ number: 2, said: { [at(0)]: ["failed", "target.unavailable"] } });
      },
    ],
    [
      "an end before another state",
      "receipt.contradicts",
      async () => {
        await take(file({ number: 5, said: { [at(0)]: ["failed", "target.unavailable"] } }));
        return file({ number: 2, said: { [at(0)]: "delivered" } });
      },
    ],
    [
      "one good list beside a contradicting one",
      "receipt.contradicts",
      () =>
        file(
          { number: 1, said: { [at(0)]: "delivered", [at(1)]: "delivered" } },
          { number: 2, said: { [at(1)]: "returned" } },
        ),
    ],
  ];

  it.each(cases)("%s: %s", async (_, code, make) => {
    const bytes = await make();
    const before = await rows();
    await expect(take(bytes)).rejects.toMatchObject({ code });
    expect(await rows()).toEqual(before);
  });

  it("are all in the log, each with its code", async () => {
    const codes = cases.map(([, code]) => code).sort();
    await expect
      .poll(() =>
        logged("receipts.refused", from)
          .map(({ code }) => code)
          .sort(),
      )
      .toEqual(codes);
    for (const { outcome, actor, attributes } of logged("receipts.refused", from)) {
      expect({ outcome, actor, source: attributes.source }).toEqual({
        ...{ outcome: "refused", actor: "operator", source: "file" },
      });
    }
  });

  it("a revoked key", async () => {
    const { trust } = world.keys;
    const bytes = file(held());
    const keyId = Buffer.from(loadProvider().sm3(farKey.publicKey)).subarray(0, 16).toString("hex");
    trust.deny(keyId);
    try {
      await expect(take(bytes)).rejects.toMatchObject({ code: "certificate.denied" });
    } finally {
      trust.lift(keyId);
    }
    expect(await take(bytes)).toMatchObject({ exchanges: 1 });
  });
});

describe("a bundle that was refused over there, unopened", () => {
  const bundleOf = async (n: number) => {
    const ofIt = "SELECT bundle_id FROM exchange WHERE id = $1";
    return String((await world.pool.query(ofIt, [at(n)])).rows[0]?.bundle_id);
  };
  const inside = async (bundle: string): Promise<string[]> => {
    const ofIt = "SELECT id FROM exchange WHERE bundle_id = $1 ORDER BY id";
    return (await world.pool.query(ofIt, [bundle])).rows.map(({ id }) => String(id));
  };
  const code = "bundle.expired";

  it("says so of each exchange in it, but of none of which anything else was said", async () => {
    const bundle = await bundleOf(0);
    const ids = await inside(bundle);
    const [first = "", ...others] = ids;
    await take(file({ number: 1, said: { [first]: "delivered" } }));
    const report = await take(file({ number: 2, said: {}, refused: { [bundle]: code } }));
    expect(report).toMatchObject({ exchanges: others.length, older: 1 });
    expect((await show(first)).receipt).toMatchObject({ state: "delivered" });
    for (const id of others) {
      expect((await show(id)).receipt).toMatchObject({ state: "quarantined", refusal: { code } });
    }
    // It came after all: a copy that was good, or a key that counts again.
    const after = await take(
      file({ number: 3, said: Object.fromEntries(others.map((id) => [id, "delivered" as const])) }),
    );
    expect(after).toMatchObject({ exchanges: others.length });
    expect(await take(file({ number: 4, said: {}, refused: { [bundle]: code } }))).toMatchObject({
      ...{ exchanges: 0, older: ids.length },
    });
  });

  it("says nothing of what was sealed anew since", async () => {
    const bundle = await bundleOf(0);
    const moved = await inside(bundle);
    const set = (to: string) =>
      world.pool.query("UPDATE exchange SET bundle_id = $2 WHERE id = ANY($1::uuid[])", [
        moved,
        to,
      ]);
    await set(formatId(newId()));
    const report = await take(file({ number: 1, said: {}, refused: { [bundle]: code } }));
    await set(bundle);
    expect(report).toMatchObject({ exchanges: 0, older: 0, unknownCount: 0 });
  });

  it("is refused when nobody here sealed it, or it left by another lane", async () => {
    const stranger = formatId(newId());
    const unknown = file({ number: 1, said: {}, refused: { [stranger]: code } });
    await expect(take(unknown)).rejects.toMatchObject({
      ...{ code: "receipt.unknown-exchange", detail: `bundle ${stranger}` },
    });
    expect(await take(unknown, { skipUnknown: true })).toMatchObject({ unknownCount: 1 });
    const bundle = await bundleOf(0);
    const leftBy = "UPDATE outbox_bundle SET lane = $2 WHERE bundle_id = $1";
    await world.pool.query(leftBy, [bundle, "other"]);
    const contradicting = take(file({ number: 2, said: {}, refused: { [bundle]: code } }));
    await expect(contradicting).rejects.toMatchObject({ code: "receipt.contradicts" });
    await world.pool.query(leftBy, [bundle, "inbound"]);
  });
});
