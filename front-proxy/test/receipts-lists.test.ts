/** The receiving side's receipts: every end of a delivery falls due once, stands in one list, and the list leaves once. */
import { formatId, newId, parseId } from "@lightferry/proto/ids";
import { decodeReceiptFile, decodeSignedReceipts } from "@lightferry/proto/receipt";
import { formatKeyId } from "@lightferry/proto/sm";
import { beforeEach, describe, expect, it } from "vitest";
import type { FrontProxyContext } from "../src/context.ts";
import type { RequestSubmission } from "../src/egress/submission.ts";
import { carryReceipts } from "../src/receipts/carrier.ts";
import { confirmExport, exportReceipts } from "../src/receipts/export.ts";
import { receiptRoute } from "../src/receipts/route.ts";
import { ReceiptSigning } from "../src/receipts/signing-queue.ts";
import { readReceiptStatus } from "../src/receipts/status.ts";
import { signReceipts } from "../src/seal/receipts.ts";
import type { SealTools } from "../src/seal/seal-lease.ts";
import { type Forgery, forge } from "./support/forge-header.ts";
import { provider } from "./support/ingress-keys.ts";
import { deliverTo, receivingZoneOfFile, target, world } from "./support/receiving.ts";
import { registered } from "./support/registered.ts";
import { callerEntry, laneEntry } from "./support/signed-registry.ts";

receivingZoneOfFile();

const CONTENT = Buffer.from("{}");
const EXPORT = { lane: "", maxLists: 0, again: false, number: 0 };

let signing: ReceiptSigning;
beforeEach(async () => {
  signing = newSigning();
  target.respond = (response) => response.writeHead(201).end("{}");
  await world.pool.query("TRUNCATE receipt_due, receipt_due_bundle, receipt_number, receipt_list");
});

const newSigning = () => new ReceiptSigning(world.context, () => undefined, 0);

/** What seal has, for node and zone of the receiver. */
function sealTools(change: Partial<FrontProxyContext["config"]> = {}): SealTools {
  const { context, keys } = world;
  const key = keys.trust.pki.key("node-business", "sign");
  const keyId = formatKeyId(key.publicKey);
  return {
    shell: { ...context.shell, config: { ...context.config, ...change } },
    registry: context.registry,
    trust: () => context.trust.current(),
    ring: { has: (id: string) => id === keyId, privateKey: () => key, refresh: () => undefined },
    now: Date.now,
  } as unknown as SealTools;
}

const sign = (list: Uint8Array) => signReceipts(sealTools(), list);
const commit = async (list: Uint8Array | undefined) => {
  await signing.commit({ signed: sign(list ?? new Uint8Array()) } as Parameters<
    ReceiptSigning["commit"]
  >[0]);
};
const due = async () =>
  (
    await world.pool.query<{ exchange_id: Buffer; state: string; code: string }>(
      "SELECT exchange_id, state, code FROM receipt_due ORDER BY at_ms, exchange_id",
    )
  ).rows.map((row) => [formatId(row.exchange_id), row.state, row.code]);

/** Delivered to a real target, by the real road. */
async function delivered(): Promise<string> {
  const bundle = await world.seal([{ content: CONTENT }], sequenced());
  await deliverTo(world, bundle);
  return formatId(bundle.exchangeIds[0] ?? new Uint8Array());
}

let sequence = 0;
const sequenced = () => {
  sequence += 1;
  return { sequence };
};

const receiptsOf = (list: Uint8Array) =>
  decodeSignedReceipts(sign(list)).fields.receipts.map(({ exchangeId, state, code }) => [
    ...[formatId(exchangeId), state, code],
  ]);

it("fall due with each end, once, and not with what leaves the state alone", async () => {
  const id = await delivered();
  expect(await due()).toEqual([[id, "delivered", ""]]);
  const list = await signing.next(Date.now());
  expect(receiptsOf(list ?? new Uint8Array())).toEqual([[id, "delivered", ""]]);
  expect(await due()).toEqual([]);
  await world.pool.query("UPDATE delivery SET wrapped_key = NULL, updated_ms = updated_ms + 1");
  expect(await due()).toEqual([]);
});

it("say why not, and say it again when a person changed it", async () => {
  target.respond = (response) => response.writeHead(422).end();
  const bundle = await world.seal([{ content: CONTENT }], sequenced());
  await world.deliver(bundle.request);
  const [exchangeId = newId()] = bundle.exchangeIds;
  await world.until(exchangeId, "failed");
  const id = formatId(exchangeId);
  const first = await signing.next(Date.now());
  expect(receiptsOf(first ?? new Uint8Array())).toEqual([[id, "failed", "target.rejected"]]);
  await commit(first);
  await world.ingress().giveBack(exchangeId, "registered by hand", "operator");
  const second = await signing.next(Date.now());
  expect(decodeSignedReceipts(sign(second ?? new Uint8Array())).fields).toMatchObject({
    ...{ lane: "inbound", sender: "node-extranet", receiver: "node-business", number: 2 },
    receipts: [{ state: "returned" }],
  });
});

describe("a bundle that was refused unopened", () => {
  const refused = async (forgery: Forgery) => {
    const bundle = await world.seal([{ content: CONTENT }], sequenced());
    const request = await forge(world.keys, bundle, forgery);
    return { ...(await world.deliver(request)), request };
  };
  const said = async () => {
    const list = await signing.next(Date.now());
    if (list === undefined) return undefined;
    const { receipts, bundles } = decodeSignedReceipts(sign(list)).fields;
    expect(receipts).toEqual([]);
    return bundles.map(({ bundleId, code }) => [formatId(bundleId), code]);
  };
  const dueBundles = async () =>
    (await world.pool.query("SELECT code FROM receipt_due_bundle ORDER BY at_ms")).rows.map(
      ({ code }: { code: string }) => code,
    );

  it("is named itself, with its code, when its signature was good", async () => {
    const { status, request } = await refused({ header: { grade: "G4" } });
    expect(status).toBe("quarantined");
    const { owed } = await readReceiptStatus(world.context);
    expect(owed.find(({ lane }) => lane === "inbound")).toMatchObject({ due: 1 });
    const id = formatId(request.bundleId ?? new Uint8Array());
    expect(await said()).toEqual([[id, "bundle.grade-mismatch"]]);
    expect(await dueBundles()).toEqual([]);
  });

  it("is, when the ferry refused it and its code says so", async () => {
    const headerDigest = new Uint8Array(32);
    const tell = (refusedCode: string, lane = "inbound") =>
      world.deliver({ bundleId: newId(), headerDigest, lane, refusedCode });
    await tell("bundle.expired");
    for (const code of ["bundle.signature-invalid", "certificate.revoked", "nothing"]) {
      await expect(tell(code), code).rejects.toMatchObject({ code: "rpc.bad-message" });
    }
    await tell("bundle.expired", "elsewhere");
    expect(await dueBundles()).toEqual(["bundle.expired"]);
  });

  it("is not, when anybody could have made it", async () => {
    const stranger = provider.generateSm2();
    const header = { signKeyId: formatKeyId(stranger.publicKey), certificates: [] };
    expect((await refused({ signKey: stranger, header })).status).toBe("quarantined");
    expect((await refused({ signKey: stranger })).status).toBe("quarantined");
    expect(await dueBundles()).toEqual([]);
  });

  it("is not, when a bundle of its id was accepted", async () => {
    const bundleId = newId();
    const [bundle, other] = [
      await world.seal([{ content: CONTENT }], { ...sequenced(), bundleId }),
      await world.seal([{ content: CONTENT }], { ...sequenced(), bundleId }),
    ];
    await deliverTo(world, bundle);
    expect(await world.deliver(other.request)).toMatchObject({ code: "bundle.id-conflict" });
    expect(await dueBundles()).toEqual([]);
  });

  it("is, when it was accepted and then does not open", async () => {
    const { publicKey } = provider.generateSm2();
    const recipients = [{ nodeId: "node-business", keyId: formatKeyId(publicKey), publicKey }];
    const bundle = await world.seal([{ content: CONTENT }], { ...sequenced(), recipients });
    expect((await world.deliver(bundle.request)).status).toBe("accepted");
    await expect.poll(dueBundles).toEqual(["bundle.unknown-decrypt-key"]);
  });
});

it("are not given for receipts", async () => {
  const id = await delivered();
  await world.pool.query("TRUNCATE receipt_due");
  const again = async (kind: string) => {
    for (const state of ["dispatched", "delivered"]) {
      await world.pool.query("UPDATE delivery SET kind = $2, state = $3 WHERE exchange_id = $1", [
        ...[Buffer.from(parseId(id)), kind, state],
      ]);
    }
  };
  await again("receipt");
  expect(await due()).toEqual([]);
  await again("request");
  expect(await due()).toEqual([[id, "delivered", ""]]);
});

/** Ends that nobody had to deliver. */
async function makeDue(count: number, code = "", state = "delivered"): Promise<void> {
  await world.pool.query(
    `INSERT INTO receipt_due SELECT decode(
       '019bbf5c00007000' || '8000' || lpad(to_hex(n + (SELECT count(*) FROM receipt_due)), 12, '0'),
       'hex'), 'inbound', $2, $3, $4 FROM generate_series(1, $1::int) AS n`,
    [count, state, code, Date.now()],
  );
}

it("wait for company, fill lists of 512, and are numbered", async () => {
  await makeDue(600);
  const patient = new ReceiptSigning(world.context, () => undefined, 60_000);
  const full = await patient.next(Date.now());
  expect(receiptsOf(full ?? new Uint8Array())).toHaveLength(512);
  await commit(full);
  // The rest waits, for a while.
  expect(await patient.next(Date.now())).toBeUndefined();
  const rest = await patient.next(Date.now() + 60_001);
  expect(decodeSignedReceipts(sign(rest ?? new Uint8Array())).fields).toMatchObject({ number: 2 });
  expect((await readReceiptStatus(world.context)).owed).toMatchObject([
    { lane: "inbound", due: 0, unsignedLists: 1, listsToExport: 1 },
  ]);
});

it("fit their list whatever codes they bring; a code of nobody's is left out", async () => {
  await makeDue(1, "no code of ours", "failed");
  await makeDue(1, "policy.content-not-desensitised", "quarantined");
  const list = await signing.next(Date.now());
  expect(receiptsOf(list ?? new Uint8Array()).map(([, state, code]) => [state, code])).toEqual([
    ["failed", ""],
    ["quarantined", "policy.content-not-desensitised"],
  ]);
});

it("stand in one list over a crash at any write, and are signed in the end", async () => {
  await makeDue(3);
  for (let writes = 0; ; writes += 1) {
    world.writesLeft = writes;
    const done = await signing
      .next(Date.now())
      .then(
        (list) => commit(list).then(() => true),
        () => false,
      )
      .catch(() => false);
    world.writesLeft = Number.POSITIVE_INFINITY;
    if (done) break;
    expect(writes).toBeLessThan(50);
    const { rows } = await world.pool.query(
      "SELECT (SELECT count(*) FROM receipt_due) AS due, (SELECT coalesce(sum(receipts), 0) FROM receipt_list) AS listed",
    );
    expect(Number(rows[0].due) + Number(rows[0].listed)).toBe(3);
    // As after a restart.
    signing = newSigning();
  }
  const { file, lists, receipts } = await exportReceipts(world.context, EXPORT);
  expect({ lists: lists.length, receipts }).toEqual({ lists: 1, receipts: 3 });
  expect(decodeReceiptFile(file)).toHaveLength(1);
});

it("are dated anew while nobody signs, and what was signed of the old date counts no more", async () => {
  await makeDue(1);
  const first = (await signing.next(Date.now())) ?? new Uint8Array();
  const stale = sign(first);
  const again = (await signing.next(Date.now() + 120_000)) ?? new Uint8Array();
  expect(Buffer.compare(first, again)).not.toBe(0);
  expect(receiptsOf(again)).toEqual(receiptsOf(first));
  await signing.commit({ signed: stale } as Parameters<ReceiptSigning["commit"]>[0]);
  expect((await exportReceipts(world.context, EXPORT)).lists).toEqual([]);
  await commit(again);
  expect((await exportReceipts(world.context, EXPORT)).lists).toEqual([
    { lane: "inbound", number: 1 },
  ]);
});

it("do not wait behind a list of a lane that is registered no more", async () => {
  await world.pool.query(
    `INSERT INTO receipt_list (lane, number, created_ms, receipts, list) VALUES ('a-lane', 1, 1, 1, 'x')`,
  );
  await makeDue(1);
  await commit(await signing.next(Date.now()));
  expect((await exportReceipts(world.context, EXPORT)).lists).toEqual([
    { lane: "inbound", number: 1 },
  ]);
});

it("are exported until somebody says that the file is durable, and again by wish", async () => {
  await makeDue(1);
  await commit(await signing.next(Date.now()));
  const first = await exportReceipts(world.context, EXPORT);
  // The command was killed: nothing is lost.
  const second = await exportReceipts(world.context, EXPORT);
  expect(second.file).toEqual(first.file);
  await confirmExport(world.context, second.lists, provider.sm3(second.file), "operator");
  expect((await exportReceipts(world.context, EXPORT)).lists).toEqual([]);
  const again = await exportReceipts(world.context, { ...EXPORT, again: true, number: 1 });
  expect(again.file).toEqual(first.file);
  await expect(exportReceipts(world.context, { ...EXPORT, lane: "x" })).rejects.toMatchObject({
    code: "receipt.foreign-lane",
  });
  await expect.poll(() => world.events.map(({ type }) => type)).toContain("receipts.exported");
});

it("are signed by seal for its own node and lane alone, and stored with no other signature", async () => {
  await makeDue(1);
  const list = (await signing.next(Date.now())) ?? new Uint8Array();
  for (const change of [{ node: "node-other" }, { zone: "extranet" }]) {
    expect(() => signReceipts(sealTools(change), list)).toThrow("receipt.foreign-lane");
  }
  const late = { ...sealTools(), now: () => Date.now() + 3_600_000 };
  expect(() => signReceipts(late, list)).toThrow("receipt.foreign-lane");
  const forged = Buffer.from(sign(list));
  const at = forged.indexOf(
    Buffer.from(formatKeyId(world.keys.trust.pki.key("node-business", "sign").publicKey)),
  );
  forged[at + 40] = (forged[at + 40] ?? 0) ^ 1;
  await expect(
    signing.commit({ signed: forged } as Parameters<ReceiptSigning["commit"]>[0]),
  ).rejects.toMatchObject({ code: "receipt.signature-invalid" });
  expect((await exportReceipts(world.context, EXPORT)).lists).toEqual([]);
});

/** The zone's registry with a way back. */
function withReturn(state: string, change: object = {}): FrontProxyContext {
  const maxima = { maxRequestBytes: 1e6, maxFileBytes: 1 };
  const back = laneEntry("return", "business", "extranet", state, maxima);
  const service = { id: "receipts", zone: "extranet", kind: "receipt", methods: [], paths: [] };
  return registered(world.context, ({ lanes, services, callers }) => ({
    lanes: [...lanes, { ...back, kinds: ["receipt"] }],
    services: [...services, { ...service, maxBytes: 1e6 }],
    callers: [...callers, callerEntry("node-business", "business")],
    grants: [
      {
        ...{ id: "receipts", caller: "node-business", service: "receipts", lane: "return" },
        ...{ gradeCeiling: "G1", purpose: "receipts", notBeforeMs: 0, notAfterMs: 4e12 },
        ...{ perDay: 1e6, bytesPerDay: 1e12, ...change },
      },
    ],
  }));
}

it("leave by a lane back, each list once, also when the note of it was lost", async () => {
  await makeDue(1);
  await commit(await signing.next(Date.now()));
  const context = withReturn("media");
  const seen = new Map<string, RequestSubmission>();
  const id = newId();
  let cut = true;
  const handover = {
    // As the submitter, which is one object with what it needs.
    calls: 0,
    async submit(submission: RequestSubmission) {
      this.calls += 1;
      const key = Buffer.from(submission.idempotency?.keyDigest ?? []).toString("hex");
      const repeated = seen.has(key);
      seen.set(key, submission);
      if (cut) {
        // Committed over there, and killed before it was noted here.
        cut = false;
        throw new RangeError("killed");
      }
      return { exchangeId: id, state: "permitted", repeated };
    },
  };
  await expect(carryReceipts(context, handover)).rejects.toThrow("killed");
  expect(await carryReceipts(context, handover)).toBe(false);
  expect(await carryReceipts(context, handover)).toBe(false);
  expect({ kept: seen.size, calls: handover.calls }).toEqual({ kept: 1, calls: 2 });
  const [submission] = [...seen.values()];
  expect(submission).toMatchObject({
    ...{ caller: "node-business", lane: "return", service: "receipts", grade: "G1" },
    orderingKey: "",
  });
  expect(submission?.http).toBeUndefined();
  expect(decodeReceiptFile(submission?.content ?? new Uint8Array())).toHaveLength(1);
  // On its way by the lane: nothing to export; stopped on it, the file is the way.
  expect((await exportReceipts(context, EXPORT)).lists).toEqual([]);
  await world.pool.query(
    `INSERT INTO exchange (id, kind, state, caller, lane, service, grade, priority, client_address,
       size, submitted_ms, updated_ms, expires_ms, timeline)
     VALUES ($1, 'receipt', 'refused', 'node-business', 'return', 'receipts', 'G1', 'normal', '',
       1, 1, 1, 1, '[]')`,
    [formatId(id)],
  );
  expect((await exportReceipts(context, EXPORT)).lists).toHaveLength(1);
  expect((await readReceiptStatus(context)).owed).toMatchObject([
    { lane: "inbound", returnsBy: "return", listsToExport: 1 },
  ]);
});

it("find their way back in the registry alone", () => {
  const route = (context: FrontProxyContext) =>
    receiptRoute(context.registry(), "node-business", "business", "extranet", Date.now());
  expect(route(world.context)).toBeUndefined();
  for (const state of ["open", "media"]) {
    expect(route(withReturn(state))).toEqual({ lane: "return", service: "receipts" });
  }
  expect(route(withReturn("closed"))).toBeUndefined();
  expect(route(withReturn("open", { caller: "desk" }))).toBeUndefined();
  expect(route(withReturn("open", { notAfterMs: 1 }))).toBeUndefined();
  expect(route(withReturn("open", { lane: "inbound" }))).toBeUndefined();
});
