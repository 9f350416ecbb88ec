import { decodeCanonical } from "@lightferry/proto/canonical";
import { GatewayError } from "@lightferry/proto/errors";
import { lightferry } from "@lightferry/proto/gen";
import { assertVerdictCovers, itemCommitment } from "@lightferry/proto/verdict";
import { describe, expect, test } from "vitest";
import { decideBatch } from "../src/server/decide-batch.ts";
import { closeDesks, newDesk, VALID } from "./desk-world.ts";
import { provider } from "./plan.ts";
import { NOW, requestItem, testPolicy, verdictOf } from "./world.ts";

const { Decision, Direction } = lightferry.policy.v1;
const { ManifestEntry } = lightferry.bundle.v1;

closeDesks();

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
