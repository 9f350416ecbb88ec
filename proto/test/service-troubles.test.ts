import { expect, it } from "vitest";
import { GatewayError } from "../src/errors/index.ts";
import { type TroubleEvent, Troubles } from "../src/service/index.ts";

const full = () => new GatewayError("spool.disk-full", { detail: "ENOSPC" });

function troubles(record?: () => Promise<void>) {
  const events: TroubleEvent[] = [];
  const unheard: unknown[] = [];
  const sink = {
    record:
      record ??
      (async (told: TroubleEvent[]) => {
        events.push(...told);
      }),
  };
  return { of: new Troubles(sink, (error) => unheard.push(error)), events, unheard };
}

it("tells a condition once when it begins and once when it is over", async () => {
  const { of, events } = troubles();
  await of.over("opening");
  for (let times = 0; times < 5; times += 1) await of.met("opening", full());
  await of.over("opening");
  await of.over("opening");
  await of.met("opening", full());
  expect(events.map(({ type, code }) => [type, code])).toEqual([
    ["service.impaired", "spool.disk-full"],
    ["service.restored", undefined],
    ["service.impaired", "spool.disk-full"],
  ]);
  expect(events[0]?.attributes).toEqual({ work: "opening", detail: "ENOSPC" });
  expect(events[1]?.attributes).toMatchObject({ work: "opening", after: "spool.disk-full" });
});

it("keeps bundles apart, and tells a new reason", async () => {
  const { of, events } = troubles();
  const one = { bundleId: Uint8Array.of(1), lane: "inbound" };
  const two = { bundleId: Uint8Array.of(2), lane: "inbound" };
  await of.met("storing", full(), one);
  await of.met("storing", full(), two);
  await of.met("storing", new GatewayError("database.unavailable"), one);
  await of.over("storing", two);
  expect(events.map(({ bundleId, code }) => [bundleId?.[0], code])).toEqual([
    [1, "spool.disk-full"],
    [2, "spool.disk-full"],
    [1, "database.unavailable"],
    [2, undefined],
  ]);
});

it("says nothing of peers that restart, and never throws", async () => {
  const quiet = troubles();
  await quiet.of.met("sealing", new GatewayError("rpc.unavailable"));
  expect(quiet.events).toEqual([]);
  const deaf = troubles(async () => {
    throw new GatewayError("journal.full");
  });
  await deaf.of.met("sealing", full());
  expect(deaf.unheard).toMatchObject([{ code: "journal.full" }]);
});
