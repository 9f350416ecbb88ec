/** Uploads: in one stream, in parts, over crashes; what policy makes of them; what is refused. */
import { createHash, randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { lightferry } from "@lightferry/proto/gen";
import { parseId } from "@lightferry/proto/ids";
import { afterEach, describe, expect, it } from "vitest";
import { openItems } from "../src/seal/open-items.ts";
import { provider } from "./support/egress-keys.ts";
import { sendingZone, token, world } from "./support/sending.ts";

const { Decision } = lightferry.policy.v1;

sendingZone();
afterEach(() => world.pool.query("DELETE FROM exchange"));

const QUERY = "lane=inbound&service=maps&grade=G2&filename=village.csv";
const sm3 = (bytes: Uint8Array) => Buffer.from(provider.sm3(bytes)).toString("hex");
const post = (body: Uint8Array, headers: Record<string, string> = {}, query = QUERY) =>
  world.api.call("POST", `/v1/files?${query}`, { token, headers, body });
const begin = (length: number, headers: Record<string, string> = {}, query = QUERY) =>
  world.api.call("POST", `/v1/files?${query}`, {
    token,
    headers: { "upload-length": String(length), ...headers },
  });
const patch = (id: string, offset: number, body: Uint8Array) =>
  world.api.call("PATCH", `/v1/files/${id}`, {
    token,
    headers: { "upload-offset": String(offset), "content-type": "application/octet-stream" },
    body,
  });
const offsetOf = async (id: string) =>
  Number((await world.api.call("HEAD", `/v1/files/${id}`, { token })).headers["upload-offset"]);

const spooled = async (id: string) =>
  (await readdir(join(world.dir, "spool"))).filter((name) => name.startsWith(id));

/** What rests of a permitted exchange, opened as the seal program opens it. */
async function contentOf(id: string): Promise<Buffer> {
  const row = await world.until(id, "permitted");
  const { vault } = world.running.context;
  const [item] = openItems(vault, join(world.dir, "spool"), [
    {
      exchangeId: parseId(id),
      wrappedKey: row.wrapped_key as Buffer,
      material: row.material as Buffer,
      file: (row.file as string | null) ?? "",
    },
  ]);
  const parts = [];
  for await (const part of item?.content() ?? []) parts.push(Buffer.from(part));
  item?.key.destroy();
  return Buffer.concat(parts);
}

describe("a file in one stream", () => {
  it("is accepted when durable, decided afterwards, and rests as it came if nothing was altered", async () => {
    const body = randomBytes(3_000_000);
    const answer = await post(body, { "x-content-sm3": sm3(body) });
    expect(answer.status).toBe(202);
    expect(answer.json.state).toBe("received");
    expect((await contentOf(answer.json.exchangeId)).equals(body)).toBe(true);
    const id = answer.json.exchangeId;
    expect(await spooled(id)).toEqual([`${id}.0.segment`]);
    const row = await world.until(id, "permitted");
    expect(row).toMatchObject({ priority: "bulk", size: 3_000_000, file: null });
  });

  it("rests as policy gave it back when it was altered, and its segments go", async () => {
    const altered = randomBytes(400_000);
    world.peers.rule = () => ({ content: altered });
    const id = (await post(randomBytes(300_000))).json.exchangeId;
    expect((await contentOf(id)).equals(altered)).toBe(true);
    await expect.poll(() => spooled(id)).toEqual([`${id}.1.payload`]);
    expect(await world.until(id, "permitted")).toMatchObject({ size: 400_000 });
  });

  it("is not kept on an answer that contradicts itself", async () => {
    const contradiction = { content: randomBytes(1_000), claimsUnaltered: true };
    let asked = 0;
    world.peers.rule = () => {
      asked += 1;
      return asked === 1 ? contradiction : {};
    };
    const id = (await post(randomBytes(300_000))).json.exchangeId;
    // Asked again: nothing of the first answer was taken.
    const row = await world.until(id, "permitted");
    expect(asked).toBeGreaterThan(1);
    expect(row).toMatchObject({ size: 300_000, file: null });
  });

  it("that was kept as it came can be decided anew, altered or refused", async () => {
    const body = randomBytes(300_000);
    const id = (await post(body)).json.exchangeId;
    await world.until(id, "permitted");
    const again = async (state: string) => {
      const { decided } = await world.until(id, "permitted");
      await world.pool.query("UPDATE exchange SET state = 'received' WHERE id = $1", [id]);
      await world.restart();
      if (state === "permitted") {
        await expect
          .poll(async () => (await world.until(id, "permitted")).decided)
          .toBe(Number(decided) + 1);
      } else await world.until(id, state);
    };
    await again("permitted");
    expect((await contentOf(id)).equals(body)).toBe(true);
    world.peers.rule = () => ({ content: Buffer.from("masked") });
    await again("permitted");
    expect((await contentOf(id)).toString()).toBe("masked");
    world.peers.rule = () => ({});
    await again("permitted");
    expect((await contentOf(id)).toString()).toBe("masked");
    world.peers.rule = () => ({ decision: Decision.DECISION_DENY, code: "policy.content-refused" });
    await again("refused");
    await expect.poll(() => spooled(id)).toEqual([]);
    const segments = "SELECT 1 FROM upload_segment WHERE upload_id = $1";
    expect((await world.pool.query(segments, [id])).rows).toEqual([]);
  });

  it("crosses masked when policy masks it", async () => {
    world.peers.rule = () => ({ content: Buffer.from("masked") });
    const answer = await post(randomBytes(300_000));
    expect((await contentOf(answer.json.exchangeId)).toString()).toBe("masked");
  });

  it("may be empty", async () => {
    const answer = await post(new Uint8Array());
    expect(answer.status).toBe(202);
    expect((await contentOf(answer.json.exchangeId)).length).toBe(0);
  });

  it("that policy refuses leaves nothing behind", async () => {
    world.peers.rule = () => ({
      decision: Decision.DECISION_DENY,
      code: "policy.secret-suspected",
      ruleId: "secret-mark",
    });
    const answer = await post(randomBytes(200_000));
    const id = answer.json.exchangeId;
    expect(await world.until(id, "refused")).toMatchObject({
      code: "policy.secret-suspected",
      wrapped_key: null,
      submission: null,
      file: null,
    });
    await expect
      .poll(async () => (await readdir(join(world.dir, "spool"))).filter((n) => n.startsWith(id)))
      .toEqual([]);
  });

  it("that policy holds keeps its content encrypted", async () => {
    world.peers.rule = () => ({ decision: Decision.DECISION_HOLD, code: "policy.content-held" });
    const answer = await post(Buffer.from("needle ".repeat(10_000)));
    await world.until(answer.json.exchangeId, "held");
    const names = await readdir(join(world.dir, "spool"));
    expect(names.some((name) => name.startsWith(answer.json.exchangeId))).toBe(true);
  });

  it("waits while policy is away", async () => {
    world.peers.policyDown = true;
    const body = randomBytes(50_000);
    const answer = await post(body);
    expect(answer.status).toBe(202);
    world.peers.policyDown = false;
    expect((await contentOf(answer.json.exchangeId)).equals(body)).toBe(true);
  });

  it.each([
    ["unknown lane", "lane=no&service=maps&filename=a", 404, "submit.lane-unknown"],
    ["unknown service", "lane=inbound&service=no&filename=a", 404, "submit.service-unknown"],
    [
      "service for requests",
      "lane=inbound&service=registration&filename=a",
      422,
      "submit.kind-mismatch",
    ],
    ["too large for the service", "lane=inbound&service=notes&filename=a", 413, "submit.too-large"],
  ])("to %s is refused before it is read, and recorded", async (_, query, status, code) => {
    const answer = await post(randomBytes(2_000), {}, query);
    expect([answer.status, answer.json.code]).toEqual([status, code]);
    await world.until(answer.json.exchangeId, "refused");
  });

  it.each([
    ["filename=..%2Fa", "upload.name-invalid"],
    ["filename=a%00b", "upload.name-invalid"],
    ["filename=..", "upload.name-invalid"],
    [`filename=${"a".repeat(252)}%E5%9C%B0%E5%9C%B0`, "upload.name-invalid"],
    ["filename=", "api.bad-request"],
    ["colour=red&filename=a", "api.bad-request"],
  ])("with %.24s is refused", async (query, code) => {
    const answer = await post(new Uint8Array(), {}, `lane=inbound&service=maps&${query}`);
    expect([answer.status, answer.json.code]).toEqual([400, code]);
  });

  it("that is not what its digest says is refused and forgotten", async () => {
    const answer = await post(Buffer.from("abc"), { "x-content-sm3": sm3(Buffer.from("abd")) });
    expect([answer.status, answer.json.code]).toEqual([422, "upload.digest-mismatch"]);
    expect((await world.pool.query("SELECT 1 FROM upload")).rows).toEqual([]);
    const digest = `sm3=${Buffer.from(provider.sm3(Buffer.from("abc"))).toString("base64")}`;
    expect((await post(Buffer.from("abc"), { digest })).status).toBe(202);
    expect((await post(Buffer.from("abc"), { digest: "sm3=x" })).json.code).toBe("api.bad-request");
  });

  it("under a repeated key is the same exchange, with other content a conflict", async () => {
    const headers = { "idempotency-key": "file-1" };
    const body = randomBytes(90_000);
    const first = await post(body, headers);
    const again = await post(body, headers);
    expect(again.status).toBe(202);
    expect(again.json.exchangeId).toBe(first.json.exchangeId);
    const other = await post(randomBytes(90_000), headers);
    expect([other.status, other.json.code]).toEqual([409, "idempotency.conflict"]);
  });

  it("without a length is refused once it is over the limit", async () => {
    async function* endless() {
      for (let index = 0; index < 40; index += 1) yield randomBytes(100);
    }
    const answer = await world.api.call(
      "POST",
      "/v1/files?lane=inbound&service=notes&filename=a&grade=G1",
      { token, headers: { "transfer-encoding": "chunked" }, body: endless() },
    );
    expect([answer.status, answer.json.code]).toEqual([413, "submit.too-large"]);
    expect((await world.pool.query("SELECT 1 FROM upload")).rows).toEqual([]);
  });
});

describe("a file in parts", () => {
  it("is accepted with its last part", async () => {
    const body = randomBytes(700_000);
    const created = await begin(body.length, { "x-content-sm3": sm3(body) });
    expect(created.status).toBe(201);
    const id = created.json.exchangeId;
    expect(created.headers.location).toBe(`/v1/files/${id}`);
    const first = await patch(id, 0, body.subarray(0, 300_000));
    expect([first.status, first.json.offset]).toEqual([200, 300_000]);
    expect(await offsetOf(id)).toBe(300_000);
    const last = await patch(id, 300_000, body.subarray(300_000));
    expect([last.status, last.json.state]).toEqual([202, "received"]);
    expect((await contentOf(id)).equals(body)).toBe(true);
    const repeated = await patch(id, 300_000, body.subarray(300_000));
    expect([repeated.status, repeated.json.exchangeId]).toEqual([202, id]);
  });

  it("goes on where it was durable when a connection broke and the program was killed", async () => {
    const body = randomBytes(20_000_000);
    const { exchangeId: id } = (await begin(body.length, { "x-content-sm3": sm3(body) })).json;
    const broken = world.api.open("PATCH", `/v1/files/${id}`, {
      token,
      headers: { "upload-offset": "0", "content-type": "application/octet-stream" },
    });
    broken.on("error", () => undefined);
    broken.write(body.subarray(0, 18_000_000));
    await expect.poll(() => offsetOf(id)).toBeGreaterThan(0);
    broken.destroy();
    await expect
      .poll(async () => (await patch(id, 1, new Uint8Array())).json.code)
      .toBe("upload.offset-mismatch");
    await world.restart();
    const offset = await offsetOf(id);
    expect(offset).toBeGreaterThanOrEqual(16 * 1_048_576);
    const rest = await patch(id, offset, body.subarray(offset));
    expect(rest.status).toBe(202);
    const kept = await contentOf(id);
    expect(createHash("sha256").update(kept).digest("hex")).toBe(
      createHash("sha256").update(body).digest("hex"),
    );
  });

  it("begun again under its key tells where it stands", async () => {
    const headers = { "idempotency-key": "parts-1" };
    const body = randomBytes(50_000);
    const { exchangeId: id } = (await begin(body.length, headers)).json;
    await patch(id, 0, body.subarray(0, 20_000));
    const again = await begin(body.length, headers);
    expect(again.json).toEqual({ exchangeId: id, offset: 20_000 });
    await patch(id, 20_000, body.subarray(20_000));
    const third = await begin(body.length, headers);
    expect([third.status, third.json.exchangeId]).toEqual([202, id]);
  });

  it("is refused at another offset, beyond its length, by another caller, and when unknown", async () => {
    const { exchangeId: id } = (await begin(100)).json;
    const wrong = await patch(id, 7, randomBytes(10));
    expect([wrong.status, wrong.json.code]).toEqual([409, "upload.offset-mismatch"]);
    const long = await patch(id, 0, randomBytes(101));
    expect([long.status, long.json.code]).toEqual([413, "upload.length-exceeded"]);
    const other = await world.api.call("HEAD", `/v1/files/${id}`, {
      token: await world.token("county"),
    });
    expect(other.status).toBe(404);
    const unknown = await patch("0198c1f0-0000-7000-8000-000000000000", 0, new Uint8Array());
    expect([unknown.status, unknown.json.code]).toEqual([404, "upload.not-found"]);
  });

  it("is refused early when its announced length is over the limit", async () => {
    const answer = await begin(60_000_000);
    expect([answer.status, answer.json.code]).toEqual([413, "submit.too-large"]);
  });
});
