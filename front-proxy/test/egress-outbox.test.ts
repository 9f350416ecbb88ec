/** From sealed to emitted: the outbox that the ferry takes bundles from, and how long anything is kept in it. */
import { readdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { lightferry } from "@lightferry/proto/gen";
import { formatId, newId, parseId } from "@lightferry/proto/ids";
import type { CallContext } from "@lightferry/proto/rpc";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import type { FrontProxyContext } from "../src/context.ts";
import { OutboxDesk } from "../src/egress/outbox-service.ts";
import { sweepOnce } from "../src/egress/sweep.ts";
import { roomFor } from "./support/lease-room.ts";
import { accepted, sendingZone, world } from "./support/sending.ts";

sendingZone();
beforeAll(async () => {
  await world.sealer();
});
afterEach(async () => {
  await world.pool.query("DELETE FROM exchange");
  await world.pool.query("UPDATE seal_stream SET lease_id = NULL");
});

describe("the outbox", () => {
  const leaseBundles = (worker: string, waitMs = 5_000) =>
    world.running.outbox.lease({ lane: "inbound", worker, waitMs, ...roomFor(1) });
  const states = async () =>
    (await world.pool.query("SELECT state FROM outbox_bundle")).rows.map(({ state }) => state);
  const clear = () => world.pool.query("DELETE FROM outbox_bundle");

  it("gives a bundle again when its lease has run out, or to the same ferry restarted", async () => {
    await clear();
    await world.until(await accepted(), "queued");
    const [first] = (await leaseBundles("ferry@a/1")).bundles;
    expect((await leaseBundles("ferry@b/1", 0)).bundles).toEqual([]);
    const [again] = (await leaseBundles("ferry@a/2")).bundles;
    expect(again?.bundleId).toEqual(first?.bundleId);
    await world.pool.query("UPDATE outbox_bundle SET lease_expires_ms = 1");
    const [other] = (await leaseBundles("ferry@c/1")).bundles;
    expect(other?.bundleId).toEqual(first?.bundleId);
    await expect(
      world.running.outbox.ack({
        bundleId: first?.bundleId ?? null,
        leaseId: first?.leaseId ?? null,
        passesDone: 1,
      }),
    ).rejects.toMatchObject({ code: "outbox.lease-lost" });
  });

  it("keeps what a ferry renews from others, and tells it what is another's by now", async () => {
    await clear();
    await world.until(await accepted(), "queued");
    const [bundle] = (await leaseBundles("node/0/ferry-tx")).bundles;
    const leaseId = bundle?.leaseId ?? "";
    const nearlyOver = `UPDATE outbox_bundle SET lease_expires_ms = ${Date.now() - 1}`;
    await world.pool.query(nearlyOver);
    // It has no room for it: the bundle waits, and stays whose it was.
    const looking = { lane: "inbound", worker: "node/2/ferry-tx", waitMs: 0 };
    const { bulk } = roomFor(1);
    expect((await world.running.outbox.lease({ ...looking, bulk })).bundles).toEqual([]);
    expect(await states()).toEqual(["waiting"]);
    const renew = (leaseIds: string[]) => world.running.outbox.renew({ lane: "inbound", leaseIds });
    expect((await renew([leaseId])).lost).toEqual([]);
    expect(await states()).toEqual(["leased"]);
    expect((await leaseBundles("node/1/ferry-tx", 0)).bundles).toEqual([]);
    // A ferry of another number is no later start of this one, and its own name again neither.
    expect((await leaseBundles("node/0/ferry-tx", 0)).bundles).toEqual([]);
    await world.pool.query(nearlyOver);
    expect((await leaseBundles("node/3/ferry-tx")).bundles).toHaveLength(1);
    const strangers = [leaseId, "no lease", "00000000-0000-0000-0000-000000000000"];
    expect((await renew(strangers)).lost).toEqual(strangers);
    expect((await world.running.outbox.renew({ lane: "other", leaseIds: [] })).lost).toEqual([]);
  });

  it.each([
    ["open", false, true],
    ["open", true, true],
    ["media", false, false],
    ["media", true, true],
    ["closed", false, false],
    ["closed", true, false],
  ])("of a lane that is %s, for a medium %s: given %s", async (state, medium, given) => {
    await clear();
    await world.until(await accepted(), "queued");
    const { context, egress } = world.running;
    const entry = context.registry().lane("inbound");
    const registry = () => ({ lane: () => ({ ...entry, state }) });
    const desk = new OutboxDesk(
      { ...context, registry } as unknown as FrontProxyContext,
      egress.sweep.outbox,
      egress.sweep.stores.spool,
    );
    const signal = new AbortController().signal;
    const answer = desk.lease(
      new lightferry.ferry.v1.LeaseRequest({
        lane: "inbound",
        worker: "a/1",
        medium,
        ...roomFor(1),
      }),
      { signal, closing: signal } as CallContext,
    );
    if (given) expect((await answer).bundles).toHaveLength(1);
    else await expect(answer).rejects.toMatchObject({ code: "outbox.lane-offline" });
  });

  it("stops the exchanges of a bundle that the ferry refuses", async () => {
    await clear();
    const id = await accepted();
    await world.until(id, "queued");
    const [bundle] = (await leaseBundles("ferry@a/1")).bundles;
    await world.running.outbox.ack({
      bundleId: bundle?.bundleId ?? null,
      leaseId: bundle?.leaseId ?? null,
      refuseCode: "bundle.signature-invalid",
    });
    expect(await world.until(id, "failed")).toMatchObject({ code: "bundle.signature-invalid" });
    await expect
      .poll(() => world.peers.events.some((event) => event.type === "bundle.refused"))
      .toBe(true);
    expect(await world.running.egress.desk.retry(parseId(id), "operator")).toBe("received");
    await world.until(id, "queued");
  });

  it("decides and seals anew what expired on its way", async () => {
    await clear();
    const id = await accepted();
    const before = await world.until(id, "queued");
    const [bundle] = (await leaseBundles("ferry@a/1")).bundles;
    await world.running.outbox.ack({
      bundleId: bundle?.bundleId ?? null,
      leaseId: bundle?.leaseId ?? null,
      refuseCode: "bundle.expired",
    });
    await sweepOnce(world.running.context, world.running.egress.sweep);
    const after = await world.until(id, "queued");
    expect(after.bundle_id).not.toBe(before.bundle_id);
    expect((after.timeline as [number, string][]).map(([, state]) => state)).toEqual([
      ...["received", "permitted", "sealed", "queued"],
      ...["expired", "received", "permitted", "sealed", "queued"],
    ]);
  });

  it("keeps files until retention is over, and drops what no row names at start", async () => {
    await clear();
    const id = await accepted();
    await world.until(id, "queued");
    const [bundle] = (await leaseBundles("ferry@a/1")).bundles;
    const ack = { bundleId: bundle?.bundleId ?? null, leaseId: bundle?.leaseId ?? null };
    await world.running.outbox.ack({ ...ack, passesDone: 2, finished: true });
    const files = () => readdir(join(world.dir, "outbox"));
    await sweepOnce(world.running.context, world.running.egress.sweep);
    expect(await files()).toContain(bundle?.file);
    await world.pool.query("UPDATE outbox_bundle SET finished_ms = 1");
    await sweepOnce(world.running.context, world.running.egress.sweep);
    expect(await files()).not.toContain(bundle?.file);

    const orphan = `${formatId(newId())}.lfb`;
    await writeFile(join(world.dir, "outbox", orphan), "sealed, never committed");
    const { outbox } = world.running.egress.sweep;
    await outbox.removeOrphans(3_600_000);
    expect(await files()).toContain(orphan);
    await utimes(join(world.dir, "outbox", orphan), 1, 1);
    await outbox.removeOrphans(3_600_000);
    expect(await files()).not.toContain(orphan);
  });

  it("keeps what failed for a while, so that a person may retry it; then its content goes", async () => {
    const id = await accepted();
    await world.pool.query("UPDATE exchange SET state = 'failed', updated_ms = 1 WHERE id = $1", [
      id,
    ]);
    await sweepOnce(world.running.context, world.running.egress.sweep);
    expect(await world.until(id, "failed")).toMatchObject({ wrapped_key: null, material: null });
  });

  it("names the person who cancelled or retried", async () => {
    const id = await accepted();
    await world.until(id, "queued");
    await world.pool.query("UPDATE exchange SET state = 'failed' WHERE id = $1", [id]);
    await world.running.egress.desk.retry(parseId(id), "officer-wang");
    await expect
      .poll(
        () =>
          world.peers.events.find(
            (event) => event.type === "exchange.retried" && event.actor === "officer-wang",
          )?.attributes,
      )
      .toMatchObject([{ name: "caller", value: "city" }, { name: "reason" }]);
    await expect(
      world.running.egress.desk.cancel(newId(), "", "officer-wang"),
    ).rejects.toMatchObject({ code: "exchange.not-found" });
  });
});
