/**
 * Guarantee: the receiving side is stopped dead after its first write, after its
 * second, and so on until it survives, and each time started again on what it left.
 */
import { readdir } from "node:fs/promises";
import { formatId, newId } from "@lightferry/proto/ids";
import { expect } from "vitest";
import { bothServices, target, world } from "./receiving.ts";

/** More than the statements and records of one bundle from arrival to outcome. */
const MOST_WRITES = 60;

/** @param stride 1 = after every single write; more = after every many. */
export async function crashDrill(idempotency: boolean, stride: number): Promise<void> {
  const targets = bothServices({ idempotency });
  await world.start(targets);
  const states = new Map<string, number>();
  let sequence = 0;
  let survived = false;
  for (let writes = 1; !survived && writes <= MOST_WRITES; writes += stride) {
    sequence += 1;
    const bundle = await world.seal(
      [
        { content: Buffer.from("x") },
        {
          content: Buffer.alloc(1_100_000, sequence),
          entry: { kind: "file", service: "maps", file: { name: "a.bin" } },
        },
      ],
      { sequence },
    );
    const [request = newId(), file = newId()] = bundle.exchangeIds;
    world.writesLeft = writes;
    let answered = false;
    try {
      answered = (await world.deliver(bundle.request)).status === "accepted";
      const ended = Promise.all([settled(request), settled(file)]);
      await Promise.race([ended, died()]);
    } catch {
      // The ferry sees an error and will ask again.
    }
    survived = world.writesLeft > 0;
    await world.ingress().stop();
    world.writesLeft = Number.POSITIVE_INFINITY;
    await world.start(targets);
    if (!answered) expect((await world.deliver(bundle.request)).status).toBe("accepted");
    await world.until(file, "delivered");
    await world.until(request, "delivered", "in-doubt");
    const state = (await world.ingress().findDelivery(request))?.state ?? "";
    states.set(state, (states.get(state) ?? 0) + 1);
    const key = formatId(request);
    const calls = target.calls.filter(({ headers }) => headers["idempotency-key"] === key).length;
    if (idempotency) expect(state).toBe("delivered");
    else expect(calls).toBeLessThanOrEqual(1);
    if (state === "delivered") expect(calls).toBeGreaterThanOrEqual(1);
  }
  expect(survived).toBe(true);
  expect(sequence * stride).toBeGreaterThan(15);
  if (!idempotency && stride === 1) expect(states.get("in-doubt")).toBeGreaterThan(0);
  // Every file is there exactly once, and nothing is left lying about.
  await expect.poll(() => readdir(world.dirs.drop)).toHaveLength(sequence);
  await expect.poll(() => readdir(`${world.dirs.inbox}/staging`)).toEqual([]);
  // Every step of every exchange is in the log.
  for (const type of ["exchange.arrived", "exchange.dispatching", "exchange.delivered"]) {
    const seen = () =>
      new Set(
        world.events
          .filter((event) => event.type === type)
          .map((event) => formatId(event.exchangeId)),
      ).size;
    const least = sequence * 2 - (idempotency ? 0 : (states.get("in-doubt") ?? 0));
    await expect.poll(seen).toBeGreaterThanOrEqual(least);
  }
}

/** Asks the real pool: the world's own may be dead. */
async function settled(exchangeId: Uint8Array): Promise<void> {
  for (;;) {
    const { rows } = await world.pool.query(
      "SELECT 1 FROM delivery WHERE exchange_id = $1 AND state IN ('delivered', 'in-doubt')",
      [exchangeId],
    );
    if (rows.length > 0 || world.writesLeft <= 0) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function died(): Promise<void> {
  while (world.writesLeft > 0) await new Promise((resolve) => setTimeout(resolve, 5));
}
