import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { decodeCanonical } from "@lightferry/proto/canonical";
import { GatewayError } from "@lightferry/proto/errors";
import { lightferry } from "@lightferry/proto/gen";
import { WRAPPED_KEY_BYTES } from "@lightferry/proto/keystore";
import { assertVerdictCovers, itemCommitment } from "@lightferry/proto/verdict";
import { afterEach, describe, expect, test } from "vitest";
import { decideBatch } from "../src/server/decide-batch.ts";
import { decideStream, STREAM_CHUNK_MAX } from "../src/server/decide-stream.ts";
import type { WireItem } from "../src/server/intake.ts";
import { provider } from "./plan.ts";
import {
  arriving,
  fileItem,
  NOW,
  type Outcome,
  type Response,
  requestItem,
  type TestDesk,
  testDesk,
  testPolicy,
  verdictOf,
} from "./world.ts";

const { Decision, Direction } = lightferry.policy.v1;
const { ManifestEntry } = lightferry.bundle.v1;
const VALID = "510104199003077217";
const SECRET = "机密★5年\n\n关于控制点的通知，坐标 35698283.57\n";

const desks: TestDesk[] = [];
async function newDesk(...options: Parameters<typeof testDesk>): Promise<TestDesk> {
  const desk = await testDesk(...options);
  desks.push(desk);
  return desk;
}
afterEach(() => {
  for (const desk of desks.splice(0)) desk.close();
});

/** What lies in the sealed-away folder, opened again with its vault. */
async function sealedContents(desk: TestDesk, exchangeId: Uint8Array): Promise<Buffer[]> {
  const folder = join(desk.folder, "sealed-away");
  const contents = [];
  for (const name of readdirSync(folder)) {
    const bytes = readFileSync(join(folder, name));
    expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
    expect(name.endsWith(".sealed")).toBe(true);
    const context = Buffer.concat([Buffer.from("sealed-away/1\0"), exchangeId]);
    const key = desk.vault.unwrap(bytes.subarray(5, 5 + WRAPPED_KEY_BYTES), context);
    const parts = [];
    const body = bytes.subarray(5 + WRAPPED_KEY_BYTES);
    for await (const part of key.decryptStream(
      (async function* () {
        yield body;
      })(),
    ))
      parts.push(part);
    contents.push(Buffer.concat(parts));
  }
  return contents;
}

async function streamed(
  desk: TestDesk,
  item: WireItem,
  content: Uint8Array,
  size = 65_536,
): Promise<{
  out: Buffer;
  response: Response;
  outcome: Outcome | undefined;
  read: number;
  unaltered: number;
}> {
  let read = 0;
  async function* parts() {
    yield { item };
    for (let at = 0; at < content.length; at += size) {
      const chunk = content.subarray(at, at + size);
      read += chunk.length;
      yield { chunk };
    }
  }
  const out: Uint8Array[] = [];
  let response: Response = {};
  let unaltered = 0;
  for await (const answer of decideStream(desk, parts())) {
    if (answer.unaltered === true) {
      // It stands for all chunks: nothing may have come before it.
      expect(out.length).toBe(0);
      unaltered += 1;
    }
    if (answer.chunk !== undefined && answer.chunk !== null) {
      expect(answer.chunk.length).toBeLessThanOrEqual(STREAM_CHUNK_MAX);
      out.push(answer.chunk);
    }
    response = answer.result ?? response;
  }
  return { out: Buffer.concat(out), response, outcome: response.outcomes?.[0], read, unaltered };
}

describe("batches", () => {
  test("one signature covers all, each verdict proves its place and binds its item", async () => {
    const desk = await newDesk();
    const bodies = Array.from(
      { length: 300 },
      (_, i) => `{"n":${i},"id":"${i % 3 === 0 ? VALID : "x"}"}`,
    );
    const items = bodies.map((body, i) =>
      requestItem(body, i % 5 === 4 ? { declaredGrade: "" } : {}),
    );
    const response = await decideBatch(desk, { items });
    expect(response.batch?.size).toBe(300);
    for (const [i, outcome] of (response.outcomes ?? []).entries()) {
      const verdict = verdictOf(desk.policy, response, i);
      const { salt = null, entry = null } = outcome;
      const commitment = itemCommitment(
        provider,
        salt ?? new Uint8Array(),
        entry ?? new Uint8Array(),
      );
      expect(Buffer.from(verdict.commitment)).toEqual(Buffer.from(commitment));
      if (i % 5 === 4) {
        expect(outcome.decision).toBe(Decision.DECISION_DENY);
        expect(verdict.decision).toBe(Decision.DECISION_DENY);
        continue;
      }
      const use = {
        commitment,
        lane: "inbound",
        sender: "node-extranet",
        recipients: ["node-business"],
        direction: Direction.DIRECTION_EXPORT,
        atMs: NOW + 1,
      };
      assertVerdictCovers(verdict, use);
      expect(() => assertVerdictCovers(verdict, { ...use, lane: "narrow" })).toThrow(GatewayError);
      expect(() => assertVerdictCovers(verdict, { ...use, atMs: NOW + 8 * 86_400_000 })).toThrow(
        GatewayError,
      );
      const leaves = Buffer.from(
        outcome.contentChanged === true ? (outcome.content ?? []) : (bodies[i] ?? ""),
      );
      const decoded = decodeCanonical(ManifestEntry, entry ?? new Uint8Array());
      expect(Buffer.from(decoded.digest)).toEqual(Buffer.from(provider.sm3(leaves)));
      expect(decoded.size).toBe(leaves.length);
      expect(decoded).toMatchObject({
        kind: "request",
        service: "land-registration",
        caller: "office",
        grant: "office-land-registration",
        grade: "G2",
        purpose: "登记",
      });
      expect(outcome.contentChanged).toBe(i % 3 === 0);
      if (i % 3 === 0) {
        expect(leaves.toString()).toContain("510104********7217");
        expect(verdict.obligations).toEqual(["mask:resident-id:1"]);
        expect(verdict.ruleIds).toEqual(["grant:office-land-registration", "resident-id"]);
      }
      expect(verdict.policyVersion).toMatch(/^1-[0-9a-f]{16}$/);
    }
    const salts = new Set(
      response.outcomes?.map(({ salt }) => Buffer.from(salt ?? []).toString("hex")),
    );
    expect(salts.size).toBe(300);
  });

  test("each item leaves one event, and no event holds content", async () => {
    const desk = await newDesk();
    const items = [
      requestItem(`{"id":"${VALID}"}`),
      requestItem('{"密级":"机密","什么":"某处坐标"}'),
    ];
    await decideBatch(desk, { items });
    expect(desk.events.map((event) => [event.type, event.outcome, event.code])).toEqual([
      ["policy.decided", "ok", undefined],
      ["policy.sealed-away", "refused", "policy.secret-suspected"],
      ["policy.decided", "refused", "policy.secret-suspected"],
    ]);
    const written = JSON.stringify(desk.events);
    for (const content of [VALID, "某处坐标", "机密"]) expect(written).not.toContain(content);
  });

  test("what was not journalled is not answered", async () => {
    const journal = { record: () => Promise.reject(new GatewayError("journal.full")) };
    const desk = await newDesk(testPolicy(), { journal });
    await expect(decideBatch(desk, { items: [requestItem("{}")] })).rejects.toMatchObject({
      code: "journal.full",
    });
  });

  test("limits of a batch", async () => {
    const desk = await newDesk();
    const many = Array.from({ length: 1025 }, () => requestItem("{}"));
    await expect(decideBatch(desk, { items: many })).rejects.toMatchObject({
      code: "policy.batch-too-large",
    });
    const big = Array.from({ length: 5 }, () => requestItem(Buffer.alloc(1024 * 1024)));
    await expect(decideBatch(desk, { items: big })).rejects.toMatchObject({
      code: "policy.batch-too-large",
    });
    await expect(decideBatch(desk, { items: [] })).rejects.toMatchObject({
      code: "rpc.bad-message",
    });
    await expect(decideBatch(desk, { items: [{}] })).rejects.toMatchObject({
      code: "rpc.bad-message",
    });
  });

  test("headers enter the entry in canonical order", async () => {
    const desk = await newDesk();
    const headers = [
      { name: "x-b", value: "2" },
      { name: "content-type", value: "application/json" },
      { name: "x-b", value: "1" },
    ];
    const item = requestItem("{}", { http: { method: "POST", path: "/records", headers } });
    const { outcomes } = await decideBatch(desk, { items: [item] });
    const entry = decodeCanonical(ManifestEntry, outcomes?.[0]?.entry ?? new Uint8Array());
    expect(entry.http?.headers?.map(({ name, value }) => `${name}=${value}`)).toEqual([
      "content-type=application/json",
      "x-b=1",
      "x-b=2",
    ]);
  });
});

describe("streams", () => {
  test("content comes back masked, the entry speaks of what came back", async () => {
    const desk = await newDesk();
    const text = Buffer.from("姓名,身份证\n".concat(`张三,${VALID}\n`.repeat(20_000)));
    const { out, response, outcome } = await streamed(
      desk,
      fileItem("household-survey", "a.csv", text.length),
      text,
    );
    expect(outcome?.decision).toBe(Decision.DECISION_PERMIT);
    expect(outcome?.contentChanged).toBe(true);
    expect(out.toString()).toBe(text.toString().replaceAll(VALID, "510104********7217"));
    const entry = decodeCanonical(ManifestEntry, outcome?.entry ?? new Uint8Array());
    expect(Buffer.from(entry.digest)).toEqual(Buffer.from(provider.sm3(out)));
    expect(verdictOf(desk.policy, response).obligations).toEqual(["mask:resident-id:20000"]);
    expect(outcome?.findings?.[0]).toMatchObject({
      inspector: "resident-id",
      count: 20000,
      where: "column 2",
    });
  });

  test("unreadable bytes pass only where an opaque rule says so, and the verdict names it", async () => {
    const desk = await newDesk();
    const bytes = randomBytes(5 * 1024 * 1024);
    const drill = await streamed(
      desk,
      fileItem("bulk-data", "drill.bin", bytes.length),
      bytes,
      STREAM_CHUNK_MAX,
    );
    expect(drill.outcome?.decision).toBe(Decision.DECISION_PERMIT);
    expect(Buffer.compare(drill.out, bytes)).toBe(0);
    expect(verdictOf(desk.policy, drill.response).ruleIds).toContain("bulk-data.opaque");
    const other = await streamed(
      desk,
      fileItem("household-survey", "drill.bin", bytes.length),
      bytes,
      STREAM_CHUNK_MAX,
    );
    expect(other.outcome).toMatchObject({
      decision: Decision.DECISION_HOLD,
      code: "policy.content-undecodable",
    });
  });

  test("a sender that keeps the original gets nothing back of what cannot be altered", async () => {
    const desk = await newDesk();
    const keeping = (service: string, name: string, size: number): WireItem => ({
      ...fileItem(service, name, size),
      keepsOriginal: true,
    });
    const bytes = randomBytes(1_000_000);
    const opaque = await streamed(desk, keeping("bulk-data", "a.bin", bytes.length), bytes);
    expect([opaque.unaltered, opaque.out.length]).toEqual([1, 0]);
    expect(opaque.outcome).toMatchObject({
      decision: Decision.DECISION_PERMIT,
      contentChanged: false,
    });
    const entry = decodeCanonical(ManifestEntry, opaque.outcome?.entry ?? new Uint8Array());
    expect(entry.size).toBe(bytes.length);
    expect(Buffer.from(entry.digest)).toEqual(Buffer.from(provider.sm3(bytes)));

    // Rules that mask: readable content goes back, whether or not anything is found in it.
    for (const row of [`张三,${VALID}\n`, "张三,无\n"]) {
      const text = Buffer.from("姓名,身份证\n".concat(row.repeat(20_000)));
      const read = await streamed(desk, keeping("household-survey", "a.csv", text.length), text);
      expect(read.unaltered).toBe(0);
      expect(read.out.toString()).toBe(text.toString().replaceAll(VALID, "510104********7217"));
    }

    // Text first, unreadable then: some of it was on its way back already, so all of it goes.
    const turning = Buffer.concat([Buffer.from("line\n".repeat(50_000)), bytes]);
    const turned = await streamed(desk, keeping("bulk-data", "a.txt", turning.length), turning);
    expect([turned.unaltered, turned.out.equals(turning)]).toEqual([0, true]);

    // No rule of the service masks: known before its content is read.
    const plain = Buffer.from("一切正常\n".repeat(20_000));
    const text = await streamed(desk, keeping("documents", "a.txt", plain.length), plain);
    expect(text.outcome?.decision).toBe(Decision.DECISION_PERMIT);
    expect([text.unaltered, text.out.length]).toEqual([1, 0]);
    expect((await streamed(desk, fileItem("documents", "a.txt", plain.length), plain)).out).toEqual(
      plain,
    );
  });

  test("what proves a secret after `unaltered` is sealed away all the same", async () => {
    const desk = await newDesk();
    const marked = Buffer.concat([Buffer.from(SECRET), Buffer.alloc(500_000, 0x61)]);
    const item = { ...fileItem("documents", "a.txt", marked.length), keepsOriginal: true };
    const { out, outcome } = await streamed(desk, item, marked);
    expect(outcome).toMatchObject({ decision: Decision.DECISION_DENY, sealedAway: true });
    expect(out.length).toBe(0);
  });

  test("refused before content: nothing is read", async () => {
    const desk = await newDesk();
    const item = fileItem("documents", "a.txt", 1_000_000, { declaredGrade: "" });
    const { outcome, read, out } = await streamed(desk, item, Buffer.alloc(1_000_000));
    expect(outcome?.code).toBe("policy.grade-missing");
    expect(read).toBe(0);
    expect(out.length).toBe(0);
  });

  test("more than declared is refused and not read to its end", async () => {
    const desk = await newDesk();
    const { outcome, read } = await streamed(
      desk,
      fileItem("documents", "a.txt", 10),
      Buffer.alloc(1_000_000, 0x61),
    );
    expect(outcome?.code).toBe("policy.content-size");
    expect(read).toBeLessThan(200_000);
  });

  test("a stream begins with its item and holds bounded chunks", async () => {
    const desk = await newDesk();
    async function* headless() {
      yield { chunk: new Uint8Array(1) };
    }
    await expect(decideStream(desk, headless()).next()).rejects.toMatchObject({
      code: "rpc.bad-message",
    });
    const item = fileItem("documents", "a.txt", 1_000_000);
    await expect(streamed(desk, item, Buffer.alloc(600_000), 300_000)).rejects.toMatchObject({
      code: "rpc.bad-message",
    });
  });

  test("other work goes on beside a long stream", async () => {
    const desk = await newDesk();
    const text = Buffer.from("2026-11-22,川A,104.06,30.57,宗地\n".repeat(40_000));
    let turns = 0;
    let over = false;
    const other = (async () => {
      for (; !over; turns += 1) await new Promise(setImmediate);
    })();
    await streamed(
      desk,
      fileItem("household-survey", "a.csv", text.length),
      text,
      STREAM_CHUNK_MAX,
    );
    over = true;
    await other;
    expect(turns).toBeGreaterThanOrEqual(Math.floor(text.length / STREAM_CHUNK_MAX));
  });
});

describe("suspected secrets are sealed away", () => {
  const padding = "x".repeat(300_000);
  test.each<[string, string, string, Partial<lightferry.policy.v1.Submission.$Properties>, string]>(
    [
      ["a mark at the head", "a.txt", SECRET, {}, "policy.secret-suspected"],
      [
        "a mark at the head of a long file",
        "a.txt",
        SECRET + padding.repeat(20),
        {},
        "policy.secret-suspected",
      ],
      ["a mark in the name", "机密.txt", `无标志 ${padding}`, {}, "policy.secret-suspected"],
      [
        "a declared mark",
        "a.txt",
        `无标志 ${padding}`,
        { declaredGrade: "机密" },
        "policy.grade-secret",
      ],
      [
        "a declared mark on an unknown lane",
        "a.txt",
        "无",
        { declaredGrade: "绝密", lane: "?" },
        "policy.grade-secret",
      ],
    ],
  )("%s", async (_name, name, text, more, code) => {
    const desk = await newDesk();
    const content = Buffer.from(text);
    const item = fileItem("documents", name, content.length, more);
    const { outcome, response } = await streamed(desk, item, content);
    expect(outcome).toMatchObject({ decision: Decision.DECISION_DENY, code, sealedAway: true });
    expect(verdictOf(desk.policy, response).decision).toBe(Decision.DECISION_DENY);
    const [sealed, ...others] = await sealedContents(
      desk,
      item.submission?.exchangeId ?? new Uint8Array(),
    );
    expect(others).toEqual([]);
    expect(Buffer.compare(sealed ?? Buffer.alloc(0), content)).toBe(0);
    const event = desk.events.find(({ type }) => type === "policy.sealed-away");
    expect(Buffer.from(event?.digest ?? [])).toEqual(Buffer.from(provider.sm3(content)));
    expect(event?.size).toBe(content.length);
    expect(JSON.stringify(desk.events)).not.toContain("机密");
  });

  test("a mark in a late field of long JSON: all of it is kept; without one nothing stays", async () => {
    const rows = Array.from({ length: 60_000 }, (_, i) => ({
      i,
      名称: "某某村民委员会某某组",
      x: "y".repeat(60),
    }));
    for (const marked of [true, false]) {
      const desk = await newDesk();
      const content = Buffer.from(JSON.stringify([...rows, { 密级: marked ? "机密" : "无" }]));
      expect(content.length).toBeGreaterThan(5 * 1024 * 1024);
      const item = fileItem("household-survey", "a.json", content.length);
      const { outcome } = await streamed(desk, item, content, STREAM_CHUNK_MAX);
      expect(outcome?.sealedAway).toBe(marked);
      const sealed = await sealedContents(desk, item.submission?.exchangeId ?? new Uint8Array());
      expect(sealed.map((one) => Buffer.compare(one, content))).toEqual(marked ? [0] : []);
    }
  });

  test("where that is impossible nothing is answered, and the service lives on", async () => {
    const desk = await newDesk();
    rmSync(join(desk.folder, "sealed-away"), { recursive: true });
    const failed = { code: "policy.sealed-away-failed" };
    const inline = decideBatch(desk, { items: [requestItem('{"密级":"机密"}')] });
    await expect(inline).rejects.toMatchObject(failed);
    const content = Buffer.from(SECRET + padding.repeat(20));
    const item = fileItem("documents", "a.txt", content.length);
    await expect(streamed(desk, item, content)).rejects.toMatchObject(failed);
    expect(desk.events).toEqual([]);
    const { outcomes } = await decideBatch(desk, { items: [requestItem("{}")] });
    expect(outcomes?.[0]?.decision).toBe(Decision.DECISION_PERMIT);
  });

  test("inline items too", async () => {
    const desk = await newDesk();
    const item = requestItem('{"标题":"绝密★启用前"}');
    const { outcomes } = await decideBatch(desk, { items: [item] });
    expect(outcomes?.[0]).toMatchObject({ code: "policy.secret-suspected", sealedAway: true });
    // A field name is content too: what the caller and the exchange record get tells none of it.
    expect(outcomes?.[0]?.reason).not.toContain("标题");
    const [sealed] = await sealedContents(desk, item.submission?.exchangeId ?? new Uint8Array());
    expect(sealed?.toString()).toBe('{"标题":"绝密★启用前"}');
  });
});

describe("import: the other side decides again", () => {
  const body = Buffer.from('{"parcel":"A-1"}');
  async function exported(content = body) {
    const sender = await newDesk();
    const { outcomes } = await decideBatch(sender, { items: [requestItem(content)] });
    return outcomes?.[0];
  }
  async function importCode(
    item: WireItem,
    change?: Parameters<typeof testPolicy>[1],
  ): Promise<string> {
    const receiver = await newDesk(testPolicy("business", change));
    const response = await decideBatch(receiver, { items: [item] });
    return response.outcomes?.[0]?.code ?? "";
  }

  test("permits with a verdict of its own over the same commitment", async () => {
    const outcome = await exported();
    const receiver = await newDesk(testPolicy("business"));
    const response = await decideBatch(receiver, { items: [arriving(outcome, body)] });
    expect(response.outcomes?.[0]).toMatchObject({
      decision: Decision.DECISION_PERMIT,
      contentChanged: false,
    });
    const commitment = itemCommitment(
      provider,
      outcome?.salt ?? new Uint8Array(),
      outcome?.entry ?? new Uint8Array(),
    );
    assertVerdictCovers(verdictOf(receiver.policy, response), {
      commitment,
      lane: "inbound",
      sender: "node-extranet",
      recipients: ["node-business"],
      direction: Direction.DIRECTION_IMPORT,
      atMs: NOW + 1,
    });
  });

  test("as a stream: nothing is sent back", async () => {
    const receiver = await newDesk(testPolicy("business"));
    const { out, outcome } = await streamed(receiver, arriving(await exported()), body);
    expect(outcome?.decision).toBe(Decision.DECISION_PERMIT);
    expect(out.length).toBe(0);
  });

  test("refuses what does not match", async () => {
    const outcome = await exported();
    const other = await exported();
    expect(await importCode(arriving(outcome, Buffer.from('{"parcel":"A-2"}')))).toBe(
      "policy.import-entry",
    );
    expect(
      await importCode(
        arriving(outcome, body, { exportVerdict: other?.verdict ?? new Uint8Array() }),
      ),
    ).toBe("policy.import-verdict");
    expect(await importCode(arriving(outcome, body, { exportVerdict: new Uint8Array() }))).toBe(
      "policy.import-verdict",
    );
    expect(await importCode(arriving(outcome, body, { sender: "node-business" }))).toBe(
      "policy.import-sender",
    );
    expect(await importCode(arriving(outcome, body, { lane: "outbound" }))).toBe(
      "policy.lane-wrong-zone",
    );
    expect(await importCode(arriving(outcome, body, { entry: Buffer.from("junk") }))).toBe(
      "policy.import-entry",
    );
    const denied = await decideBatch(await newDesk(), {
      items: [requestItem(body, { declaredGrade: "" })],
    });
    expect(await importCode(arriving(denied.outcomes?.[0], body))).not.toBe("");
  });

  test("refuses by its own registry: lane closed, grant withdrawn, ceiling lowered", async () => {
    const item = arriving(await exported(), body);
    expect(await importCode(item)).toBe("");
    expect(
      await importCode(item, (d) => ({
        ...d,
        lanes: d.lanes.map((l) => ({ ...l, state: "closed" as const })),
      })),
    ).toBe("policy.lane-closed");
    expect(await importCode(item, (d) => ({ ...d, grants: [] }))).toBe("policy.grant-missing");
    expect(
      await importCode(item, (d) => ({
        ...d,
        lanes: d.lanes.map((l) => ({ ...l, gradeCeiling: "G1" as const })),
      })),
    ).toBe("policy.grade-over-lane");
  });

  test("what should have been masked is refused, since it can no longer be changed", async () => {
    const lax = await newDesk();
    const content = Buffer.from(`{"id":"${VALID}"}`);
    const { plan } = { plan: lax.policy.pack.services.get("land-registration")?.plan };
    const services = new Map(lax.policy.pack.services);
    if (plan !== undefined) {
      const rules = { ...plan.rules, "resident-id": { id: "lax", action: "note" as const } };
      services.set("land-registration", { plan: { ...plan, rules }, approval: "none" });
    }
    const policy = { ...lax.policy, pack: { ...lax.policy.pack, services } };
    const sender = await newDesk(policy);
    const { outcomes } = await decideBatch(sender, { items: [requestItem(content)] });
    expect(outcomes?.[0]?.decision).toBe(Decision.DECISION_PERMIT);
    expect(await importCode(arriving(outcomes?.[0], content))).toBe(
      "policy.content-not-desensitised",
    );
  });

  test("a submission from the future is held: clocks, not data, are wrong", async () => {
    const sender = await newDesk();
    const item = requestItem(body, { submittedMs: NOW + 3_600_000 });
    const { outcomes } = await decideBatch(sender, { items: [item] });
    const receiver = await newDesk(testPolicy("business"));
    const response = await decideBatch(receiver, { items: [arriving(outcomes?.[0], body)] });
    expect(response.outcomes?.[0]).toMatchObject({
      decision: Decision.DECISION_HOLD,
      code: "policy.import-time",
    });
  });
});
