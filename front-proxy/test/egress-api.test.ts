/** The API as callers meet it: what is accepted, and what each bad input gets. */

import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";
import { lightferry } from "@lightferry/proto/gen";
import { describe, expect, it } from "vitest";
import { REQUEST, sendingZone, submit, token, world } from "./support/sending.ts";

const { Decision } = lightferry.policy.v1;

sendingZone();

describe("a request", () => {
  it("is accepted when it is durable, and can be asked for", async () => {
    const answer = await submit();
    expect(answer.status).toBe(202);
    expect(answer.json).toMatchObject({ state: "permitted" });
    const found = await world.api.call("GET", answer.json.statusUrl, { token });
    expect(found.json).toMatchObject({
      exchangeId: answer.json.exchangeId,
      direction: "sent",
      state: "permitted",
      lane: "inbound",
      service: "registration",
      timeline: [{ state: "received" }, { state: "permitted" }],
    });
    expect(JSON.stringify(found.json)).not.toContain("张三");
  });

  it("leaves with every number as it was handed over", async () => {
    const body = '{"id":510104199003077217,"area":0.12345678901234567890,"far":[1e400,-7,"1e5"]}';
    const seen: string[] = [];
    world.peers.rule = (_submission, content) => {
      seen.push(Buffer.from(content).toString());
      return {};
    };
    const { body: _none, ...around } = REQUEST;
    const text = `${JSON.stringify(around).slice(0, -1)},"body":${body}}`;
    const answer = await world.api.call("POST", "/v1/requests", {
      token,
      headers: { "content-type": "application/json" },
      body: Buffer.from(text),
    });
    expect(answer.status).toBe(202);
    expect(seen).toEqual([body]);
    const deep = `${"[".repeat(100_000)}1234567890123456${"]".repeat(100_000)}`;
    const tooDeep = await world.api.call("POST", "/v1/requests", {
      token,
      headers: { "content-type": "application/json" },
      body: Buffer.from(`${JSON.stringify(around).slice(0, -1)},"body":${deep}}`),
    });
    expect(tooDeep.status).toBe(400);
    expect(tooDeep.json.code).toBe("api.bad-request");
  });

  it("of a stranger is answered and hung up on, however slowly its body comes", async () => {
    const request = world.api.open("POST", "/v1/requests", {
      headers: { "content-type": "application/json", "content-length": "1000000" },
    });
    const closed = new Promise<void>((resolve) => request.on("close", () => resolve()));
    const status = await new Promise((resolve, reject) => {
      request.on("response", (response) => resolve(response.resume().statusCode));
      request.on("error", reject);
      request.write("{");
    });
    expect(status).toBe(401);
    request.on("error", () => undefined);
    await closed;
  });

  it("rests encrypted", async () => {
    const answer = await submit({ body: "a needle in the hay" });
    const row = await world.until(answer.json.exchangeId, "permitted");
    for (const column of ["material", "trail"]) {
      expect((row[column] as Buffer).includes("needle")).toBe(false);
      expect((row[column] as Buffer).includes("/records")).toBe(false);
    }
  });

  it("shares a decision with those submitted at the same time", async () => {
    const before = world.peers.batches.length;
    const answers = await Promise.all(Array.from({ length: 200 }, () => submit()));
    expect(answers.every((answer) => answer.status === 202)).toBe(true);
    expect(new Set(answers.map((answer) => answer.json.exchangeId)).size).toBe(200);
    expect(world.peers.batches.length - before).toBeLessThan(100);
  });

  it("above the inline limit rests in the spool", async () => {
    const answer = await submit({ body: "x".repeat(150_000) });
    expect(answer.status).toBe(202);
    const row = await world.until(answer.json.exchangeId, "permitted");
    expect(row).toMatchObject({ content: null, size: 150_000 });
    expect(row.file).toContain(answer.json.exchangeId);
  });

  it("that policy refuses is recorded and says why", async () => {
    world.peers.rule = () => ({
      decision: Decision.DECISION_DENY,
      code: "policy.grade-missing",
      ruleId: "grade.required",
      reason: "未填写分级",
    });
    const answer = await submit({ grade: "" });
    expect(answer.status).toBe(422);
    expect(answer.headers["content-type"]).toContain("application/problem+json");
    expect(answer.json).toMatchObject({
      type: "urn:lightferry:error:policy.grade-missing",
      code: "policy.grade-missing",
      rule: "grade.required",
      actor: "caller",
    });
    expect(answer.json.reason.zh).toContain("未填写分级");
    expect(answer.json.do.zh).not.toBe("");
    const found = await world.api.call("GET", answer.json.statusUrl, { token });
    expect(found.json).toMatchObject({
      state: "refused",
      refusal: { code: "policy.grade-missing", rule: "grade.required" },
    });
    const row = await world.until(answer.json.exchangeId, "refused");
    expect(row).toMatchObject({ content: null, wrapped_key: null, material: null });
  });

  it("that policy holds is accepted as held", async () => {
    world.peers.rule = () => ({
      decision: Decision.DECISION_HOLD,
      code: "policy.approval-required",
      ruleId: "approval",
    });
    const answer = await submit();
    expect(answer.status).toBe(202);
    expect(answer.json.state).toBe("held");
  });

  it("keeps the content as policy changed it", async () => {
    world.peers.rule = () => ({ content: Buffer.from("masked") });
    const answer = await submit();
    const row = await world.until(answer.json.exchangeId, "permitted");
    expect(row.size).toBe(6);
  });

  it.each([
    ["unknown lane", { lane: "nowhere" }, 404, "submit.lane-unknown"],
    ["lane that starts elsewhere", { lane: "outbound" }, 422, "submit.direction-wrong"],
    ["unknown service", { service: "nothing" }, 404, "submit.service-unknown"],
    ["service of another kind", { service: "maps" }, 422, "submit.kind-mismatch"],
    ["content over the service's limit", { body: "x".repeat(200_001) }, 413, "submit.too-large"],
  ])("%s is refused and recorded", async (_, change, status, code) => {
    const answer = await submit(change);
    expect(answer.status).toBe(status);
    expect(answer.json).toMatchObject({ code, rule: "front-proxy:registry" });
    await world.until(answer.json.exchangeId, "refused");
    await expect.poll(() => world.peers.events.some((event) => event.code === code)).toBe(true);
  });

  it.each([
    ["no lane", { lane: undefined }],
    ["a lane that is no text", { lane: 5 }],
    ["an unknown field", { colour: "red" }],
    ["a lower-case method", { method: "post" }],
    ["a path that climbs", { path: "/records/../secret" }],
    ["an encoded path that climbs", { path: "/records/%2e%2E/secret" }],
    ["a path with a line end", { path: "/records\r\nx: y" }],
    ["a header that smuggles", { headers: { a: "b\r\nc: d" } }],
    ["a header of the connection", { headers: { host: "else" } }],
    ["two bodies", { bodyBase64: "AA==" }],
    ["base64 that is none", { body: undefined, bodyBase64: "%%%" }],
    ["a control character in the purpose", { purpose: "a\u0000b" }],
  ])("with %s is a bad request", async (_, change) => {
    const answer = await submit(change);
    expect(answer.status).toBe(400);
    expect(answer.json.code).toBe("api.bad-request");
    expect(answer.json.detail).toBeTruthy();
  });

  it("with a body over the limit is refused with 413", async () => {
    const answer = await submit({ body: "x".repeat(2_200_000) });
    expect(answer.status).toBe(413);
    expect(answer.json.code).toBe("api.body-too-large");
    const raw = await world.api.call("POST", "/v1/requests", {
      token,
      headers: { "content-type": "application/json" },
      body: `{"x":"${"y".repeat(4_000_000)}"}`,
    });
    expect(raw.status).toBe(413);
    expect(raw.json.code).toBe("api.body-too-large");
  });

  it("that is no JSON, or of another type, is refused", async () => {
    const broken = await world.api.call("POST", "/v1/requests", {
      token,
      headers: { "content-type": "application/json" },
      body: "{",
    });
    expect([broken.status, broken.json.code]).toEqual([400, "api.bad-request"]);
    const other = await world.api.call("POST", "/v1/requests", {
      token,
      headers: { "content-type": "text/xml" },
      body: "<x/>",
    });
    expect([other.status, other.json.code]).toEqual([415, "api.media-type"]);
  });
});

describe("the idempotency key", () => {
  it("names one exchange, also when sent at the same moment", async () => {
    const headers = { "idempotency-key": "order-1" };
    const [first, second] = await Promise.all([submit({}, headers), submit({}, headers)]);
    const third = await submit({}, headers);
    expect([first.status, second.status, third.status]).toEqual([202, 202, 202]);
    expect(new Set([first, second, third].map((answer) => answer.json.exchangeId)).size).toBe(1);
  });

  it("refuses other content", async () => {
    const headers = { "idempotency-key": "order-2" };
    await submit({}, headers);
    const other = await submit({ body: { name: "李四" } }, headers);
    expect([other.status, other.json.code]).toEqual([409, "idempotency.conflict"]);
  });

  it("belongs to its caller", async () => {
    const headers = { "idempotency-key": "order-3" };
    const mine = await submit({}, headers);
    const theirs = await world.api.call("POST", "/v1/requests", {
      token: await world.token("county"),
      headers,
      body: REQUEST,
    });
    expect(theirs.json.exchangeId).not.toBe(mine.json.exchangeId);
  });

  it("repeats a refusal", async () => {
    const headers = { "idempotency-key": "order-4" };
    const first = await submit({ service: "nothing" }, headers);
    const again = await submit({ service: "nothing" }, headers);
    expect(again.status).toBe(404);
    expect(again.json.exchangeId).toBe(first.json.exchangeId);
  });

  it("must be plain", async () => {
    const answer = await submit({}, { "idempotency-key": "x".repeat(201) });
    expect([answer.status, answer.json.code]).toEqual([400, "idempotency.key-invalid"]);
  });
});

describe("a caller", () => {
  const get = (call: Parameters<typeof world.api.call>[2]) =>
    world.api.call("GET", "/v1/exchanges", call);

  it("may show a registered certificate instead of a token", async () => {
    expect((await get({ certificate: world.certificate })).status).toBe(200);
    const stranger = await get({ certificate: world.strangerCertificate });
    expect([stranger.status, stranger.json.code]).toEqual([401, "token.certificate-unknown"]);
  });

  it("is refused without, with a wrong and with a malformed token", async () => {
    const none = await get({});
    expect([none.status, none.json.code]).toEqual([401, "token.missing"]);
    expect(none.headers["www-authenticate"]).toContain("Bearer");
    const wrong = `${token.slice(0, -1)}${token.endsWith("A") ? "B" : "A"}`;
    for (const bad of [wrong, "lft_x", "", `lft_0123456789abcdef_${"A".repeat(43)}`]) {
      const answer = await get({ headers: { authorization: `Bearer ${bad}` } });
      expect([answer.status, answer.json.code]).toEqual([401, "token.unknown"]);
    }
    await expect
      .poll(() => world.peers.events.filter((event) => event.type === "token.refused").length)
      .toBeGreaterThan(1);
  });

  it("is refused when no longer registered in this zone", async () => {
    const moved = await world.token("county");
    await world.pool.query("UPDATE api_token SET caller = 'inside' WHERE id = $1", [
      moved.split("_")[1],
    ]);
    const answer = await get({ token: moved });
    expect([answer.status, answer.json.code]).toEqual([403, "token.caller-unknown"]);
  });

  it("sees only his own exchanges", async () => {
    const mine = await submit();
    const other = await world.token("county");
    const seen = await world.api.call("GET", mine.json.statusUrl, { token: other });
    expect([seen.status, seen.json.code]).toEqual([404, "exchange.not-found"]);
    const list = await get({ token: other });
    expect(list.text).not.toContain(mine.json.exchangeId);
  });

  it("pages through his exchanges, newest first", async () => {
    const ids: string[] = [];
    for (let index = 0; index < 5; index += 1) ids.push((await submit()).json.exchangeId);
    const seen: string[] = [];
    let cursor = "";
    while (seen.length < 5) {
      const page = await world.api.call(
        "GET",
        `/v1/exchanges?lane=inbound&state=permitted&limit=2${cursor}`,
        { token },
      );
      expect(page.status).toBe(200);
      seen.push(...page.json.exchanges.map((one: { exchangeId: string }) => one.exchangeId));
      cursor = `&cursor=${page.json.next}`;
    }
    expect(seen.slice(0, 5)).toEqual(ids.toReversed());
  });

  it.each(["limit=0", "limit=501", "limit=x", "colour=red", "direction=up"])(
    "asks in vain for %s",
    async (query) => {
      const answer = await world.api.call("GET", `/v1/exchanges?${query}`, { token });
      expect([answer.status, answer.json.code]).toEqual([400, "api.bad-request"]);
    },
  );

  it("gets a code for a wrong cursor, a wrong id, a wrong route", async () => {
    const codes = [];
    for (const path of ["/v1/exchanges?cursor=AAAA", "/v1/exchanges/not-an-id", "/v1/nothing"]) {
      codes.push((await world.api.call("GET", path, { token })).json.code);
    }
    expect(codes).toEqual(["api.cursor-invalid", "api.bad-request", "api.route-unknown"]);
  });
});

describe("anyone", () => {
  it("may read health, the table of codes and the description", async () => {
    expect((await world.api.call("GET", "/health")).json).toMatchObject({ status: "ok" });
    const { errors } = (await world.api.call("GET", "/v1/errors")).json;
    expect(errors.find((row: { code: string }) => row.code === "spool.disk-full")).toMatchObject({
      http: 507,
      actor: "system-admin",
    });
    const openapi = (await world.api.call("GET", "/openapi.json")).json;
    expect(Object.keys(openapi.paths)).toEqual(
      expect.arrayContaining(["/v1/requests", "/v1/files", "/v1/exchanges/{id}"]),
    );
    const upload = openapi.paths["/v1/files/{id}"];
    expect(upload.head.responses["200"]).toBeDefined();
    expect(upload.patch.parameters).toContainEqual(
      expect.objectContaining({ name: "Upload-Offset", in: "header", required: true }),
    );
    const refused = openapi.paths["/v1/requests"].post.responses["4XX"].content;
    expect(refused).toEqual({
      "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } },
    });
  });
});

describe("the examples", () => {
  const curl = spawnSync("curl", ["--version"]).status === 0;
  async function runs(name: string, program: string): Promise<void> {
    const path = new URL(`../examples/${name}`, import.meta.url).pathname;
    const ca = world.zone.tls["front-proxy"].ca;
    const { stdout } = await promisify(execFile)(
      program,
      [path, `https://127.0.0.1:${world.running.apiPort}`],
      {
        env: { PATH: process.env.PATH, LIGHTFERRY_TOKEN: token, NODE_EXTRA_CA_CERTS: ca, CA: ca },
      },
    );
    // The demonstration's service is not registered here: the answer says so and what to do.
    expect(stdout).toContain("submit.service-unknown");
    expect(stdout).toContain("refused");
  }

  it("submit.ts runs as it stands", () => runs("submit.ts", process.execPath));
  it.skipIf(!curl)("submit.sh runs as it stands", () => runs("submit.sh", "sh"));
});
