/**
 * Guarantee: tests of the sending side have one started zone a file and a caller's token, and
 * submit the same request, differing only in what a test says.
 */
import { afterAll, beforeAll, beforeEach, expect } from "vitest";
import { createEgressWorld, type EgressWorld } from "./egress-world.ts";

export let world: EgressWorld;
export let token: string;

/** Registers the hooks; a test file calls it once. Policy permits everything again before each test. */
export function sendingZone(): void {
  beforeAll(async () => {
    world = await createEgressWorld();
    await world.start();
    token = await world.token();
  });
  afterAll(() => world.close());
  beforeEach(() => {
    world.peers.rule = () => ({});
    world.peers.policyDown = false;
  });
}

export const REQUEST = {
  lane: "inbound",
  service: "registration",
  grade: "G2",
  purpose: "registration",
  method: "POST",
  path: "/records/1",
  body: { name: "张三" },
};

/** What the API answers to the request. */
export const submit = (change: object = {}, headers: Record<string, string> = {}) =>
  world.api.call("POST", "/v1/requests", { token, headers, body: { ...REQUEST, ...change } });

/** Submits what must be accepted. @returns the id of the exchange */
export async function accepted(body: unknown = { n: 1 }, change: object = {}): Promise<string> {
  const answer = await submit({ body, ...change });
  expect(answer.status).toBe(202);
  return answer.json.exchangeId;
}
