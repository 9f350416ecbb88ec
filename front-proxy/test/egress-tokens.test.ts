/** The life of a token, and what each wrong step gets. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { createEgressWorld, type EgressWorld } from "./support/egress-world.ts";

let world: EgressWorld;
const desk = () => world.running.context.tokens;
const issue = () => desk().issue({ caller: "city", days: 30, note: "test" }, "officer");
const ask = async (token: string) => {
  const answer = await world.api.call("GET", "/v1/exchanges", { token });
  return answer.status === 200 ? "ok" : answer.json.code;
};

beforeAll(async () => {
  world = await createEgressWorld();
  await world.start();
});
afterAll(() => world.close());

it("is shown once and stored only as a hash", async () => {
  const { token, tokenId, expiresMs } = await issue();
  expect(token).toMatch(/^lft_[0-9a-f]{16}_[0-9A-Za-z_-]{43}$/);
  expect(expiresMs - Date.now()).toBeGreaterThan(29 * 86_400_000);
  expect(await ask(token)).toBe("ok");
  const stored = JSON.stringify((await world.pool.query("SELECT * FROM api_token")).rows);
  const secret = token.split("_").slice(2).join("_");
  expect(stored).toContain(tokenId);
  expect(stored).not.toContain(secret);
  const { rows } = await world.pool.query("SELECT secret_hash FROM api_token WHERE id = $1", [
    tokenId,
  ]);
  expect(rows[0].secret_hash.includes(Buffer.from(secret))).toBe(false);
});

it("is good until it expires or is revoked, at once", async () => {
  const { token, tokenId } = await issue();
  expect(await ask(token)).toBe("ok");
  await desk().revoke(tokenId, "officer");
  expect(await ask(token)).toBe("token.revoked");
  await desk().revoke(tokenId, "officer");

  const other = await issue();
  await world.pool.query("UPDATE api_token SET expires_ms = 1 WHERE id = $1", [other.tokenId]);
  expect(await ask(other.token)).toBe("token.expired");
});

it("is rotated with an overlap in which both work", async () => {
  const old = await issue();
  const next = await desk().rotate(
    { tokenId: old.tokenId, overlapSeconds: 3_600, days: 90 },
    "officer",
  );
  expect([await ask(old.token), await ask(next.token)]).toEqual(["ok", "ok"]);
  const last = await desk().rotate(
    { tokenId: next.tokenId, overlapSeconds: 0, days: 90 },
    "officer",
  );
  expect([await ask(next.token), await ask(last.token)]).toEqual(["token.expired", "ok"]);
  await desk().revoke(last.tokenId, "officer");
  await expect(
    desk().rotate({ tokenId: last.tokenId, overlapSeconds: 0, days: 1 }, "officer"),
  ).rejects.toMatchObject({ code: "token.revoked" });
});

it("is listed with its last use, and every change is in the log", async () => {
  const { token, tokenId } = await issue();
  await ask(token);
  await desk().check.flush();
  const found = (await desk().list()).find((row) => row.id === tokenId);
  expect(found).toMatchObject({ caller: "city", note: "test", revoked_ms: null });
  expect(found?.last_used_ms).toBeGreaterThan(0);
  await expect
    .poll(() => new Set(world.peers.events.map((event) => event.type)))
    .toEqual(new Set(["token.issued", "token.rotated", "token.revoked", "token.refused"]));
});

it("is issued only to registered callers of this zone, on proper terms", async () => {
  const refused = (terms: object) =>
    desk()
      .issue({ caller: "city", days: 30, note: "", ...terms }, "officer")
      .then(
        () => "issued",
        (error: { code: string }) => error.code,
      );
  expect(await refused({ caller: "nobody" })).toBe("token.caller-unknown");
  expect(await refused({ caller: "inside" })).toBe("token.caller-unknown");
  for (const days of [0, 367, 1.5]) expect(await refused({ days })).toBe("token.terms-invalid");
  await expect(
    desk().rotate({ tokenId: "0000000000000000", overlapSeconds: 0, days: 1 }, "officer"),
  ).rejects.toMatchObject({ code: "token.not-found" });
  await expect(desk().revoke("0000000000000000", "officer")).rejects.toMatchObject({
    code: "token.not-found",
  });
});
