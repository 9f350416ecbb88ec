import { appendFile, copyFile, readdir, rename, rm, truncate } from "node:fs/promises";
import { join } from "node:path";
import { newId } from "@lightferry/proto/ids";
import { beforeEach, expect, test } from "vitest";
import { inboxName } from "../src/ingress/inbox/files.ts";
import { DAY_MS } from "./support/ingress-keys.ts";
import { flipBit } from "./support/ingress-seal.ts";
import { receivingZone, registrationAt, target, world } from "./support/receiving.ts";

const one = [{ content: Buffer.from("x") }];

receivingZone();
beforeEach(() => world.start(registrationAt(target)));

/** Waits until the log has as many events of the type, with these codes. */
async function expectCodes(type: string, ...codes: string[]): Promise<void> {
  await expect
    .poll(() => world.events.filter((event) => event.type === type).map(({ code }) => code))
    .toEqual(codes);
}

async function quarantinedFiles(): Promise<string[]> {
  return readdir(join(world.dirs.inbox, "quarantine"));
}

test("the same bundle again is a duplicate: counted, journalled, delivered once", async () => {
  const bundle = await world.seal(one);
  const copy = `${bundle.path}.copy.lfb`;
  await copyFile(bundle.path, copy);
  expect((await world.deliver(bundle.request)).status).toBe("accepted");
  // The answer was lost: the ferry announces the file that is no longer there.
  expect((await world.deliver(bundle.request)).status).toBe("accepted");
  await rename(copy, bundle.path);
  expect((await world.deliver(bundle.request)).status).toBe("duplicate");
  await world.until(bundle.exchangeIds[0] ?? newId(), "delivered");
  expect(target.calls).toHaveLength(1);
  await expectCodes("bundle.duplicate", "bundle.duplicate");
  const { rows } = await world.pool.query("SELECT duplicates FROM ingress_stream");
  expect(rows).toEqual([{ duplicates: 1 }]);
  expect(await readdir(world.dirs.arrivals)).toEqual([]);
});

test("two bundles with one sequence number quarantine the stream; its next bundle waits", async () => {
  const first = await world.seal(one);
  const second = await world.seal(one);
  const third = await world.seal(one, { sequence: 2 });
  const other = await world.seal(one, { stream: "inbound/node-extranet/bulk" });
  expect((await world.deliver(first.request)).status).toBe("accepted");
  expect(await world.deliver(second.request)).toEqual({
    status: "quarantined",
    code: "bundle.sequence-conflict",
  });
  expect(await world.deliver(third.request)).toEqual({
    status: "quarantined",
    code: "bundle.stream-quarantined",
  });
  expect((await world.deliver(other.request)).status).toBe("accepted");
  // Asked again after a lost answer: the same answer.
  expect(await world.deliver(second.request)).toMatchObject({ code: "bundle.sequence-conflict" });
  expect(await quarantinedFiles()).toHaveLength(2);
  await expectCodes("bundle.refused", "bundle.sequence-conflict", "bundle.stream-quarantined");
});

test("bundles are taken in any order of arrival, each once", async () => {
  const bundles = [];
  for (const sequence of [4, 2, 5, 1, 3]) bundles.push(await world.seal(one, { sequence }));
  for (const { request } of bundles) {
    expect((await world.deliver(request)).status).toBe("accepted");
  }
  for (const { exchangeIds } of bundles) await world.until(exchangeIds[0] ?? newId(), "delivered");
  const { rows } = await world.pool.query("SELECT low_water, highest FROM ingress_stream");
  expect(rows).toEqual([{ low_water: 5, highest: 5 }]);
  const missing = () =>
    world.events
      .filter(({ type }) => type === "bundle.arrived")
      .map(({ attributes }) => attributes.find(({ name }) => name === "missing")?.value);
  await expect.poll(missing).toEqual(["3", "2", "2", "1", undefined]);
});

test.each([
  ["another recipient", "bundle.wrong-recipient", {}],
  ["expired", "bundle.expired", { createdMs: Date.now() - DAY_MS, expiresMs: Date.now() - 1_000 }],
])("a bundle that is for %s is refused and kept", async (name, code, change) => {
  const bundle = await world.seal(
    [
      {
        content: Buffer.from("x"),
        verdict:
          name === "expired"
            ? { decidedMs: Date.now() - DAY_MS - 1_000 }
            : { recipients: ["node-other"] },
      },
    ],
    name === "expired"
      ? change
      : {
          recipients: [
            {
              nodeId: "node-other",
              keyId: "0".repeat(32),
              publicKey: world.context.shell.provider.generateSm2().publicKey,
            },
          ],
        },
  );
  expect(await world.deliver(bundle.request)).toEqual({ status: "quarantined", code });
  await expectCodes("bundle.refused", code);
  expect(await quarantinedFiles()).toHaveLength(1);
  expect(await readdir(world.dirs.arrivals)).toEqual([]);
});

test("a bundle that outlasts a verdict in it is refused: its dates are the sealer's word", async () => {
  const past = (days: number) => Date.now() - days * DAY_MS;
  const bundle = await world.seal(
    [
      { content: Buffer.from("x"), verdict: { decidedMs: past(3) } },
      { content: Buffer.from("y"), verdict: { decidedMs: past(3), expiresMs: past(1) } },
    ],
    { createdMs: past(2), expiresMs: past(-3) },
  );
  expect(await world.deliver(bundle.request)).toEqual({
    status: "quarantined",
    code: "verdict.expired",
  });
});

test("a bundle that would live longer than its lane allows is refused", async () => {
  const seconds = world.context.registry().lane("inbound")?.expirySeconds ?? 0;
  const createdMs = Date.now();
  const sealed = async (beyondMs: number) => {
    const expiresMs = createdMs + seconds * 1_000 + beyondMs;
    const items = [{ content: Buffer.from("x"), verdict: { expiresMs } }];
    return world.deliver((await world.seal(items, { createdMs, expiresMs })).request);
  };
  expect(await sealed(5 * 60_000 + 1)).toEqual({
    status: "quarantined",
    code: "bundle.lifetime-too-long",
  });
  expect(await sealed(5 * 60_000)).toMatchObject({ status: "accepted" });
});

test("a bundle from the future is held where it is until the clocks agree", async () => {
  const bundle = await world.seal(one, { createdMs: Date.now() + 10 * 60_000 });
  await expect(world.deliver(bundle.request)).rejects.toMatchObject({ code: "bundle.from-future" });
  expect(await quarantinedFiles()).toEqual([]);
  expect(await readdir(world.dirs.arrivals)).toHaveLength(1);
});

test("expiry is judged by the sender's clock, as the ferry tells it, and within a day and two hours of our own", async () => {
  const day = { createdMs: Date.now() - DAY_MS, expiresMs: Date.now() - DAY_MS + 3_600_000 };
  const deliver = async (nowMs: number, change: Partial<typeof day> = {}, told: object = {}) => {
    const dates = { ...day, ...change };
    const verdict = { decidedMs: dates.createdMs - 1_000 };
    const { request } = await world.seal([{ content: Buffer.from("x"), verdict }], dates);
    const senderTime = { nowMs, latestMs: nowMs, ageMs: 1_000, ...told };
    return world.deliver({ ...request, senderTime });
  };
  // Our clock is a day ahead of the sender's: by ours it expired long ago.
  expect(await deliver(day.createdMs + 60_000)).toMatchObject({ status: "accepted" });
  const expired = { status: "quarantined", code: "bundle.expired" };
  expect(await deliver(day.expiresMs)).toMatchObject(expired);
  // Heartbeats that were held back, or forged, gain 26 hours at most, and none that is old gains any.
  const old = { createdMs: Date.now() - 28 * 3_600_000, expiresMs: Date.now() - 27 * 3_600_000 };
  expect(await deliver(old.createdMs + 60_000, old)).toMatchObject(expired);
  const stale = { ageMs: DAY_MS + 1 };
  expect(await deliver(day.createdMs + 60_000, {}, stale)).toMatchObject(expired);
});

test("what the sender sealed before its clock was set back is not from the future", async () => {
  const ahead = Date.now() + 2 * 3_600_000;
  const { request } = await world.seal(one, { createdMs: ahead });
  const senderTime = { nowMs: Date.now(), latestMs: Date.now(), ageMs: 0 };
  await expect(world.deliver({ ...request, senderTime })).rejects.toMatchObject({
    code: "bundle.from-future",
  });
  const told = { ...senderTime, latestMs: ahead };
  expect(await world.deliver({ ...request, senderTime: told })).toEqual({ status: "accepted" });
});

test("a flipped bit, a cut and an added byte are each refused, whatever their place", async () => {
  const codes = [];
  for (const spoil of [
    (path: string) => flipBit(path, 0),
    (path: string) => flipBit(path, 60),
    (path: string) => flipBit(path, -1),
    (path: string) => truncate(path, 300),
    (path: string) => appendFile(path, "x"),
  ]) {
    const bundle = await world.seal(one);
    await spoil(bundle.path);
    const answer = await world.deliver(bundle.request);
    codes.push(answer.status === "quarantined" ? answer.code : answer.status);
  }
  expect(codes[0]).toBe("bundle.not-a-bundle");
  expect(codes.slice(1)).not.toContain("accepted");
  expect(codes[2]).toBe("bundle.chunk-digest");
  expect(codes[3]).toBe("bundle.truncated");
  expect(codes[4]).toBe("bundle.trailing-bytes");
  expect(await quarantinedFiles()).toHaveLength(5);
  // None of them used up the number.
  const good = await world.seal(one);
  expect((await world.deliver(good.request)).status).toBe("accepted");
});

test("a verdict is good for one use, also across bundles and restarts", async () => {
  const verdictId = newId();
  const first = await world.seal([{ content: Buffer.from("x"), verdict: { verdictId } }]);
  const second = await world.seal([{ content: Buffer.from("y"), verdict: { verdictId } }], {
    sequence: 2,
  });
  expect((await world.deliver(first.request)).status).toBe("accepted");
  await world.restart(registrationAt(target));
  expect(await world.deliver(second.request)).toEqual({
    status: "quarantined",
    code: "verdict.reused",
  });
});

test("an exchange that arrived before is not delivered again; the others of its bundle are", async () => {
  const exchangeId = newId();
  const again = { content: Buffer.from("x"), entry: { exchangeId } };
  const first = await world.seal([again]);
  await world.deliver(first.request);
  await world.until(exchangeId, "delivered");
  const second = await world.seal([again, { content: Buffer.from("y") }], { sequence: 2 });
  expect((await world.deliver(second.request)).status).toBe("accepted");
  await world.until(second.exchangeIds[1] ?? newId(), "delivered");
  expect(target.calls).toHaveLength(2);
  await expectCodes("exchange.quarantined", "exchange.replayed");
});

test("a second bundle under a known bundle id is refused and overwrites nothing", async () => {
  world.policyDown = true;
  const first = await world.seal(one);
  await world.deliver(first.request);
  const forged = await world.seal(one, {
    bundleId: first.request.bundleId ?? newId(),
    sequence: 2,
  });
  expect(await world.deliver(forged.request)).toMatchObject({ code: "bundle.id-conflict" });
  world.policyDown = false;
  await world.until(first.exchangeIds[0] ?? newId(), "delivered");
});

test("names that are not one plain segment, and announcements of another bundle, are refused", async () => {
  const bundle = await world.seal(one);
  for (const file of ["../secret.lfb", "a/b.lfb", "", ".hidden", "x".repeat(300)]) {
    await expect(world.deliver({ ...bundle.request, file })).rejects.toMatchObject({
      code: "inbox.file-name-invalid",
    });
  }
  await expect(
    world.deliver({ ...bundle.request, bundleId: Buffer.alloc(3) }),
  ).rejects.toMatchObject({ code: "rpc.bad-message" });
  await expect(world.deliver({ ...bundle.request, lane: "x".repeat(65) })).rejects.toMatchObject({
    code: "rpc.bad-message",
  });
  await expect(
    world.deliver({ ...bundle.request, bundleId: newId(), file: "unknown.lfb" }),
  ).rejects.toMatchObject({ code: "inbox.file-missing" });
  expect(await world.deliver({ ...bundle.request, headerDigest: Buffer.alloc(32) })).toMatchObject({
    code: "bundle.header-invalid",
  });
});

test("database down during Deliver: an error to the ferry, nothing lost, nothing twice", async () => {
  const bundle = await world.seal(one);
  // The commit is the moment that hurts: the file has been moved, the row is not there.
  await world.pool.query(`
    CREATE FUNCTION fail_at_commit() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'going down' USING ERRCODE = '57P01'; END $$;
    CREATE CONSTRAINT TRIGGER fail_at_commit AFTER INSERT ON inbox_bundle
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fail_at_commit()`);
  await expect(world.deliver(bundle.request)).rejects.toMatchObject({
    code: "database.unavailable",
  });
  expect(await readdir(world.dirs.arrivals)).toEqual([]);
  await world.pool.query("DROP TRIGGER fail_at_commit ON inbox_bundle");
  expect((await world.deliver(bundle.request)).status).toBe("accepted");
  await world.until(bundle.exchangeIds[0] ?? newId(), "delivered");
  expect(target.calls).toHaveLength(1);
});

test("a bundle that lies in the inbox without a row is judged at the next start", async () => {
  const bundle = await world.seal(one);
  const { bundleId, headerDigest } = bundle.request;
  const name = inboxName(bundleId ?? newId(), headerDigest ?? newId());
  await world.ingress().stop();
  await rename(bundle.path, join(world.dirs.inbox, name));
  await world.start(registrationAt(target));
  await world.until(bundle.exchangeIds[0] ?? newId(), "delivered");
  // The ferry never got its answer and asks.
  expect((await world.deliver(bundle.request)).status).toBe("accepted");
});

test("an accepted bundle whose file is gone raises an alarm and stops nothing", async () => {
  world.policyDown = true;
  const bundle = await world.seal(one);
  await world.deliver(bundle.request);
  await world.ingress().stop();
  const [file = ""] = (await readdir(world.dirs.inbox)).filter((name) => name.endsWith(".lfb"));
  await rm(join(world.dirs.inbox, file));
  world.policyDown = false;
  await world.start(registrationAt(target));
  await expectCodes("bundle.refused", "inbox.file-lost");
  const next = await world.seal(one, { sequence: 2 });
  await world.deliver(next.request);
  await world.until(next.exchangeIds[0] ?? newId(), "delivered");
});

test("tampering after acceptance quarantines the bundle with the reason, or only the item it hit", async () => {
  world.policyDown = true;
  const big = Buffer.alloc(600_000, 1);
  const bundle = await world.seal([{ content: Buffer.from("first") }, { content: big }]);
  await world.deliver(bundle.request);
  const [file = ""] = (await readdir(world.dirs.inbox)).filter((name) => name.endsWith(".lfb"));
  await world.ingress().stop();
  await flipBit(join(world.dirs.inbox, file), -1);
  world.policyDown = false;
  await world.start(registrationAt(target));
  const [first = newId(), second = newId()] = bundle.exchangeIds;
  await world.until(first, "delivered");
  await world.until(second, "quarantined");
  expect((await world.ingress().findDelivery(second))?.refusal?.code).toBe("bundle.chunk-digest");
  expect(target.calls).toHaveLength(1);
});

test("only what receives may deliver: the ferry, and the import of media", () => {
  const [binding] = world.ingress().bindings;
  expect(binding?.allow).toEqual({
    deliver: ["ferry-rx", "media-rx"],
    openLinkKey: ["ferry-rx"],
  });
});
