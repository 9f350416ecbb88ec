/** What the service keeps and what it decides anew: suspected secrets sealed away, imports judged by the other side itself. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { lightferry } from "@lightferry/proto/gen";
import { assertVerdictCovers, itemCommitment } from "@lightferry/proto/verdict";
import { describe, expect, test } from "vitest";
import { decideBatch } from "../src/server/decide-batch.ts";
import { STREAM_CHUNK_MAX } from "../src/server/decide-stream.ts";
import type { WireItem } from "../src/server/intake.ts";
import { closeDesks, newDesk, SECRET, sealedContents, streamed, VALID } from "./desk-world.ts";
import { provider } from "./plan.ts";
import { arriving, fileItem, NOW, requestItem, testPolicy, verdictOf } from "./world.ts";

const { Decision, Direction } = lightferry.policy.v1;

closeDesks();

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
