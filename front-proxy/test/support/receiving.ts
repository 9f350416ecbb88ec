/**
 * Guarantee: tests of the receiving side have a zone and a target of their own, new at each test or one a file,
 * name the target the same way and hand a bundle over the same way.
 */
import { newId } from "@lightferry/proto/ids";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import type { DropTarget, HttpTarget } from "../../src/config.ts";
import { type HttpTargetServer, httpTarget } from "./http-target.ts";
import type { Delivered } from "./ingress-seal.ts";
import { createWorld, type World } from "./ingress-world.ts";

export let world: World;
export let target: HttpTargetServer;

/** Registers the hooks; a test file calls it once, before hooks of its own that need the zone. */
export function receivingZone(): void {
  beforeEach(begin);
  afterEach(end);
}

/** The same with one zone for the whole file, started with the service `registration`. */
export function receivingZoneOfFile(): void {
  beforeAll(async () => {
    await begin();
    await world.start(registrationAt(target));
  });
  afterAll(end);
}

async function begin(): Promise<void> {
  [world, target] = await Promise.all([createWorld(), httpTarget()]);
}

async function end(): Promise<void> {
  await world.close();
  await target.close();
}

/** The service `registration` at an HTTP target. */
export function registrationAt(
  server: HttpTargetServer,
  change: Partial<HttpTarget> = {},
): { readonly registration: HttpTarget } {
  return {
    registration: {
      type: "http",
      baseUrl: server.baseUrl,
      // A busy machine is no doubt about what the target did: tests of that say a time of their own.
      timeoutMs: 20_000,
      idempotency: true,
      onDoubt: "hold",
      ...change,
    },
  };
}

/** Both services of the zone: `registration` as above, `maps` in a folder. */
export function bothServices(change: Partial<HttpTarget> = {}): {
  readonly registration: HttpTarget;
  readonly maps: DropTarget;
} {
  return { ...registrationAt(target, change), maps: { type: "drop", dir: world.dirs.drop } };
}

/** Hands the bundle over and waits until its first exchange is delivered. */
export async function deliverTo(zone: World, { request, exchangeIds }: Delivered): Promise<void> {
  expect(await zone.deliver(request)).toEqual({ status: "accepted" });
  await zone.until(exchangeIds[0] ?? newId(), "delivered");
}
