/** Every refusal at the API: its own code, who must act, problem+json, an audit event, and the exchange that says the same. */
import type { ErrorCode } from "@lightferry/proto/errors";
import { expect, it } from "vitest";
import { expectEvent, expectProblem } from "./support/refusal.ts";
import { REQUEST, sendingZone, submit, token, world } from "./support/sending.ts";

sendingZone();

const upload = (query: string, body = "x") =>
  world.api.call("POST", `/v1/files?grade=G1&filename=a.bin&${query}`, { token, body });

/** Refused and recorded: the exchange is there and tells the caller the same when asked. */
async function expectRecorded(
  answer: Awaited<ReturnType<typeof submit>>,
  code: ErrorCode,
): Promise<void> {
  expectProblem(answer, code);
  await expectEvent(world.peers.events, "exchange.refused", code);
  const found = await world.api.call("GET", answer.json.statusUrl, { token });
  expect(found.json).toMatchObject({ state: "refused", refusal: { code } });
}

it.each([
  ["an unknown lane", { lane: "nowhere" }, "submit.lane-unknown"],
  ["a lane of the other direction", { lane: "outbound" }, "submit.direction-wrong"],
  ["an unknown service", { service: "nothing" }, "submit.service-unknown"],
  ["a service of another kind", { service: "maps" }, "submit.kind-mismatch"],
  ["content over the limit", { body: "x".repeat(200_001) }, "submit.too-large"],
] as const)("a request with %s", async (_, change, code) => {
  await expectRecorded(await submit(change), code);
});

it.each([
  ["an unknown lane", "lane=nowhere&service=maps", "submit.lane-unknown"],
  ["an unknown service", "lane=inbound&service=nothing", "submit.service-unknown"],
  ["a service of another kind", "lane=inbound&service=registration", "submit.kind-mismatch"],
] as const)("a file with %s", async (_, query, code) => {
  await expectRecorded(await upload(query), code);
});

it("a body over the limit of the door", async () => {
  const before = await exchanges();
  expectProblem(await submit({ body: "x".repeat(2_200_000) }), "api.body-too-large");
  await expectEvent(world.peers.events, "exchange.refused", "api.body-too-large");
  expect(await exchanges()).toBe(before);
});

it("a request that is not well formed, of another type, or for no route", async () => {
  expectProblem(await submit({ lane: 5 }), "api.bad-request");
  expectProblem(
    await world.api.call("POST", "/v1/requests", {
      token,
      headers: { "content-type": "text/xml" },
      body: "<x/>",
    }),
    "api.media-type",
  );
  expectProblem(await world.api.call("GET", "/v1/nothing", { token }), "api.route-unknown");
  for (const code of ["api.bad-request", "api.media-type", "api.route-unknown"] as const) {
    await expectEvent(world.peers.events, "exchange.refused", code);
  }
});

it("one idempotency key with two contents", async () => {
  const headers = { "idempotency-key": "bad-input-1" };
  expect((await submit({}, headers)).status).toBe(202);
  expectProblem(await submit({ body: { name: "李四" } }, headers), "idempotency.conflict");
  await expectEvent(world.peers.events, "exchange.refused", "idempotency.conflict");
});

it("every kind of wrong credential", async () => {
  const change = (sql: string, of: string) =>
    world.pool.query(`UPDATE api_token SET ${sql} WHERE id = $1`, [of.split("_")[1]]);
  const [expired, revoked, moved] = await Promise.all([
    world.token(),
    world.token(),
    world.token("county"),
  ]);
  await change("expires_ms = 1", expired);
  await change("revoked_ms = 1", revoked);
  await change("caller = 'inside'", moved);
  const calls = [
    [{}, "token.missing"],
    [{ token: "lft_x" }, "token.unknown"],
    [{ token: `lft_0123456789abcdef_${"A".repeat(43)}` }, "token.unknown"],
    [{ token: expired }, "token.expired"],
    [{ token: revoked }, "token.revoked"],
    [{ token: moved }, "token.caller-unknown"],
    [{ certificate: world.strangerCertificate }, "token.certificate-unknown"],
  ] as const;
  const before = await exchanges();
  for (const [call, code] of calls) {
    expectProblem(await world.api.call("POST", "/v1/requests", { ...call, body: REQUEST }), code);
    await expectEvent(world.peers.events, "token.refused", code);
  }
  expect(await exchanges()).toBe(before);
  // No event holds anything of a token's secret.
  expect(JSON.stringify(world.peers.events)).not.toContain(expired.split("_").slice(2).join("_"));
});

async function exchanges(): Promise<number> {
  const { rows } = await world.pool.query("SELECT count(*)::int AS n FROM exchange");
  return rows[0].n;
}

it("an upload that is refused half way ends its connection: nothing may wait behind the unread rest", async () => {
  // Longer than announced: refused after a part of it was read.
  const created = await world.api.call(
    "POST",
    "/v1/files?lane=inbound&service=maps&grade=G1&filename=half.bin",
    { token, headers: { "upload-length": "1000" } },
  );
  expect(created.status).toBe(201);
  async function* tooMuch() {
    for (let sent = 0; sent < 40; sent += 1) yield Buffer.alloc(65_536, sent);
  }
  const answer = await world.api.call("PATCH", `/v1/files/${created.json.exchangeId}`, {
    token,
    headers: { "upload-offset": "0" },
    body: tooMuch(),
  });
  expectProblem(answer, "upload.length-exceeded");
  expect(answer.headers.connection).toBe("close");
  await expectEvent(world.peers.events, "exchange.refused", "upload.length-exceeded");
  expect((await submit()).status).toBe(202);
});
